"""CONFIGURE: a set of (key, value) rows applies to one table row, all or nothing."""

from steelyard.engine.accounts import take_settings_of
from steelyard.engine.alarms import mark_dirty
from steelyard.engine.bitmap import words_at
from steelyard.engine.events import say
from steelyard.engine.funding import plan_funding
from steelyard.engine.interest import accrue, plan_interest
from steelyard.engine.ledger import find_leg, retry_conversions
from steelyard.engine.pool import begin_pool, shares_at_start
from steelyard.engine.prices import refresh_feed, refresh_pairs, settle_active_time
from steelyard.model import keys
from steelyard.model import reject as no
from steelyard.model.commands import ASSET as ASSET_TABLE
from steelyard.model.commands import CURVE as CURVE_TABLE
from steelyard.model.commands import FEED as FEED_TABLE
from steelyard.model.commands import MARKET as MARKET_TABLE
from steelyard.model.commands import OWNER as OWNER_TABLE
from steelyard.model.commands import RISK_TIER as TIER_TABLE
from steelyard.model.events import CONFIGURED
from steelyard.model.orders import INVERSE, LENDER
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import ASSET_PRICE_SCALE, BORROW_SCALE, SOURCES_MAX, TIME_NS_MAX
from steelyard.rules import parameters
from steelyard.rules.offers import curve_disagreement, ladder_disagreement
from steelyard.rules.pairs import is_pair
from steelyard.state.tables import (
    ASSET,
    ASSET_RULE,
    CURVE_RULE,
    DRAFT,
    FEED,
    FEED_RULE,
    HOLDER,
    KEY_RANGE,
    L_ASSETS,
    L_BITS_LADDER,
    L_CURVES,
    L_FEEDS,
    L_LADDER,
    L_MARKETS,
    L_OWNERS,
    L_TIERS,
    LAYOUT,
    LEG,
    MACHINE,
    MARKET,
    MARKET_RULE,
    OWNER_RULE,
    SOURCE,
    STAGED,
    TIER_RULE,
)

EXISTS, LOWEST, HIGHEST, DEFAULT, FIXED = 0, 1, 2, 3, 4


@leaf
def rows_of(s, kind):
    """How many rows of a table are in use."""
    machine = MACHINE(s)
    if kind == ASSET_TABLE:
        return machine.assets[0]
    if kind == FEED_TABLE:
        return machine.feeds[0]
    if kind == MARKET_TABLE:
        return machine.markets[0]
    if kind == CURVE_TABLE:
        return machine.curves[0]
    return machine.risk_tiers[0] if kind == TIER_TABLE else machine.owners[0]


@leaf
def capacity_of(s, kind):
    layout = LAYOUT(s)
    if kind == ASSET_TABLE:
        return layout[L_ASSETS]
    if kind == FEED_TABLE:
        return layout[L_FEEDS]
    if kind == MARKET_TABLE:
        return layout[L_MARKETS]
    if kind == CURVE_TABLE:
        return layout[L_CURVES]
    return layout[L_TIERS] if kind == TIER_TABLE else layout[L_OWNERS]


@leaf
def unknown_row(kind):
    if kind == ASSET_TABLE:
        return no.ASSET_UNKNOWN
    if kind == FEED_TABLE:
        return no.FEED_UNKNOWN
    if kind == CURVE_TABLE:
        return no.CURVE_UNKNOWN
    return no.MARKET_UNKNOWN if kind == MARKET_TABLE else no.OWNER_UNKNOWN


@leaf
def width_of(kind):
    if kind == ASSET_TABLE:
        return keys.ASSET_WIDTH
    if kind == FEED_TABLE:
        return keys.FEED_WIDTH
    if kind == MARKET_TABLE:
        return keys.MARKET_WIDTH
    if kind == CURVE_TABLE:
        return keys.CURVE_WIDTH
    return keys.TIER_WIDTH if kind == TIER_TABLE else keys.OWNER_WIDTH


@leaf
def rule_value(s, kind, row, key):
    if kind == ASSET_TABLE:
        return ASSET_RULE(s)[row, key]
    if kind == FEED_TABLE:
        return FEED_RULE(s)[row, key]
    if kind == MARKET_TABLE:
        return MARKET_RULE(s)[row, key]
    if kind == CURVE_TABLE:
        return CURVE_RULE(s)[row, key]
    return TIER_RULE(s)[row, key] if kind == TIER_TABLE else OWNER_RULE(s)[row, key]


@kernel
def write_rule(s, kind, row):
    """The draft becomes the rule."""
    draft = DRAFT(s)
    for key in range(width_of(kind)):
        value = draft[0, key]
        if kind == ASSET_TABLE:
            ASSET_RULE(s)[row, key] = value
        elif kind == FEED_TABLE:
            FEED_RULE(s)[row, key] = value
        elif kind == MARKET_TABLE:
            MARKET_RULE(s)[row, key] = value
        elif kind == TIER_TABLE:
            TIER_RULE(s)[row, key] = value
        elif kind == CURVE_TABLE:
            CURVE_RULE(s)[row, key] = value
        else:
            OWNER_RULE(s)[row, key] = value
    return 0


