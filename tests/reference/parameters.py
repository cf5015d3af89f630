"""CONFIGURE: keys, ranges, what is fixed, and what must agree. See docs/concepts/money.md (the last paragraph)."""

from math import isqrt

from steelyard.model import events, reject
from steelyard.model.commands import ASSET, CURVE, FEED, MARKET, OWNER, RISK_ARRAY, RISK_TIER
from steelyard.model.keys import (
    A_EXCESS_PPM,
    A_FEED,
    A_FROZEN,
    A_INTEREST_INTERVAL_NS,
    A_ISSUES,
    A_LOAN_CAP,
    A_POOL_GAINS,
    A_POOL_KIND,
    A_POOL_OF,
    A_RATE_BASE_PPM,
    A_RATE_KIND,
    A_RATE_KINK_PPM,
    A_RATE_MAX_PPM,
    A_RATE_MIN_PPM,
    A_RATE_SPEED_PPM,
    A_SUPPLY_MAX,
    A_TIER_MAINTAIN_PPM,
    A_TIER_OPEN_PPM,
    A_TIER_UPPER,
    A_TIERS,
    ARRAY_KEYS,
    ARRAY_VALUE_MISSING,
    ARRAY_WIDTH,
    ASSET_KEYS,
    ASSET_WIDTH,
    CURVE_KEYS,
    CURVE_WIDTH,
    F_BELIEVES,
    F_DEMANDS,
    F_DIVERGENCE_MAX_PPM,
    F_HAS_POLICY,
    F_POLICIES,
    F_QUORUM,
    F_STEP_NS,
    F_STEP_PPM,
    F_STRICT_QUORUM,
    F_WEIGHT,
    F_WIDENS,
    F_WINDOW_NS,
    FEED_KEYS,
    FEED_WIDTH,
    M_ATOMS_PER_TICK_LOT,
    M_BASE,
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKET_OPEN_PPM,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_BY_ARRAY,
    M_DATED,
    M_DEDUCT_MAINTAIN,
    M_DEDUCT_OPEN,
    M_EXCESS_PPM,
    M_EXPIRY_NS,
    M_FEE_TIERS,
    M_FEED,
    M_FUNDING_INTERVAL_NS,
    M_GRACE_NS,
    M_GROUP,
    M_HAS_SIZE,
    M_KIND,
    M_LIQUIDATION_FEE_PPM,
    M_LOT_ATOMS,
    M_MAKER_PPM,
    M_OI_LOWER_LOTS,
    M_OI_UPPER_LOTS,
    M_ORDER_LOTS_MAX,
    M_PAID,
    M_PAYER,
    M_POSITION_LOTS_MAX,
    M_RESTORE_PPM,
    M_SAMPLE_INTERVAL_NS,
    M_SETTLE,
    M_SETTLE_PRICE,
    M_SETTLE_WINDOW_NS,
    M_SIZE_MAINTAIN_PPM,
    M_SIZE_MAINTAIN_ROOT,
    M_SIZE_MAINTAIN_SLOPE,
    M_SIZE_OPEN_PPM,
    M_SIZE_OPEN_ROOT,
    M_SIZE_OPEN_SLOPE,
    M_STATE,
    M_TAKER_PPM,
    M_TICKS_MAX,
    M_TICKS_MIN,
    MARKET_KEYS,
    MARKET_WIDTH,
    O_MARGIN,
    O_RISK_TIER,
    OWNER_KEYS,
    OWNER_WIDTH,
    S_IS_SET,
    S_OPEN_PPM,
    S_VALUE,
    S_WORST_LONG,
    S_WORST_SHORT,
    T_PRODUCTS,
    TIER_KEYS,
    TIER_WIDTH,
    UNIT,
)
from steelyard.model.orders import (
    ACTIONS,
    ADAPTIVE,
    BELIEVE_STEADY,
    BY_POSITION,
    BY_SCENARIO,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    HALTED,
    KINK,
    LENDS,
    LINEAR,
    OPEN,
    PEG,
    PRODUCT_PORTFOLIO,
    SETTLED,
    SPOT,
    SYSTEM_OWNER,
    WIDEN_AVERAGE,
)
from steelyard.num.limits import (
    AMOUNT_MAX,
    ASSET_PRICE_SCALE,
    BRACKETS_MAX,
    LOT_WORTH_MAX,
    NOTICE_NS,
    NOTIONAL_MAX,
    PPM,
    SCENARIOS,
    SOURCES_MAX,
    TIME_NS_MAX,
    VALUE_MAX,
)
from steelyard.state.tables import MARKET_0
from tests.reference import interest, ladders, money, pool, prices, ramps, stakes
from tests.reference.funding import schedule
from tests.reference.health import bracket_requirement, may_open, size_requirement
from tests.reference.numbers import down, is_inverse, largest_position, largest_worth, part_down, part_up
from tests.reference.rows import Asset, Feed, Market

