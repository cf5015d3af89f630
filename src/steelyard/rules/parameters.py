"""Relations between parameters: what CONFIGURE checks before a set applies. Answers are the key that disagrees, or -1.

Promises
- takeover <= maintain <= restore <= open at every notional (the last to two atoms of rounding).
- Closing a lot frees more than its fee costs.
- A rebate is never larger than the fee taken beside it.
- No position of an allowed size at an allowed price exceeds the widths of num/limits.py.
"""

from steelyard.model.commands import ASSET as ASSET_TABLE
from steelyard.model.commands import MARKET as MARKET_TABLE
from steelyard.model.keys import (
    A_BORROW_WEIGHT_PPM,
    A_EXCESS_PPM,
    A_FEED,
    A_FROZEN,
    A_INTEREST_INTERVAL_NS,
    A_ISSUES,
    A_LOAN_CAP,
    A_PAYER,
    A_POOL_COOL_NS,
    A_POOL_FEE_PPM,
    A_POOL_GAINS,
    A_POOL_KIND,
    A_POOL_OF,
    A_RATE_BASE_PPM,
    A_RATE_KIND,
    A_RATE_KINK_PPM,
    A_RATE_MAX_PPM,
    A_RATE_MIN_PPM,
    A_RATE_SPEED_PPM,
    A_TIER_MAINTAIN_PPM,
    A_TIER_OPEN_PPM,
    A_TIER_UPPER,
    A_TIERS,
    ARRAY_VALUE_MISSING,
    F_BELIEVES,
    F_DEMANDS,
    F_DIVERGENCE_MAX_PPM,
    F_QUORUM,
    F_STEP_NS,
    F_STEP_PPM,
    F_STRICT_QUORUM,
    F_WEIGHT,
    F_WIDENS,
    F_WINDOW_NS,
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
    M_GROUP,
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
    O_RISK_TIER,
    R_UNTIL_NS,
    S_IS_SET,
    S_OPEN_PPM,
    SIZE_RATES,
    UNIT,
)
from steelyard.model.orders import (
    ABSORBS,
    ACTIONS,
    ADAPTIVE,
    BACKS,
    BELIEVE_NOW,
    BELIEVE_STEADY,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    FROM_FUND,
    INVERSE,
    LENDS,
    LINEAR,
    SETTLED,
    SPOT,
    WIDEN_AVERAGE,
)
from steelyard.num import kernel, leaf
from steelyard.num.limits import (
    AMOUNT_MAX,
    ASSET_PRICE_SCALE,
    BRACKETS_MAX,
    COLLATERAL_TIERS_MAX,
    INT64_MAX,
    LOT_WORTH_MAX,
    NOTICE_NS,
    NOTIONAL_MAX,
    PAYERS_MAX,
    PPM,
    SIZE_SCALE,
    SOURCES_MAX,
    VALUE_MAX,
    YEAR_NS,
)
from steelyard.num.rounding import mul_div_down, mul_div_up, ppm_up, root_up
from steelyard.num.wide import multiply, product_is_less
from steelyard.rules.interest import holds_rate
from steelyard.rules.pool import absorbing_pool, is_emptied, is_spent
from steelyard.rules.requirement import maintain_atoms
from steelyard.rules.size_rates import rate_of
from steelyard.state.tables import (
    ARRAY_RULE,
    ASSET,
    ASSET_RULE,
    DRAFT,
    FEED,
    L_ASSETS,
    LAYOUT,
    MACHINE,
    MARKET_RULE,
    RAMP,
)

AGREE = -1
ROUNDINGS = 2  # atoms by which roundings alone may lift restore above open


@leaf
def ramped_keys(kind):
    """How many keys of a table ramp when they tighten."""
    if kind == MARKET_TABLE:
        return BRACKETS_MAX + SIZE_RATES
    return COLLATERAL_TIERS_MAX + 2 if kind == ASSET_TABLE else 0