@kernel
def draft_rule(s, kind, row):
    """Start from the present rule, or from the defaults for a new row; then take the staged rows in, checking each."""
    draft, ranges, rows, machine = DRAFT(s), KEY_RANGE(s), STAGED(s), MACHINE(s)
    base = kind * keys.MARKET_WIDTH
    for key in range(width_of(kind)):
        draft[0, key] = rule_value(s, kind, row, key) if row else ranges[base + key, DEFAULT]
    for i in range(machine.staged[0]):
        machine.failed[0] = i
        key, value = rows.order[i], rows.lots[i]
        if rows.account[i] != kind or rows.market[i] != row:
            return no.INCOMPLETE_COMMAND
        if key < 0 or key >= width_of(kind) or ranges[base + key, EXISTS] == 0:
            return no.KEY_UNKNOWN
        if value < ranges[base + key, LOWEST] or value > ranges[base + key, HIGHEST]:
            return no.PARAMETER_OUT_OF_RANGE
        if row and ranges[base + key, FIXED]:
            return no.PARAMETER_IS_FIXED
        draft[0, key] = value
    machine.failed[0] = 0
    return no.NONE


@kernel
def draft_deductions(s):
    draft = DRAFT(s)
    for i in range(keys.M_BRACKET_MAINTAIN_PPM - keys.M_BRACKET_UPPER):
        used = i < draft[0, keys.M_BRACKETS]
        draft[0, keys.M_DEDUCT_MAINTAIN + i] = parameters.deduction(s, keys.M_BRACKET_MAINTAIN_PPM, i) if used else 0
        draft[0, keys.M_DEDUCT_OPEN + i] = parameters.deduction(s, keys.M_BRACKET_OPEN_PPM, i) if used else 0
    return 0


@kernel
def disagreement(s, kind, row):
    """The key whose value disagrees with another's, or -1."""
    if kind == ASSET_TABLE:
        key = parameters.asset_disagreement(s, row if row else MACHINE(s).assets[0] + 1)
        return ladder_disagreement(s) if key == parameters.AGREE else key
    if kind == CURVE_TABLE:
        return curve_disagreement(s, row if row else MACHINE(s).curves[0] + 1)
    if kind == FEED_TABLE:
        return parameters.feed_disagreement(s)
    if kind == OWNER_TABLE:
        return parameters.owner_disagreement(s)
    if kind != MARKET_TABLE:
        return parameters.AGREE
    key = parameters.market_disagreement(s, row if row else MACHINE(s).markets[0] + 1)
    if key == parameters.AGREE:
        key = parameters.brackets_disagreement(s)
    if key == parameters.AGREE:
        draft_deductions(s)
        key = parameters.levels_disagreement(s)
    if key == parameters.AGREE:
        key = parameters.fees_disagreement(s)
    return key


@kernel
def take_feed(s, feed, user, is_market):
    """A feed serves its user from now on, and starts empty."""
    table, source = FEED(s), SOURCE(s)
    table.user[feed] = user
    table.user_is_market[feed] = is_market
    table.price[feed] = 0
    table.fresh_until_ns[feed] = 0
    for row in range(feed * SOURCES_MAX, (feed + 1) * SOURCES_MAX):
        source.price[row] = 0
        source.confidence[row] = 0
        source.at_ns[row] = 0
    return 0


@kernel
def take_ladder(s, market):
    """What a market has from its rule: the next stretch of price levels, and the scale of its worth."""
    machine, table = MACHINE(s), MARKET(s)
    rule = MARKET_RULE(s)
    size = rule[market, keys.M_TICKS_MAX] + 1
    table.scale[market] = -1 if rule[market, keys.M_KIND] == INVERSE else rule[market, keys.M_ATOMS_PER_TICK_LOT]
    table.ladder[market] = machine.ladder_used[0]
    table.ladder_bits[market] = LAYOUT(s)[L_BITS_LADDER] + machine.ladder_bits_used[0]
    machine.ladder_used[0] += size
    for level in range(1, 5):
        machine.ladder_bits_used[0] += words_at(size, level)
    return 0


@kernel
def begin_asset(s, row):
    machine, asset = MACHINE(s), ASSET(s)
    machine.assets[0] = row
    asset.borrow_index[row] = BORROW_SCALE
    asset.borrow_ref[row] = BORROW_SCALE
    asset.accrued_ns[row] = machine.now_ns[0]
    asset.active_at_ns[row] = machine.now_ns[0]
    if row == 1:
        asset.price[row] = ASSET_PRICE_SCALE
        asset.fresh_until_ns[row] = TIME_NS_MAX
    elif ASSET_RULE(s)[row, keys.A_FEED]:
        take_feed(s, ASSET_RULE(s)[row, keys.A_FEED], row, 0)
    return 0