ROUNDING_ATOMS = 2  # between restore and open

KEYS = {ASSET: ASSET_KEYS, FEED: FEED_KEYS, MARKET: MARKET_KEYS, RISK_TIER: TIER_KEYS, OWNER: OWNER_KEYS}
KEYS |= {CURVE: CURVE_KEYS, RISK_ARRAY: ARRAY_KEYS}
WIDTHS = {ASSET: ASSET_WIDTH, FEED: FEED_WIDTH, MARKET: MARKET_WIDTH, RISK_TIER: TIER_WIDTH, OWNER: OWNER_WIDTH}
WIDTHS |= {CURVE: CURVE_WIDTH, RISK_ARRAY: ARRAY_WIDTH}
UNKNOWN = {
    ASSET: reject.ASSET_UNKNOWN,
    FEED: reject.FEED_UNKNOWN,
    MARKET: reject.MARKET_UNKNOWN,
    RISK_TIER: reject.OWNER_UNKNOWN,
    OWNER: reject.OWNER_UNKNOWN,
    CURVE: reject.CURVE_UNKNOWN,
    RISK_ARRAY: reject.MARKET_UNKNOWN,
}


def key_table(kind):
    """{key: (low, high, default, fixed)}"""
    return {key + i: rule for (key, count), rule in KEYS[kind].items() for i in range(count)}


KEY_TABLES = {kind: key_table(kind) for kind in KEYS}


def defaults(kind):
    rule = [0] * WIDTHS[kind]
    for key, (_, _, default, _) in KEY_TABLES[kind].items():
        rule[key] = default
    return rule


def configure(twin, rows):
    kind, row = rows[0].account, rows[0].market
    twin.require(kind in KEYS, reject.FIELD_OUT_OF_RANGE, row=rows[0])
    table = twin.table_of(kind)
    twin.require(row in table or (row == 0 and kind != RISK_ARRAY), UNKNOWN[kind], row=rows[0])
    new = row == 0
    rule = defaults(kind) if new else list(twin.rule_of(kind, row))
    if kind == RISK_ARRAY:
        rule = begin_array(rule)
    can_ramp = not new and kind in (ASSET, MARKET)
    if can_ramp:
        rule = ramps.wanted_rule(kind, rule, table[row].ramp)
    for each in rows:
        twin.require((each.account, each.market) == (kind, row), reject.INCOMPLETE_COMMAND, row=each)
        key, wanted = each.order, each.lots
        twin.require(key in KEY_TABLES[kind], reject.KEY_UNKNOWN, row=each)
        low, high, _, fixed = KEY_TABLES[kind][key]
        twin.require(low <= wanted <= high, reject.PARAMETER_OUT_OF_RANGE, row=each)
        twin.require(new or not fixed, reject.PARAMETER_IS_FIXED, row=each)
        rule[key] = wanted
    place = len(table) + 1 if new else row
    if kind == MARKET:
        compute_deductions(rule)
    if kind == FEED:
        rule[F_HAS_POLICY] = int(any(rule[F_POLICIES:F_HAS_POLICY]))
    wrong = CHECKS[kind](twin, rule, place)
    begins_pool = new and kind == ASSET and rule[A_POOL_OF]
    gains = new and kind == ASSET and rule[A_POOL_GAINS]
    staked = gains or (begins_pool and rule[A_POOL_KIND] != LENDS)
    if wrong is None and begins_pool and not staked:
        operators = pool.first_shares(pool.assets_of(twin, rule[A_POOL_OF]))
        wrong = A_SUPPLY_MAX if operators > rule[A_SUPPLY_MAX] else None
    twin.require(wrong is None, reject.PARAMETERS_DISAGREE, row=rows[0], order=wrong)
    twin.require(not new or len(table) < twin.room_of(kind), reject.ROWS_FULL, row=rows[0])
    if kind == OWNER:
        check_margin(twin, rule, row, rows[0])
    if staked:
        twin.require(len(twin.accounts) < twin.limits.accounts, reject.ACCOUNTS_FULL, row=rows[0])
        twin.require(twin.has_room_in_table(2), reject.LEGS_FULL, row=rows[0])
    ways = None
    if can_ramp:
        rule, ways = ramps.hold_back(twin, kind, list(twin.rule_of(kind, row)), rule)
        if kind == MARKET:
            compute_deductions(rule)
        wrong = CHECKS[kind](twin, rule, place) if ways else None
        twin.require(wrong is None, reject.PARAMETERS_DISAGREE, row=rows[0], order=wrong)
    followed = KINK if kind != ASSET or new else twin.assets[place].rule[A_RATE_KIND]
    APPLY[kind](twin, rule, place, new)
    if can_ramp:
        ramps.begin(twin, kind, table[row], ways)
    margin = rule[O_MARGIN] if kind == OWNER else 0
    twin.emit(events.CONFIGURED, account=kind, market=place, amount=margin, extra=int(new))
    for first in range(0, 20, 5) if kind == RISK_ARRAY else ():
        told = dict(zip(("lots", "amount", "fee", "extra", "extra2"), (rule[first + i] for i in range(5)), strict=True))
        twin.emit(events.RISK_ARRAY_SET, market=place, order=first, **told)
    if kind == ASSET:
        interest.begin_rate(twin, place, followed)
    if kind == FEED and not new:
        if not rule[F_HAS_POLICY]:
            prices.forget_policy(twin.feeds[place])
        prices.recompute(twin, place)
        prices.recompute_pairs(twin)
    if begins_pool or gains:
        pool.begin(twin, place)