@leaf
def ramp_key(kind, place):
    if kind == MARKET_TABLE:
        return M_BRACKET_MAINTAIN_PPM + place if place < BRACKETS_MAX else M_SIZE_MAINTAIN_PPM + place - BRACKETS_MAX
    if place < COLLATERAL_TIERS_MAX:
        return A_TIER_MAINTAIN_PPM + place
    return A_BORROW_WEIGHT_PPM if place == COLLATERAL_TIERS_MAX else A_LOAN_CAP


@leaf
def is_step(kind, place):
    """Whether a ramped key is the rate of a bracket or the weight of a tier."""
    return place < (BRACKETS_MAX if kind == MARKET_TABLE else COLLATERAL_TIERS_MAX)


@leaf
def tightening(kind, place):
    """The direction in which a ramped key asks for more."""
    return 1 if kind == MARKET_TABLE or place == COLLATERAL_TIERS_MAX else -1


@leaf
def ramp_row(s, kind, row):
    return row if kind == ASSET_TABLE else LAYOUT(s)[L_ASSETS] + row


@leaf
def in_force(s, kind, row, key):
    return MARKET_RULE(s)[row, key] if kind == MARKET_TABLE else ASSET_RULE(s)[row, key]


@leaf
def is_ramping(s, kind, row):
    return ramped_keys(kind) != 0 and RAMP(s)[ramp_row(s, kind, row), R_UNTIL_NS] != 0


@kernel
def on_the_way(origin, target, elapsed, total):
    """Where a ramped key is: rounded towards where it came from."""
    if target >= origin:
        return origin + mul_div_down(target - origin, elapsed, total)
    return origin - mul_div_down(origin - target, elapsed, total)


@kernel
def steps_differ(s, kind, row):
    """Whether the draft has other brackets or tiers than the rule: another number, or other ends."""
    draft = DRAFT(s)
    number, upper = (M_BRACKETS, M_BRACKET_UPPER) if kind == MARKET_TABLE else (A_TIERS, A_TIER_UPPER)
    if draft[0, number] != in_force(s, kind, row, number):
        return True
    for i in range(draft[0, number]):
        if draft[0, upper + i] != in_force(s, kind, row, upper + i):
            return True
    return False


@kernel
def draft_haircut(s, amount):
    """What of an amount the draft's tiers do not count, rounded up tier by tier."""
    draft, total, below = DRAFT(s), 0, 0
    for i in range(draft[0, A_TIERS]):
        end = min(amount, draft[0, A_TIER_UPPER + i])
        if end > below:
            total += ppm_up(end - below, PPM - draft[0, A_TIER_MAINTAIN_PPM + i])
            below = end
    return total + amount - below


@kernel
def rule_haircut(s, row, amount):
    """The same by the rule in force."""
    rule, total, below = ASSET_RULE(s), 0, 0
    for i in range(rule[row, A_TIERS]):
        end = min(amount, rule[row, A_TIER_UPPER + i])
        if end > below:
            total += ppm_up(end - below, PPM - rule[row, A_TIER_MAINTAIN_PPM + i])
            below = end
    return total + amount - below


@leaf
def draft_atoms(s, notional, rates, deductions):
    """B(N) of the schedule in the draft."""
    draft = DRAFT(s)
    last = draft[0, M_BRACKETS] - 1
    i = 0
    while i < last and notional > draft[0, M_BRACKET_UPPER + i]:
        i += 1
    return ppm_up(notional, draft[0, rates + i]) - draft[0, deductions + i]


@leaf
def asks_for_more_at(s, kind, row, size):
    if kind == ASSET_TABLE:
        return draft_haircut(s, size) > rule_haircut(s, row, size) + ROUNDINGS
    return draft_atoms(s, size, M_BRACKET_MAINTAIN_PPM, M_DEDUCT_MAINTAIN) > maintain_atoms(s, row, size) + ROUNDINGS


