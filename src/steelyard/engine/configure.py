"""CONFIGURE: a set of (key, value) rows applies to one table row, all or nothing."""

from steelyard.engine.accounts import take_settings_of
from steelyard.engine.alarms import mark_dirty
from steelyard.engine.bitmap import words_at
from steelyard.engine.events import say
from steelyard.engine.funding import plan_funding
from steelyard.engine.interest import accrue, begin_rate, plan_interest
from steelyard.engine.ledger import find_leg, has_leg_rows, retry_conversions
from steelyard.engine.pool import begin_pool, shares_at_start
from steelyard.engine.prices import forget_policy, refresh_feed, refresh_pairs, settle_active_time
from steelyard.engine.settlement import plan_settlement
from steelyard.engine.timers import push_timer
from steelyard.model import keys
from steelyard.model import reject as no
from steelyard.model.commands import ASSET as ASSET_TABLE
from steelyard.model.commands import CURVE as CURVE_TABLE
from steelyard.model.commands import FEED as FEED_TABLE
from steelyard.model.commands import MARKET as MARKET_TABLE
from steelyard.model.commands import OWNER as OWNER_TABLE
from steelyard.model.commands import RISK_ARRAY as ARRAY_TABLE
from steelyard.model.commands import RISK_TIER as TIER_TABLE
from steelyard.model.events import CONFIGURED, RISK_ARRAY_SET
from steelyard.model.orders import (
    ACTIONS,
    BY_SCENARIO,
    FOR_OPEN,
    HALTED,
    INVERSE,
    KINK,
    LENDER,
    LENDS,
    PRODUCT_PORTFOLIO,
    SYSTEM_OWNER,
    TIMER_RAMP_ASSET,
    TIMER_RAMP_MARKET,
)
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import ASSET_PRICE_SCALE, BORROW_SCALE, SCENARIOS, SOURCES_MAX, TIME_NS_MAX
from steelyard.rules import parameters
from steelyard.rules.offers import curve_disagreement, ladder_disagreement
from steelyard.rules.pairs import is_pair
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import (
    ACCOUNT,
    ARRAY_RULE,
    ASSET,
    ASSET_RULE,
    CURVE_RULE,
    DRAFT,
    FEED,
    FEED_RULE,
    FEED_UNTIL,
    HOLDER,
    KEY_RANGE,
    L_ACCOUNTS,
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
    LEG_OPEN,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    OWNER,
    OWNER_RULE,
    RAMP,
    SOURCE,
    STAGED,
    TIER_RULE,
)

RAMP_STEPS = 60
STAKE_LEGS = 2  # of a keeper, at most, beside the one that every account has
STEP_OF_RAMP = 2  # how CONFIGURED tells it
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
    if kind == ARRAY_TABLE:
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
    return no.MARKET_UNKNOWN if kind == MARKET_TABLE or kind == ARRAY_TABLE else no.OWNER_UNKNOWN


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
    if kind == ARRAY_TABLE:
        return keys.ARRAY_WIDTH
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
    if kind == ARRAY_TABLE:
        return ARRAY_RULE(s)[row, key]
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
        elif kind == ARRAY_TABLE:
            ARRAY_RULE(s)[row, key] = value
        else:
            OWNER_RULE(s)[row, key] = value
    return 0


@kernel
def hold_back(s, kind, row):
    """(reason, whether anything ramps): what may not hold at once keeps its present value in the draft."""
    draft = DRAFT(s)
    changed, ramps = parameters.steps_differ(s, kind, row), False
    if changed and parameters.steps_ask_for_more(s, kind, row):
        return no.STEPS_CANNOT_RAMP, False
    for place in range(parameters.ramped_keys(kind)):
        key = parameters.ramp_key(kind, place)
        wanted, present = draft[0, key], rule_value(s, kind, row, key)
        draft[1, place] = wanted
        tightens = (wanted - present) * parameters.tightening(kind, place) > 0
        if tightens and not (changed and parameters.is_step(kind, place)):
            draft[0, key] = present
            ramps = True
    return no.NONE, ramps