# --- Relations: the key that disagrees, or None -----------------------------------------------------------------------


def is_special(rule):
    """A share, or something that gains."""
    return rule[A_POOL_OF] or rule[A_POOL_GAINS]


def check_asset(twin, rule, row):
    tiers = rule[A_TIERS]
    for i in range(1, tiers):
        if rule[A_TIER_UPPER + i] <= rule[A_TIER_UPPER + i - 1]:
            return A_TIER_UPPER + i
    for i in range(tiers):
        if rule[A_TIER_OPEN_PPM + i] > rule[A_TIER_MAINTAIN_PPM + i]:
            return A_TIER_OPEN_PPM + i
    for i in range(1, tiers):
        for weights in (A_TIER_OPEN_PPM, A_TIER_MAINTAIN_PPM):
            if rule[weights + i] > rule[weights + i - 1]:
                return weights + i
    lent = rule[A_POOL_OF]
    if lent:
        mine = row in twin.assets
        if lent not in twin.assets or lent >= row or twin.assets[lent].rule[A_POOL_OF]:
            return A_POOL_OF
        if not mine and rule[A_POOL_KIND] == LENDS and pool.share_of(twin, lent) and not pool.is_emptied(twin, lent):
            return A_POOL_OF
        if rule[A_LOAN_CAP]:
            return A_LOAN_CAP
        if rule[A_FROZEN]:
            return A_FROZEN
    elif rule[A_POOL_KIND]:
        return A_POOL_KIND
    wrong = stakes.check_gains(twin, rule, row)
    if wrong is not None:
        return wrong
    claims = rule[A_ISSUES]
    if claims and (lent or claims in (1, row) or claims not in twin.assets or is_special(twin.assets[claims].rule)):
        return A_ISSUES
    if (rule[A_FEED] == 0) != (row == 1 or lent > 0):
        return A_FEED
    if rule[A_FEED] and not feed_is_free(twin, rule[A_FEED], row, is_market=0):
        return A_FEED
    if row == 1 and (tiers, rule[A_TIER_OPEN_PPM], rule[A_TIER_MAINTAIN_PPM]) != (1, PPM, PPM):
        return A_TIERS
    if row == 1 and rule[A_EXCESS_PPM]:
        return A_EXCESS_PPM
    wrong = check_rate(rule)
    return ladders.check_ladder(twin, rule) if wrong is None else wrong