@kernel
def steps_ask_for_more(s, kind, row):
    """Whether the draft's steps require more somewhere. Both are made of lines: ends, first and last slopes decide."""
    draft = DRAFT(s)
    number, upper = (M_BRACKETS, M_BRACKET_UPPER) if kind == MARKET_TABLE else (A_TIERS, A_TIER_UPPER)
    for i in range(draft[0, number]):
        if asks_for_more_at(s, kind, row, draft[0, upper + i]):
            return True
    for i in range(in_force(s, kind, row, number)):
        if asks_for_more_at(s, kind, row, in_force(s, kind, row, upper + i)):
            return True
    if kind == ASSET_TABLE:
        return (
            draft[0, A_TIER_MAINTAIN_PPM] < ASSET_RULE(s)[row, A_TIER_MAINTAIN_PPM]
        )  # beyond the last tier nothing counts
    rule = MARKET_RULE(s)
    last, before = draft[0, M_BRACKETS] - 1, rule[row, M_BRACKETS] - 1
    if draft[0, M_BRACKET_MAINTAIN_PPM] > rule[row, M_BRACKET_MAINTAIN_PPM]:
        return True
    return draft[0, M_BRACKET_MAINTAIN_PPM + last] > rule[row, M_BRACKET_MAINTAIN_PPM + before]


@leaf
def is_feed_free(s, feed, user, is_market):
    """A feed serves one market or asset."""
    table = FEED(s)
    if feed < 1 or feed > MACHINE(s).feeds[0]:
        return False
    return table.user[feed] == 0 or (table.user[feed] == user and table.user_is_market[feed] == is_market)


@kernel
def rate_disagreement(s):
    """A rate that is held begins within its bounds; an adaptive one moves by at most a power of one per interval."""
    draft = DRAFT(s)
    if not holds_rate(draft[0, A_RATE_KIND]):
        return AGREE
    if draft[0, A_RATE_MIN_PPM] > draft[0, A_RATE_MAX_PPM]:
        return A_RATE_MIN_PPM
    base = draft[0, A_RATE_BASE_PPM]
    if base < draft[0, A_RATE_MIN_PPM] or base > draft[0, A_RATE_MAX_PPM]:
        return A_RATE_BASE_PPM
    if draft[0, A_RATE_KIND] != ADAPTIVE:
        return AGREE
    if draft[0, A_RATE_KINK_PPM] == PPM:
        return A_RATE_KINK_PPM
    if mul_div_up(draft[0, A_RATE_SPEED_PPM], draft[0, A_INTEREST_INTERVAL_NS], YEAR_NS) > PPM:
        return A_RATE_SPEED_PPM
    return AGREE


@kernel
def payers_disagreement(s, first, asset):
    """The key of a payer in the draft that cannot pay an asset at its place, or AGREE."""
    draft, rule = DRAFT(s), ASSET_RULE(s)
    for place in range(PAYERS_MAX):
        who = draft[0, first + place]
        if who == 0:
            continue
        if place and draft[0, first + place - 1] == 0:
            return first + place
        if who != FROM_FUND:
            if who > MACHINE(s).assets[0] or rule[who, A_POOL_KIND] != BACKS or rule[who, A_POOL_OF] != asset:
                return first + place
        for earlier in range(place):
            if draft[0, first + earlier] == who:
                return first + place
    return AGREE