@kernel
def plan_ramp(s, kind, row, ramps):
    """The rule is written: its keys are on their way from now on, or have arrived."""
    draft, ramp, now, at = DRAFT(s), RAMP(s), MACHINE(s).now_ns[0], parameters.ramp_row(s, kind, row)
    for key in range(keys.RAMP_WIDTH):
        ramp[at, key] = 0
    if not ramps:
        return 0
    total = draft[0, keys.A_RAMP_NS if kind == ASSET_TABLE else keys.M_RAMP_NS]
    ramp[at, keys.R_STARTED_NS] = now
    ramp[at, keys.R_UNTIL_NS] = now + min(total, TIME_NS_MAX - now)
    for place in range(parameters.ramped_keys(kind)):
        ramp[at, keys.R_FROM + place] = draft[0, parameters.ramp_key(kind, place)]
        ramp[at, keys.R_TO + place] = draft[1, place]
    return plan_step(s, kind, row)


@kernel
def plan_step(s, kind, row):
    """The next step of a ramp: a sixtieth of its time later, in whole seconds, or its end."""
    ramp, now, at = RAMP(s), MACHINE(s).now_ns[0], parameters.ramp_row(s, kind, row)
    started, until = ramp[at, keys.R_STARTED_NS], ramp[at, keys.R_UNTIL_NS]
    step = -(-(until - started) // (RAMP_STEPS * keys.SECOND)) * keys.SECOND
    ramp[at, keys.R_NEXT_NS] = min(until, now + step)
    timer = TIMER_RAMP_ASSET if kind == ASSET_TABLE else TIMER_RAMP_MARKET
    return push_timer(s, ramp[at, keys.R_NEXT_NS], (timer << 32) + row)


@far
def take_step(s, kind, row, at_ns):
    """One step of a ramp, if it still stands."""
    draft, ramp, machine, at = DRAFT(s), RAMP(s), MACHINE(s), parameters.ramp_row(s, kind, row)
    if ramp[at, keys.R_NEXT_NS] != at_ns:
        return 0
    started, until = ramp[at, keys.R_STARTED_NS], ramp[at, keys.R_UNTIL_NS]
    for key in range(width_of(kind)):
        draft[0, key] = rule_value(s, kind, row, key)
    for place in range(parameters.ramped_keys(kind)):
        origin, target = ramp[at, keys.R_FROM + place], ramp[at, keys.R_TO + place]
        reached = parameters.on_the_way(origin, target, at_ns - started, until - started)
        draft[0, parameters.ramp_key(kind, place)] = reached
    if kind == MARKET_TABLE:
        draft_deductions(s)
    elif draft[0, keys.A_LOAN_CAP] < ASSET_RULE(s)[row, keys.A_LOAN_CAP]:
        machine.capping[0] = 1
    write_rule(s, kind, row)
    if at_ns >= until:
        plan_ramp(s, kind, row, False)
    else:
        plan_step(s, kind, row)
    say(s, CONFIGURED, kind, row, 0, 0, 0, 0, 0, 0, 0, STEP_OF_RAMP, 0, 0, 0)
    interval = MARKET_RULE(s)[row, keys.M_FUNDING_INTERVAL_NS] if kind == MARKET_TABLE else 0
    sample = MARKET_RULE(s)[row, keys.M_SAMPLE_INTERVAL_NS] if kind == MARKET_TABLE else 0
    state = MARKET_RULE(s)[row, keys.M_STATE] if kind == MARKET_TABLE else 0
    return after_change(s, kind, row, interval, sample, state)


@kernel
def draft_rule(s, kind, row):
    """Start from the present rule, or from the defaults for a new row; then take the staged rows in, checking each."""
    draft, ranges, rows, machine = DRAFT(s), KEY_RANGE(s), STAGED(s), MACHINE(s)
    base = kind * keys.MARKET_WIDTH
    for key in range(width_of(kind)):
        draft[0, key] = rule_value(s, kind, row, key) if row else ranges[base + key, DEFAULT]
        if kind == ARRAY_TABLE and (key < SCENARIOS or ARRAY_RULE(s)[row, keys.S_IS_SET] == 0):
            draft[0, key] = ranges[base + key, DEFAULT]  # its values are set as a whole
    if row and parameters.is_ramping(s, kind, row):
        for place in range(parameters.ramped_keys(kind)):
            draft[0, parameters.ramp_key(kind, place)] = RAMP(s)[parameters.ramp_row(s, kind, row), keys.R_TO + place]
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
    """What of a market's rule is computed."""
    draft = DRAFT(s)
    draft[0, keys.M_HAS_SIZE] = 0
    for key in range(keys.M_SIZE_MAINTAIN_PPM, keys.M_HAS_SIZE):
        if draft[0, key] != 0:
            draft[0, keys.M_HAS_SIZE] = 1
    if draft[0, keys.M_BY_ARRAY]:
        draft[0, keys.M_HAS_SIZE] = keys.REQUIRES_ARRAY
    for i in range(keys.M_BRACKET_MAINTAIN_PPM - keys.M_BRACKET_UPPER):
        used = i < draft[0, keys.M_BRACKETS]
        draft[0, keys.M_DEDUCT_MAINTAIN + i] = parameters.deduction(s, keys.M_BRACKET_MAINTAIN_PPM, i) if used else 0
        draft[0, keys.M_DEDUCT_OPEN + i] = parameters.deduction(s, keys.M_BRACKET_OPEN_PPM, i) if used else 0
    return 0


@kernel
def draft_worst(s):
    """What of a risk array is computed."""
    draft = DRAFT(s)
    least, most = draft[0, keys.S_VALUE], draft[0, keys.S_VALUE]
    for scenario in range(SCENARIOS):
        least, most = min(least, draft[0, keys.S_VALUE + scenario]), max(most, draft[0, keys.S_VALUE + scenario])
    draft[0, keys.S_IS_SET] = 1
    draft[0, keys.S_WORST_LONG] = least
    draft[0, keys.S_WORST_SHORT] = most
    return 0


@kernel
def draft_policy(s):
    """Whether the feed in the draft has any policy."""
    draft = DRAFT(s)
    draft[0, keys.F_HAS_POLICY] = 0
    for key in range(keys.F_POLICIES, keys.F_HAS_POLICY):
        if draft[0, key] != 0:
            draft[0, keys.F_HAS_POLICY] = 1
    return 0


@kernel
def disagreement(s, kind, row):
    """The key whose value disagrees with another's, or -1."""
    if kind == ASSET_TABLE:
        key = parameters.asset_disagreement(s, row if row else MACHINE(s).assets[0] + 1)
        return ladder_disagreement(s) if key == parameters.AGREE else key
    if kind == ARRAY_TABLE:
        draft_worst(s)
        return parameters.array_disagreement(s, row)
    if kind == CURVE_TABLE:
        return curve_disagreement(s, row if row else MACHINE(s).curves[0] + 1)
    if kind == FEED_TABLE:
        draft_policy(s)
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
        key = parameters.sizes_disagreement(s)
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
    table.good_price[feed] = 0
    for action in range(ACTIONS):
        FEED_UNTIL(s)[feed, action] = 0
    forget_policy(s, feed)
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
    change_state(s, row, 0)
    take_ladder(s, row)
    plan_funding(s, row, machine.now_ns[0])
    return 0


@far
def count_excess(s):
    """How many markets and assets ask for more where too much of an account is one thing."""
    machine = MACHINE(s)
    count = 0
    for market in range(1, machine.markets[0] + 1):
        count += int(MARKET_RULE(s)[market, keys.M_EXCESS_PPM] != 0)
    for asset in range(1, machine.assets[0] + 1):
        count += int(ASSET_RULE(s)[asset, keys.A_EXCESS_PPM] != 0)
    machine.excess[0] = count
    return 0


@kernel
def change_state(s, market, before):
    """A market that is no longer halted gives owners time to act before anybody is liquidated there."""
    table, rule = MARKET(s), MARKET_RULE(s)
    grace, state = rule[market, keys.M_GRACE_NS], rule[market, keys.M_STATE]
    if state == HALTED:
        table.calm_ns[market] = TIME_NS_MAX if grace else 0
    elif before == HALTED:
        table.calm_ns[market] = MACHINE(s).now_ns[0] + grace if grace else 0
    return 0


@kernel
def rejudge_everybody(s):
    for account in range(1, MACHINE(s).accounts[0] + 1):
        mark_dirty(s, account)
    return 0


@kernel
def judge_scanned(s, market):
    """A market has a new risk array: whoever holds it and is required by it is judged."""
    leg, each = LEG(s), MARKET(s).holders[market]
    while each:
        if ACCOUNT(s).scans[leg.account[each]] or MARKET_RULE(s)[market, keys.M_BY_ARRAY]:
            mark_dirty(s, leg.account[each])
        each = HOLDER(s).next[each]
    return 0


@kernel
def why_not_scanned(s, account):
    """May an account be margined by scenarios: does all it holds, or has orders for, have a risk array?"""
    leg, orders = LEG(s), LEG_OPEN(s)
    row = ACCOUNT(s).first_leg[account]
    while row:
        market = leg.thing[row] - MARKET_0
        if market > 0 and not is_pair(s, market) and (leg.quantity[row] != 0 or orders.first_order[row] != 0):
            if ARRAY_RULE(s)[market, keys.S_IS_SET] == 0:
                return no.RISK_ARRAY_MISSING
        row = leg.next_of_account[row]
    return no.NONE


@kernel
def change_of_margin(s, owner):
    """May an owner be margined another way? All its accounts must be able to open what they have by the new one."""
    draft, table = DRAFT(s), ACCOUNT(s)
    wanted, before = draft[0, keys.O_MARGIN], OWNER_RULE(s)[owner, keys.O_MARGIN]
    if wanted == before:
        return no.NONE
    allowed = TIER_RULE(s)[draft[0, keys.O_RISK_TIER], keys.T_PRODUCTS] & PRODUCT_PORTFOLIO
    if wanted == BY_SCENARIO and (owner == SYSTEM_OWNER or allowed == 0):
        return no.TIER_FORBIDS_PRODUCT
    account = OWNER(s).first_account[owner]
    while account:
        if table.queued[account]:
            return no.ACCOUNT_IN_LIQUIDATION
        reason = why_not_scanned(s, account) if wanted == BY_SCENARIO else no.NONE
        if reason:
            return reason
        table.scans[account] = wanted
        equity, requirement, _ = account_risk(s, account, FOR_OPEN)
        table.scans[account] = before
        if equity < requirement:
            return no.OPENING_MARGIN_EXCEEDED
        account = table.next_of_owner[account]
    return no.NONE


@kernel
def after_change(s, kind, row, old_interval, old_sample, old_state):
    """Proofs made under the old parameters no longer hold."""
    machine, leg, holder, rule = MACHINE(s), LEG(s), HOLDER(s), MARKET_RULE(s)
    if kind == ARRAY_TABLE:
        return judge_scanned(s, row)
    machine.open_epoch[0] += 1
    if kind == ASSET_TABLE:
        rejudge_everybody(s)
    if kind == OWNER_TABLE:
        take_settings_of(s, row)
    if kind == MARKET_TABLE:
        if rule[row, keys.M_FUNDING_INTERVAL_NS] != old_interval or rule[row, keys.M_SAMPLE_INTERVAL_NS] != old_sample:
            plan_funding(s, row, machine.now_ns[0])
        change_state(s, row, old_state)
        each = MARKET(s).holders[row]
        while each:
            mark_dirty(s, leg.account[each])
            each = holder.next[each]
    return 0


@kernel
def say_array(s, market):
    """A market's risk array, five values at a time."""
    rule = ARRAY_RULE(s)
    for key in range(0, keys.S_IS_SET, keys.TOLD_AT_ONCE):
        first, second, third = rule[market, key], rule[market, key + 1], rule[market, key + 2]
        last, end = rule[market, key + 3], rule[market, key + 4]
        say(s, RISK_ARRAY_SET, 0, market, 0, key, 0, 0, first, second, third, last, end, 0, 0)
    return 0


@far
def configure(s):
    """CONFIGURE: the staged rows as one set."""
    rows, machine = STAGED(s), MACHINE(s)
    kind, row = rows.account[0], rows.market[0]
    machine.failed[0] = 0
    if kind < ASSET_TABLE or kind > ARRAY_TABLE:
        return no.FIELD_OUT_OF_RANGE
    if row < int(kind == ARRAY_TABLE) or row > rows_of(s, kind):
        return unknown_row(kind)
    reason = draft_rule(s, kind, row)
    if reason:
        return reason
    key = disagreement(s, kind, row)
    if key != parameters.AGREE:
        machine.failed_key[0] = key
        return no.PARAMETERS_DISAGREE
    if kind == OWNER_TABLE:
        reason = change_of_margin(s, row)
        if reason:
            return reason
    new, ramps = 1 if row == 0 else 0, False
    of_pool = DRAFT(s)[0, keys.A_POOL_OF] if new and kind == ASSET_TABLE else 0
    gains = new and kind == ASSET_TABLE and DRAFT(s)[0, keys.A_POOL_GAINS] != 0
    stakes = gains or (of_pool != 0 and DRAFT(s)[0, keys.A_POOL_KIND] != LENDS)
    if of_pool and not stakes and shares_at_start(s, of_pool) > DRAFT(s)[0, keys.A_SUPPLY_MAX]:
        machine.failed_key[0] = keys.A_SUPPLY_MAX
        return no.PARAMETERS_DISAGREE
    if not new and parameters.ramped_keys(kind):
        reason, ramps = hold_back(s, kind, row)
        if reason:
            return reason
        key = disagreement(s, kind, row) if ramps else parameters.AGREE
        if key != parameters.AGREE:
            machine.failed_key[0] = key
            return no.PARAMETERS_DISAGREE
    if new:
        if rows_of(s, kind) >= capacity_of(s, kind):
            return no.ROWS_FULL
        if kind == MARKET_TABLE:
            if machine.ladder_used[0] + DRAFT(s)[0, keys.M_TICKS_MAX] + 1 > LAYOUT(s)[L_LADDER]:
                return no.LADDER_FULL
        if stakes and machine.accounts[0] >= LAYOUT(s)[L_ACCOUNTS]:
            return no.ACCOUNTS_FULL
        if stakes and not has_leg_rows(s, STAKE_LEGS):
            return no.LEGS_FULL
        row = rows_of(s, kind) + 1
    old_interval = MARKET_RULE(s)[row, keys.M_FUNDING_INTERVAL_NS] if kind == MARKET_TABLE else 0
    old_sample = MARKET_RULE(s)[row, keys.M_SAMPLE_INTERVAL_NS] if kind == MARKET_TABLE else 0
    if kind == ASSET_TABLE and not new:
        accrue(s, row, find_leg(s, LENDER, row))  # at the rates that held until now
        if DRAFT(s)[0, keys.A_FROZEN] != ASSET_RULE(s)[row, keys.A_FROZEN]:
            if ASSET_RULE(s)[row, keys.A_POOL_OF] == 0:
                settle_active_time(s, row)
            retry_conversions(s)
    old_state = MARKET_RULE(s)[row, keys.M_STATE] if kind == MARKET_TABLE else 0
    old_expiry = MARKET_RULE(s)[row, keys.M_EXPIRY_NS] if kind == MARKET_TABLE else 0
    old_window = MARKET_RULE(s)[row, keys.M_SETTLE_WINDOW_NS] if kind == MARKET_TABLE else 0
    if kind == MARKET_TABLE and new:
        DRAFT(s)[0, keys.M_DATED] = int(DRAFT(s)[0, keys.M_EXPIRY_NS] != 0)
    old_wait = ASSET_RULE(s)[row, keys.A_INTEREST_INTERVAL_NS] if kind == ASSET_TABLE else 0
    if kind == ASSET_TABLE and DRAFT(s)[0, keys.A_LOAN_CAP] < ASSET_RULE(s)[row, keys.A_LOAN_CAP]:
        machine.capping[0] = 1
    was = ASSET_RULE(s)[row, keys.A_RATE_KIND] if kind == ASSET_TABLE and not new else KINK
    write_rule(s, kind, row)
    if not new and parameters.ramped_keys(kind):
        plan_ramp(s, kind, row, ramps)
    if kind == ASSET_TABLE and (new or ASSET_RULE(s)[row, keys.A_INTEREST_INTERVAL_NS] != old_wait):
        plan_interest(s, row)
    if kind == MARKET_TABLE:
        rule = MARKET_RULE(s)
        if rule[row, keys.M_EXPIRY_NS] != old_expiry or rule[row, keys.M_SETTLE_WINDOW_NS] != old_window:
            plan_settlement(s, row)
    if not new:
        after_change(s, kind, row, old_interval, old_sample, old_state)
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
    if kind == ASSET_TABLE or kind == MARKET_TABLE:
        count_excess(s)
    margin = OWNER_RULE(s)[row, keys.O_MARGIN] if kind == OWNER_TABLE else 0
    say(s, CONFIGURED, kind, row, 0, 0, 0, 0, 0, margin, 0, new, 0, 0, 0)
    if kind == ARRAY_TABLE:
        say_array(s, row)
    if kind == ASSET_TABLE:
        begin_rate(s, row, was)
    if kind == FEED_TABLE and not new:
        if FEED_RULE(s)[row, keys.F_HAS_POLICY] == 0:
            forget_policy(s, row)
        refresh_feed(s, row)
        refresh_pairs(s)
    if of_pool or gains:
        begin_pool(s, row)
    return no.NONE