def check_rate(rule):
    kind = rule[A_RATE_KIND]
    if kind not in (ADAPTIVE, PEG):
        return None
    low, first, high = rule[A_RATE_MIN_PPM], rule[A_RATE_BASE_PPM], rule[A_RATE_MAX_PPM]
    if low > high:
        return A_RATE_MIN_PPM
    if not low <= first <= high:
        return A_RATE_BASE_PPM
    if kind == ADAPTIVE and rule[A_RATE_KINK_PPM] == PPM:
        return A_RATE_KINK_PPM
    if kind == ADAPTIVE and rule[A_RATE_SPEED_PPM] * rule[A_INTEREST_INTERVAL_NS] > PPM * interest.YEAR:
        return A_RATE_SPEED_PPM
    return None


def feed_is_free(twin, row, user, is_market):
    feed = twin.feeds.get(row)
    return feed is not None and (feed.user == 0 or (feed.user, feed.user_is_market) == (user, is_market))


def check_feed(_, rule, __):
    listened = sum(rule[F_WEIGHT + source] > 0 for source in range(SOURCES_MAX))
    averaged, bounded = rule[F_WINDOW_NS] > 0, rule[F_DIVERGENCE_MAX_PPM] > 0
    if rule[F_QUORUM] > listened:
        return F_QUORUM
    if rule[F_STRICT_QUORUM] > listened:
        return F_STRICT_QUORUM
    if rule[F_STEP_PPM] and not rule[F_STEP_NS]:
        return F_STEP_NS
    if not averaged and (rule[F_BELIEVES] or rule[F_WIDENS] & WIDEN_AVERAGE):
        return F_WINDOW_NS
    if rule[F_BELIEVES] == BELIEVE_STEADY and not bounded:
        return F_DIVERGENCE_MAX_PPM
    for demands in rule[F_DEMANDS : F_DEMANDS + ACTIONS]:
        if demands & DEMAND_QUORUM and not rule[F_STRICT_QUORUM]:
            return F_STRICT_QUORUM
        if demands & DEMAND_STEADY and not averaged:
            return F_WINDOW_NS
        if demands & DEMAND_STEADY and not bounded:
            return F_DIVERGENCE_MAX_PPM
    return None


def check_tier(_, __, ___):
    return None


def check_owner(twin, rule, _):
    return None if rule[O_RISK_TIER] in twin.tiers else O_RISK_TIER


def check_kind(twin, rule, row):
    if rule[M_KIND] != SPOT:
        if rule[M_BASE]:
            return M_BASE
        if rule[M_PAID] and (rule[M_KIND] != LINEAR or rule[M_SETTLE] != UNIT):
            return M_PAID
        if rule[M_PAID] and rule[M_FUNDING_INTERVAL_NS]:
            return M_FUNDING_INTERVAL_NS
        return None if feed_is_free(twin, rule[M_FEED], row, is_market=1) else M_FEED
    if rule[M_BASE] not in twin.assets or rule[M_BASE] == rule[M_SETTLE]:
        return M_BASE
    if twin.assets[rule[M_BASE]].rule[A_POOL_OF]:
        return M_BASE
    if rule[M_PAID]:
        return M_PAID
    if rule[M_TICKS_MIN] != 1:
        return M_TICKS_MIN
    if rule[M_FEED]:
        return M_FEED
    if rule[M_FUNDING_INTERVAL_NS]:
        return M_FUNDING_INTERVAL_NS
    return M_LOT_ATOMS if rule[M_LOT_ATOMS] * rule[M_POSITION_LOTS_MAX] > AMOUNT_MAX else None