@kernel
def asset_disagreement(s, row):
    draft = DRAFT(s)
    tiers = draft[0, A_TIERS]
    for i in range(1, tiers):
        if draft[0, A_TIER_UPPER + i] <= draft[0, A_TIER_UPPER + i - 1]:
            return A_TIER_UPPER + i
    for i in range(tiers):
        if draft[0, A_TIER_OPEN_PPM + i] > draft[0, A_TIER_MAINTAIN_PPM + i]:
            return A_TIER_OPEN_PPM + i
    for i in range(1, tiers):
        if draft[0, A_TIER_OPEN_PPM + i] > draft[0, A_TIER_OPEN_PPM + i - 1]:
            return A_TIER_OPEN_PPM + i
        if draft[0, A_TIER_MAINTAIN_PPM + i] > draft[0, A_TIER_MAINTAIN_PPM + i - 1]:
            return A_TIER_MAINTAIN_PPM + i
    lent = draft[0, A_POOL_OF]
    if lent:
        # A share: of an asset that is none and has no other; never owed, priced by the machine.
        if lent >= row or lent > MACHINE(s).assets[0] or ASSET_RULE(s)[lent, A_POOL_OF]:
            return A_POOL_OF
        is_new = row > MACHINE(s).assets[0]
        if is_new and draft[0, A_POOL_KIND] == LENDS and ASSET(s).pool[lent] and not is_emptied(s, lent):
            return A_POOL_OF
        if draft[0, A_LOAN_CAP]:
            return A_LOAN_CAP
        if draft[0, A_FROZEN]:
            return A_FROZEN
    elif draft[0, A_POOL_KIND]:
        return A_POOL_KIND
    gained = draft[0, A_POOL_GAINS]
    if lent and (draft[0, A_POOL_KIND] == ABSORBS) != (gained != 0):
        return A_POOL_GAINS
    if gained:
        if gained == lent or gained >= row or gained > MACHINE(s).assets[0] or ASSET_RULE(s)[gained, A_POOL_GAINS]:
            return A_POOL_GAINS
        other = absorbing_pool(s, lent, gained) if lent else 0
        if row > MACHINE(s).assets[0] and other and not is_spent(s, other):
            return A_POOL_OF
    if draft[0, A_POOL_KIND] != BACKS and draft[0, A_POOL_COOL_NS]:
        return A_POOL_COOL_NS
    if draft[0, A_POOL_KIND] != BACKS and draft[0, A_POOL_FEE_PPM]:
        return A_POOL_FEE_PPM
    key = payers_disagreement(s, A_PAYER, row)
    if key != AGREE:
        return key
    if draft[0, A_ISSUES] and not may_issue(s, draft[0, A_ISSUES], row, lent):
        return A_ISSUES
    feed = draft[0, A_FEED]
    if (row == 1 or lent != 0) != (feed == 0) or (feed != 0 and not is_feed_free(s, feed, row, 0)):
        return A_FEED
    if row == 1 and (tiers != 1 or draft[0, A_TIER_OPEN_PPM] != PPM or draft[0, A_TIER_MAINTAIN_PPM] != PPM):
        return A_TIERS
    if row == 1 and draft[0, A_EXCESS_PPM]:
        return A_EXCESS_PPM
    return rate_disagreement(s)


@kernel
def may_issue(s, claims, row, lent):
    """Whether the house may issue an asset for debts in the asset of this row."""
    if lent or claims == UNIT or claims == row or claims > MACHINE(s).assets[0]:
        return False
    return ASSET_RULE(s)[claims, A_POOL_OF] == 0 and ASSET_RULE(s)[claims, A_POOL_GAINS] == 0


@kernel
def feed_disagreement(s):
    draft = DRAFT(s)
    listened = 0
    for source in range(SOURCES_MAX):
        if draft[0, F_WEIGHT + source] > 0:
            listened += 1
    if draft[0, F_QUORUM] > listened:
        return F_QUORUM
    if draft[0, F_STRICT_QUORUM] > listened:
        return F_STRICT_QUORUM
    if draft[0, F_STEP_PPM] > 0 and draft[0, F_STEP_NS] == 0:
        return F_STEP_NS
    averaged = draft[0, F_WINDOW_NS] > 0
    if not averaged and (draft[0, F_BELIEVES] != BELIEVE_NOW or draft[0, F_WIDENS] & WIDEN_AVERAGE):
        return F_WINDOW_NS
    bounded = draft[0, F_DIVERGENCE_MAX_PPM] > 0
    if draft[0, F_BELIEVES] == BELIEVE_STEADY and not bounded:
        return F_DIVERGENCE_MAX_PPM
    for action in range(ACTIONS):
        demands = draft[0, F_DEMANDS + action]
        if demands & DEMAND_QUORUM and draft[0, F_STRICT_QUORUM] == 0:
            return F_STRICT_QUORUM
        if demands & DEMAND_STEADY and not averaged:
            return F_WINDOW_NS
        if demands & DEMAND_STEADY and not bounded:
            return F_DIVERGENCE_MAX_PPM
    return AGREE