@kernel
def begin_market(s, row):
    machine = MACHINE(s)
    machine.markets[0] = row
    if is_pair(s, row):
        machine.pairs[0] += 1
    else:
        take_feed(s, MARKET_RULE(s)[row, keys.M_FEED], row, 1)
    take_ladder(s, row)
    plan_funding(s, row, machine.now_ns[0])
    return 0


@kernel
def rejudge_everybody(s):
    for account in range(1, MACHINE(s).accounts[0] + 1):
        mark_dirty(s, account)
    return 0


@kernel
def after_change(s, kind, row, old_interval, old_sample):
    """Proofs made under the old parameters no longer hold."""
    machine, leg, holder, rule = MACHINE(s), LEG(s), HOLDER(s), MARKET_RULE(s)
    machine.open_epoch[0] += 1
    if kind == ASSET_TABLE:
        rejudge_everybody(s)
    if kind == OWNER_TABLE:
        take_settings_of(s, row)
    if kind == MARKET_TABLE:
        if rule[row, keys.M_FUNDING_INTERVAL_NS] != old_interval or rule[row, keys.M_SAMPLE_INTERVAL_NS] != old_sample:
            plan_funding(s, row, machine.now_ns[0])
        each = MARKET(s).holders[row]
        while each:
            mark_dirty(s, leg.account[each])
            each = holder.next[each]
    return 0


@far
def configure(s):
    """CONFIGURE: the staged rows as one set."""
    rows, machine = STAGED(s), MACHINE(s)
    kind, row = rows.account[0], rows.market[0]
    machine.failed[0] = 0
    if kind < ASSET_TABLE or kind > CURVE_TABLE:
        return no.FIELD_OUT_OF_RANGE
    if row < 0 or row > rows_of(s, kind):
        return unknown_row(kind)
    reason = draft_rule(s, kind, row)
    if reason:
        return reason
    key = disagreement(s, kind, row)
    if key != parameters.AGREE:
        machine.failed_key[0] = key
        return no.PARAMETERS_DISAGREE
    new = 1 if row == 0 else 0
    of_pool = DRAFT(s)[0, keys.A_POOL_OF] if new and kind == ASSET_TABLE else 0
    if of_pool and shares_at_start(s, of_pool) > DRAFT(s)[0, keys.A_SUPPLY_MAX]:
        machine.failed_key[0] = keys.A_SUPPLY_MAX
        return no.PARAMETERS_DISAGREE
    if new:
        if rows_of(s, kind) >= capacity_of(s, kind):
            return no.ROWS_FULL
        if kind == MARKET_TABLE:
            if machine.ladder_used[0] + DRAFT(s)[0, keys.M_TICKS_MAX] + 1 > LAYOUT(s)[L_LADDER]:
                return no.LADDER_FULL
        row = rows_of(s, kind) + 1
    old_interval = MARKET_RULE(s)[row, keys.M_FUNDING_INTERVAL_NS] if kind == MARKET_TABLE else 0
    old_sample = MARKET_RULE(s)[row, keys.M_SAMPLE_INTERVAL_NS] if kind == MARKET_TABLE else 0
    if kind == ASSET_TABLE and not new:
        accrue(s, row, find_leg(s, LENDER, row))  # at the rates that held until now
        if DRAFT(s)[0, keys.A_FROZEN] != ASSET_RULE(s)[row, keys.A_FROZEN]:
            if ASSET_RULE(s)[row, keys.A_POOL_OF] == 0:
                settle_active_time(s, row)
            retry_conversions(s)
    old_wait = ASSET_RULE(s)[row, keys.A_INTEREST_INTERVAL_NS] if kind == ASSET_TABLE else 0
    if kind == ASSET_TABLE and DRAFT(s)[0, keys.A_LOAN_CAP] < ASSET_RULE(s)[row, keys.A_LOAN_CAP]:
        machine.capping[0] = 1
    write_rule(s, kind, row)
    if kind == ASSET_TABLE and (new or ASSET_RULE(s)[row, keys.A_INTEREST_INTERVAL_NS] != old_wait):
        plan_interest(s, row)
    if not new:
        after_change(s, kind, row, old_interval, old_sample)
    elif kind == ASSET_TABLE:
        begin_asset(s, row)
    elif kind == FEED_TABLE:
        machine.feeds[0] = row
    elif kind == MARKET_TABLE:
        begin_market(s, row)
    elif kind == TIER_TABLE:
        machine.risk_tiers[0] = row
    elif kind == CURVE_TABLE:
        machine.curves[0] = row
    else:
        machine.owners[0] = row
    say(s, CONFIGURED, kind, row, 0, 0, 0, 0, 0, 0, 0, new, 0, 0, 0)
    if kind == FEED_TABLE and not new:
        refresh_feed(s, row)
        refresh_pairs(s)
    if of_pool:
        begin_pool(s, row)
    return no.NONE