def check_dates(twin, rule, market):
    """Notice is given of a new expiry; one that is reached stays, and what has settled stays settled."""
    wanted = rule[M_EXPIRY_NS]
    if market is None:
        agreed = rule[M_SETTLE_PRICE]
        if agreed and not (wanted and rule[M_TICKS_MIN] <= agreed <= rule[M_TICKS_MAX]):
            return M_SETTLE_PRICE
        in_order = not wanted or (wanted > twin.now and rule[M_KIND] != SPOT)
        return None if in_order else M_EXPIRY_NS
    held = market.rule
    if held[M_STATE] == SETTLED != rule[M_STATE]:
        return M_STATE
    if wanted == held[M_EXPIRY_NS] and (not wanted or rule[M_SETTLE_WINDOW_NS] == held[M_SETTLE_WINDOW_NS]):
        return None
    reached = held[M_EXPIRY_NS] and twin.now >= held[M_EXPIRY_NS]
    withdrawn = held[M_DATED] and not wanted
    too_soon = wanted and (rule[M_KIND] == SPOT or wanted < twin.now + NOTICE_NS)
    return M_EXPIRY_NS if reached or withdrawn or too_soon else None


def check_market(twin, rule, row):
    brackets, restore = rule[M_BRACKETS], rule[M_RESTORE_PPM]
    if rule[M_SETTLE] not in twin.assets or twin.assets[rule[M_SETTLE]].rule[A_POOL_OF]:
        return M_SETTLE
    wrong = check_kind(twin, rule, row) or check_dates(twin, rule, twin.markets.get(row))
    if wrong is not None:
        return wrong
    if rule[M_TICKS_MIN] > rule[M_TICKS_MAX]:
        return M_TICKS_MIN
    lot, highest = rule[M_ATOMS_PER_TICK_LOT], rule[M_TICKS_MAX]
    if is_inverse(rule) and (lot < highest or largest_worth(rule, 1) > LOT_WORTH_MAX):
        return M_ATOMS_PER_TICK_LOT
    largest = largest_position(rule)
    if largest > NOTIONAL_MAX or down(twin.assets[rule[M_SETTLE]].price * largest, ASSET_PRICE_SCALE) > VALUE_MAX:
        return M_POSITION_LOTS_MAX
    if rule[M_ORDER_LOTS_MAX] > rule[M_POSITION_LOTS_MAX]:
        return M_ORDER_LOTS_MAX
    if row in twin.markets and twin.arrays[row][S_IS_SET]:
        if rule[M_RESTORE_PPM] > twin.arrays[row][S_OPEN_PPM]:
            return M_RESTORE_PPM
        if rule[M_GROUP] != twin.markets[row].rule[M_GROUP]:
            return M_GROUP
    if rule[M_OI_UPPER_LOTS] and rule[M_OI_UPPER_LOTS] <= rule[M_OI_LOWER_LOTS]:
        return M_OI_UPPER_LOTS
    if rule[M_FUNDING_INTERVAL_NS] % rule[M_SAMPLE_INTERVAL_NS]:
        return M_FUNDING_INTERVAL_NS
    if rule[M_KIND] == SPOT and rule[M_EXCESS_PPM]:
        return M_EXCESS_PPM
    wrong = stakes.check_payers(twin, rule, M_PAYER, rule[M_SETTLE])
    if wrong is not None:
        return wrong
    for i in range(1, brackets):
        if rule[M_BRACKET_UPPER + i] <= rule[M_BRACKET_UPPER + i - 1]:
            return M_BRACKET_UPPER + i
        for rates in (M_BRACKET_MAINTAIN_PPM, M_BRACKET_OPEN_PPM):
            if rule[rates + i] < rule[rates + i - 1]:
                return rates + i
    for notional in rule[M_BRACKET_UPPER : M_BRACKET_UPPER + brackets]:
        maintain = bracket_requirement(rule, notional, M_BRACKET_MAINTAIN_PPM, M_DEDUCT_MAINTAIN)
        opening = bracket_requirement(rule, notional, M_BRACKET_OPEN_PPM, M_DEDUCT_OPEN)
        if part_up(maintain, restore) > opening + ROUNDING_ATOMS:
            return M_RESTORE_PPM
    for i in (0, brackets - 1):  # the first and the last slope
        if rule[M_BRACKET_MAINTAIN_PPM + i] * restore > rule[M_BRACKET_OPEN_PPM + i] * PPM:
            return M_RESTORE_PPM
    if rule[M_LIQUIDATION_FEE_PPM] * PPM >= rule[M_BRACKET_MAINTAIN_PPM] * restore:
        return M_LIQUIDATION_FEE_PPM
    wrong = check_sizes(rule)
    if wrong is not None:
        return wrong
    tiers = rule[M_FEE_TIERS]
    if min(rule[M_TAKER_PPM : M_TAKER_PPM + tiers]) + min(rule[M_MAKER_PPM : M_MAKER_PPM + tiers]) < 0:
        return M_MAKER_PPM
    return None