@kernel
def is_wide_array(s, per_lot, lots):
    """Whether so much a lot would be more than the widest number kept for the largest position."""
    return product_is_less(NOTIONAL_MAX, PPM, abs(per_lot), lots)


@kernel
def array_disagreement(s, market):
    """A whole array, of a market that has positions, within the widths."""
    draft, rule = DRAFT(s), MARKET_RULE(s)
    for key in range(S_OPEN_PPM):
        missing = draft[0, key] == ARRAY_VALUE_MISSING or rule[market, M_KIND] == SPOT
        if missing or is_wide_array(s, draft[0, key], rule[market, M_POSITION_LOTS_MAX]):
            return key
    if draft[0, S_OPEN_PPM] < rule[market, M_RESTORE_PPM]:
        return S_OPEN_PPM
    return AGREE


@kernel
def owner_disagreement(s):
    return O_RISK_TIER if DRAFT(s)[0, O_RISK_TIER] > MACHINE(s).risk_tiers[0] else AGREE


@leaf
def restores_below_open(s, notional):
    draft = DRAFT(s)
    maintain = draft_atoms(s, notional, M_BRACKET_MAINTAIN_PPM, M_DEDUCT_MAINTAIN)
    opening = draft_atoms(s, notional, M_BRACKET_OPEN_PPM, M_DEDUCT_OPEN)
    return ppm_up(maintain, draft[0, M_RESTORE_PPM]) <= opening + ROUNDINGS


@kernel
def deduction(s, rates, i):
    """D_i of a schedule in the draft, from D of the bracket before: keeps the requirement continuous to one atom."""
    draft = DRAFT(s)
    deductions = M_DEDUCT_MAINTAIN if rates == M_BRACKET_MAINTAIN_PPM else M_DEDUCT_OPEN
    if i == 0:
        return 0
    step = draft[0, rates + i] - draft[0, rates + i - 1]
    return draft[0, deductions + i - 1] + mul_div_down(draft[0, M_BRACKET_UPPER + i - 1], step, PPM)


@kernel
def brackets_disagreement(s):
    draft = DRAFT(s)
    for i in range(1, draft[0, M_BRACKETS]):
        if draft[0, M_BRACKET_UPPER + i] <= draft[0, M_BRACKET_UPPER + i - 1]:
            return M_BRACKET_UPPER + i
        if draft[0, M_BRACKET_MAINTAIN_PPM + i] < draft[0, M_BRACKET_MAINTAIN_PPM + i - 1]:
            return M_BRACKET_MAINTAIN_PPM + i
        if draft[0, M_BRACKET_OPEN_PPM + i] < draft[0, M_BRACKET_OPEN_PPM + i - 1]:
            return M_BRACKET_OPEN_PPM + i
    return AGREE


@kernel
def levels_disagreement(s):
    """restore <= open everywhere: both are convex and made of lines, so ends, first and last slopes decide."""
    draft = DRAFT(s)
    if draft[0, M_BRACKET_MAINTAIN_PPM] * draft[0, M_RESTORE_PPM] > draft[0, M_BRACKET_OPEN_PPM] * PPM:
        return M_RESTORE_PPM
    last = draft[0, M_BRACKETS] - 1
    for i in range(last + 1):
        if not restores_below_open(s, draft[0, M_BRACKET_UPPER + i]):
            return M_RESTORE_PPM
    if draft[0, M_BRACKET_MAINTAIN_PPM + last] * draft[0, M_RESTORE_PPM] > draft[0, M_BRACKET_OPEN_PPM + last] * PPM:
        return M_RESTORE_PPM
    if draft[0, M_LIQUIDATION_FEE_PPM] * PPM >= draft[0, M_BRACKET_MAINTAIN_PPM] * draft[0, M_RESTORE_PPM]:
        return M_LIQUIDATION_FEE_PPM
    return AGREE


@kernel
def sizes_disagreement(s):
    """restore <= open of the rates by size, each part by itself; no restored rate is above one.

    Roots round up to a billionth: the rate of one lot, and one billionth more, restored, is at most that of opening.
    """
    draft = DRAFT(s)
    if draft[0, M_BY_ARRAY]:
        if draft[0, M_PAID] == 0:
            return M_BY_ARRAY
        for key in range(M_SIZE_MAINTAIN_PPM, M_SIZE_MAINTAIN_PPM + 2 * SIZE_RATES):
            if draft[0, key]:
                return key
    restore, lots = draft[0, M_RESTORE_PPM], draft[0, M_POSITION_LOTS_MAX]
    base, slope, root = draft[0, M_SIZE_MAINTAIN_PPM], draft[0, M_SIZE_MAINTAIN_SLOPE], draft[0, M_SIZE_MAINTAIN_ROOT]
    if draft[0, M_SIZE_OPEN_PPM] * PPM < base * restore:
        return M_SIZE_OPEN_PPM
    if product_is_less(draft[0, M_SIZE_OPEN_SLOPE], PPM, slope, restore):
        return M_SIZE_OPEN_SLOPE
    opening = root_up(draft[0, M_SIZE_OPEN_ROOT] + 1) - 1  # rounded down
    if root > 0 and opening * PPM < (root_up(root) + 1) * restore:
        return M_SIZE_OPEN_ROOT
    if product_is_less(SIZE_SCALE, PPM, rate_of(lots, base, slope, root), restore):
        return M_SIZE_MAINTAIN_PPM
    return AGREE


@kernel
def fees_disagreement(s):
    draft = DRAFT(s)
    maker, taker = draft[0, M_MAKER_PPM], draft[0, M_TAKER_PPM]
    for i in range(draft[0, M_FEE_TIERS]):
        maker = min(maker, draft[0, M_MAKER_PPM + i])
        taker = min(taker, draft[0, M_TAKER_PPM + i])
    return M_MAKER_PPM if maker + taker < 0 else AGREE


@kernel
def kind_disagreement(s, row):
    """A pair has a base and follows its assets' prices; every other market has a feed."""
    draft = DRAFT(s)
    if draft[0, M_KIND] != SPOT:
        if draft[0, M_BASE] != 0:
            return M_BASE
        if draft[0, M_PAID] != 0 and (draft[0, M_KIND] != LINEAR or draft[0, M_SETTLE] != UNIT):
            return M_PAID
        if draft[0, M_PAID] != 0 and draft[0, M_FUNDING_INTERVAL_NS] != 0:
            return M_FUNDING_INTERVAL_NS
        return AGREE if is_feed_free(s, draft[0, M_FEED], row, 1) else M_FEED
    base = draft[0, M_BASE]
    if base < 1 or base > MACHINE(s).assets[0] or base == draft[0, M_SETTLE]:
        return M_BASE
    if ASSET_RULE(s)[base, A_POOL_OF]:
        return M_BASE  # its price moves between reports
    if draft[0, M_PAID] != 0:
        return M_PAID
    if draft[0, M_TICKS_MIN] != 1:
        return M_TICKS_MIN
    if draft[0, M_FEED] != 0:
        return M_FEED
    if draft[0, M_FUNDING_INTERVAL_NS] != 0:
        return M_FUNDING_INTERVAL_NS
    if product_is_less(AMOUNT_MAX, 1, draft[0, M_LOT_ATOMS], draft[0, M_POSITION_LOTS_MAX]):
        return M_LOT_ATOMS
    return AGREE


@kernel
def widest(kind, scale, ticks_min, ticks_max, lots):
    """N of so many lots where they are worth most: at the highest price, of an inverse market at the lowest."""
    if kind == INVERSE:
        return mul_div_up(lots, scale, ticks_min)
    product, overflowed = multiply(ticks_max, scale)
    return INT64_MAX if overflowed else mul_div_down(product, lots, 1)


@kernel
def widest_position(s, market):
    rule = MARKET_RULE(s)
    kind, scale, lots = rule[market, M_KIND], rule[market, M_ATOMS_PER_TICK_LOT], rule[market, M_POSITION_LOTS_MAX]
    return widest(kind, scale, rule[market, M_TICKS_MIN], rule[market, M_TICKS_MAX], lots)