def begin_array(before):
    """What a set starts from: no values, and the rest as it is."""
    rule = defaults(RISK_ARRAY)
    if before[S_IS_SET]:
        rule[SCENARIOS:] = before[SCENARIOS:]
    return rule


def check_array(twin, rule, row):
    market, values = twin.markets[row].rule, rule[S_VALUE : S_VALUE + SCENARIOS]
    for key in range(S_OPEN_PPM):
        too_wide = abs(rule[key]) * market[M_POSITION_LOTS_MAX] > NOTIONAL_MAX * PPM
        if market[M_KIND] == SPOT or rule[key] == ARRAY_VALUE_MISSING or too_wide:
            return key
    if rule[S_OPEN_PPM] < market[M_RESTORE_PPM]:
        return S_OPEN_PPM
    rule[S_IS_SET], rule[S_WORST_LONG], rule[S_WORST_SHORT] = 1, min(values), max(values)
    return None


def check_margin(twin, rule, owner, row):
    """An owner that is to be margined another way: may every account open what it has?"""
    before = twin.owners[owner][O_MARGIN] if owner else BY_POSITION
    if rule[O_MARGIN] == before:
        return
    if rule[O_MARGIN] == BY_SCENARIO:
        allowed = owner != SYSTEM_OWNER and twin.tiers[rule[O_RISK_TIER]][T_PRODUCTS] & PRODUCT_PORTFOLIO
        twin.require(allowed, reject.TIER_FORBIDS_PRODUCT, row=row)
    for account in sorted(twin.accounts_of(owner), reverse=True) if owner else ():
        twin.require(not twin.accounts[account].queued, reject.ACCOUNT_IN_LIQUIDATION, row=row)
        for thing, leg in twin.legs_of(account).items():
            if rule[O_MARGIN] == BY_SCENARIO and thing > MARKET_0 and not twin.markets[thing - MARKET_0].rule[M_BASE]:
                used = leg.quantity or twin.open_orders(account, thing - MARKET_0)
                twin.require(not used or twin.arrays[thing - MARKET_0][S_IS_SET], reject.RISK_ARRAY_MISSING, row=row)
        kept = twin.owners[owner]
        twin.owners[owner] = [*kept[:O_MARGIN], rule[O_MARGIN], *kept[O_MARGIN + 1 :]]
        enough = may_open(twin, twin.legs_of(account))
        twin.owners[owner] = kept
        twin.require(enough, reject.OPENING_MARGIN_EXCEEDED, row=row)


def check_sizes(rule):
    """Part by part restore is at most open, and never more than the notional."""
    restore = rule[M_RESTORE_PPM]
    if rule[M_BY_ARRAY]:
        if not rule[M_PAID]:
            return M_BY_ARRAY
        for key in range(M_SIZE_MAINTAIN_PPM, M_HAS_SIZE):
            if rule[key]:
                return key
    for maintain, opening in ((M_SIZE_MAINTAIN_PPM, M_SIZE_OPEN_PPM), (M_SIZE_MAINTAIN_SLOPE, M_SIZE_OPEN_SLOPE)):
        if rule[maintain] * restore > rule[opening] * PPM:
            return opening
    root = rule[M_SIZE_MAINTAIN_ROOT]
    if root and (isqrt(root - 1) + 2) * restore > isqrt(rule[M_SIZE_OPEN_ROOT]) * PPM:
        return M_SIZE_OPEN_ROOT
    most = size_requirement(rule, M_SIZE_MAINTAIN_PPM, rule[M_POSITION_LOTS_MAX], 10**12)
    return M_SIZE_MAINTAIN_PPM if most * restore > 10**12 * PPM else None


CHECKS = {ASSET: check_asset, FEED: check_feed, MARKET: check_market, RISK_TIER: check_tier, OWNER: check_owner}
CHECKS |= {CURVE: ladders.check_curve, RISK_ARRAY: check_array}