@kernel
def ladder_disagreement(s):
    """Prices and what a lot and the largest position are worth at their ends."""
    draft = DRAFT(s)
    kind, scale, lots = draft[0, M_KIND], draft[0, M_ATOMS_PER_TICK_LOT], draft[0, M_POSITION_LOTS_MAX]
    low, high = draft[0, M_TICKS_MIN], draft[0, M_TICKS_MAX]
    if low > high:
        return M_TICKS_MIN
    if kind == INVERSE and (scale < high or widest(kind, scale, low, high, 1) > LOT_WORTH_MAX):
        return M_ATOMS_PER_TICK_LOT
    atoms = widest(kind, scale, low, high, lots)
    if atoms > NOTIONAL_MAX or mul_div_down(ASSET(s).price[draft[0, M_SETTLE]], atoms, ASSET_PRICE_SCALE) > VALUE_MAX:
        return M_POSITION_LOTS_MAX
    return AGREE


@kernel
def dates_disagreement(s, row):
    """An expiry lies ahead, one that was set later at least the notice; once it is reached nothing moves it."""
    draft, rule, now = DRAFT(s), MARKET_RULE(s), MACHINE(s).now_ns[0]
    expiry, agreed = draft[0, M_EXPIRY_NS], draft[0, M_SETTLE_PRICE]
    if row > MACHINE(s).markets[0]:
        if agreed and (expiry == 0 or agreed < draft[0, M_TICKS_MIN] or agreed > draft[0, M_TICKS_MAX]):
            return M_SETTLE_PRICE
        return M_EXPIRY_NS if expiry != 0 and (expiry <= now or draft[0, M_KIND] == SPOT) else AGREE
    before = rule[row, M_EXPIRY_NS]
    if rule[row, M_STATE] == SETTLED and draft[0, M_STATE] != SETTLED:
        return M_STATE
    if expiry == before and (expiry == 0 or draft[0, M_SETTLE_WINDOW_NS] == rule[row, M_SETTLE_WINDOW_NS]):
        return AGREE
    if before != 0 and (now >= before or (expiry == 0 and rule[row, M_DATED] != 0)):
        return M_EXPIRY_NS
    if expiry != 0 and (draft[0, M_KIND] == SPOT or expiry < now + NOTICE_NS):
        return M_EXPIRY_NS
    return AGREE


@kernel
def market_disagreement(s, row):
    draft = DRAFT(s)
    if draft[0, M_SETTLE] < 1 or draft[0, M_SETTLE] > MACHINE(s).assets[0]:
        return M_SETTLE
    if ASSET_RULE(s)[draft[0, M_SETTLE], A_POOL_OF]:
        return M_SETTLE  # nobody owes shares
    key = kind_disagreement(s, row)
    if key != AGREE:
        return key
    key = dates_disagreement(s, row)
    if key != AGREE:
        return key
    key = ladder_disagreement(s)
    if key != AGREE:
        return key
    if draft[0, M_ORDER_LOTS_MAX] > draft[0, M_POSITION_LOTS_MAX]:
        return M_ORDER_LOTS_MAX
    if row <= MACHINE(s).markets[0] and ARRAY_RULE(s)[row, S_IS_SET]:
        if draft[0, M_RESTORE_PPM] > ARRAY_RULE(s)[row, S_OPEN_PPM]:
            return M_RESTORE_PPM
        if draft[0, M_GROUP] != MARKET_RULE(s)[row, M_GROUP]:
            return M_GROUP  # what was offset would not be any more, at once
    if draft[0, M_OI_UPPER_LOTS] != 0 and draft[0, M_OI_UPPER_LOTS] <= draft[0, M_OI_LOWER_LOTS]:
        return M_OI_UPPER_LOTS
    interval, sample = draft[0, M_FUNDING_INTERVAL_NS], draft[0, M_SAMPLE_INTERVAL_NS]
    if interval % sample != 0:
        return M_FUNDING_INTERVAL_NS
    if draft[0, M_KIND] == SPOT and draft[0, M_EXCESS_PPM]:
        return M_EXCESS_PPM
    return payers_disagreement(s, M_PAYER, draft[0, M_SETTLE])