def compute_deductions(rule):
    """What makes B(N) continuous from bracket to bracket, and whether size matters."""
    rule[M_HAS_SIZE] = 2 if rule[M_BY_ARRAY] else int(any(rule[M_SIZE_MAINTAIN_PPM:M_HAS_SIZE]))
    for rates, deductions in ((M_BRACKET_MAINTAIN_PPM, M_DEDUCT_MAINTAIN), (M_BRACKET_OPEN_PPM, M_DEDUCT_OPEN)):
        rule[deductions : deductions + BRACKETS_MAX] = [0] * BRACKETS_MAX
        for i in range(1, rule[M_BRACKETS]):
            rise = rule[rates + i] - rule[rates + i - 1]
            step = part_down(rule[M_BRACKET_UPPER + i - 1], rise)
            rule[deductions + i] = rule[deductions + i - 1] + step


# --- Applying ---------------------------------------------------------------------------------------------------------


def apply_asset(twin, rule, row, new):
    if not new:
        before = twin.assets[row].rule
        if rule[A_LOAN_CAP] < before[A_LOAN_CAP]:
            twin.capping = 1
        interest.accrue(twin, row)
        if rule[A_FROZEN] != before[A_FROZEN]:
            if not rule[A_POOL_OF]:
                ladders.settle_active_time(twin, row)
            money.retry_conversions(twin)
        twin.assets[row].rule = rule
        if rule[A_INTEREST_INTERVAL_NS] != before[A_INTEREST_INTERVAL_NS]:
            interest.schedule(twin, twin.assets[row])
        return
    if rule[A_POOL_OF]:
        asset = twin.assets[row] = pool.Share(rule, accrued_ns=twin.now, active_at_ns=twin.now, twin=twin, row=row)
    else:
        asset = twin.assets[row] = Asset(rule, accrued_ns=twin.now, active_at_ns=twin.now)
    if row == 1:
        asset.price, asset.fresh_until_ns = ASSET_PRICE_SCALE, TIME_NS_MAX
    elif rule[A_FEED]:
        take_feed(twin, rule[A_FEED], row, is_market=0)
    interest.schedule(twin, asset)


def apply_feed(twin, rule, row, new):
    if new:
        twin.feeds[row] = Feed(rule)
    else:
        twin.feeds[row].rule = rule


def apply_tier(twin, rule, row, _):
    twin.tiers[row] = rule


def apply_curve(twin, rule, row, _):
    twin.curves[row] = rule


def apply_array(twin, rule, row, _):
    twin.arrays[row] = rule


def apply_owner(twin, rule, row, _):
    twin.owners[row] = rule


def apply_market(twin, rule, row, new):
    if new:
        rule[M_DATED] = int(rule[M_EXPIRY_NS] != 0)
        market = twin.markets[row] = Market(row, rule)
        twin.arrays[row] = [0] * ARRAY_WIDTH
        change_state(twin, market, HALTED if rule[M_STATE] == HALTED else OPEN)
        if rule[M_KIND] != SPOT:
            take_feed(twin, rule[M_FEED], row, is_market=1)
        schedule(market, twin.now)
        return
    market = twin.markets[row]
    intervals = (M_FUNDING_INTERVAL_NS, M_SAMPLE_INTERVAL_NS)
    changed = any(market.rule[key] != rule[key] for key in intervals)
    if any(market.rule[key] != rule[key] for key in (M_EXPIRY_NS, M_SETTLE_WINDOW_NS)):
        market.index_sum = market.index_micros = 0
    before, market.rule = market.rule[M_STATE], rule
    change_state(twin, market, before)
    if changed:
        schedule(market, twin.now)


def change_state(twin, market, before):
    """After a halt liquidation waits for a while."""
    grace = market.rule[M_GRACE_NS]
    if market.rule[M_STATE] == HALTED:
        market.calm_ns = TIME_NS_MAX if grace else 0
    elif before == HALTED:
        market.calm_ns = twin.now + grace if grace else 0


def take_feed(twin, row, user, is_market):
    """The feed starts empty."""
    twin.feeds[row] = Feed(twin.feeds[row].rule, user=user, user_is_market=is_market)


APPLY = {ASSET: apply_asset, FEED: apply_feed, MARKET: apply_market, RISK_TIER: apply_tier, OWNER: apply_owner}
APPLY |= {CURVE: apply_curve, RISK_ARRAY: apply_array}
