"""What an account in liquidation offers, at what price and how much of it. See docs/concepts/offers.md.

Promises
- A bid never receives more than the curve says, and every rounding is against the bidder.
- A step that restores heals: its bonus costs less than it frees, by the parameters; or all there is is taken.
"""

from steelyard.model.keys import (
    A_DUST,
    A_FROZEN,
    A_ISSUES,
    A_OFFER,
    A_POOL_OF,
    A_SUPPLY_MAX,
    A_TIER_MAINTAIN_PPM,
    A_TIERS,
    A_VOLATILITY_PPM,
    C_BEYOND,
    C_CHIP_PPM,
    C_DEBT,
    C_ELSE,
    C_FEE_PPM,
    C_FROM,
    C_GIVES,
    C_LASTS_NS,
    C_OF,
    C_PART,
    C_POINT,
    C_SIZE,
    C_TAKER,
    C_THEN,
    C_TIP,
    C_TO,
)
from steelyard.model.orders import (
    FOR_BIDDERS,
    FOR_BOOK,
    FOR_BORROWERS,
    FOR_MAINTAIN,
    FOR_POOL,
    FOR_RESTORE,
    GIVES_BONUS,
    GIVES_PRICE,
    KEEPER_PAID,
    OF_COVER,
    OF_HEALTH,
    OF_LTV,
    OF_TIME,
    OF_VOLATILITY,
    OWES,
    TAKE_WHOLE,
    TO_RESTORE,
)
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import AMOUNT_MAX, BONUS_MAX, CURVE_POINTS, DUST_SHARE, PPM
from steelyard.num.rounding import clamp, mul_div_down, mul_div_up, ppm_down, ppm_up
from steelyard.num.wide import product_is_less
from steelyard.rules.cash import atoms_down, atoms_up, cash_requirement, value
from steelyard.rules.interest import cash_now
from steelyard.rules.requirement import account_risk, health_of
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, BID, CURVE_RULE, DRAFT, LEG, MACHINE, MARKET_0

AGREE = -1
FARTHEST = 1 << 60  # loan-to-value of an account with nothing above zero


# --- Curves -----------------------------------------------------------------------------------------------------------


@kernel
def curve_at(s, curve, x):
    """The curve's value, in a straight line between its points: a bonus rounded down, a price up."""
    rule = CURVE_RULE(s)
    first, last = rule[curve, C_FROM], rule[curve, C_TO]
    if x <= first:
        return rule[curve, C_POINT]
    if x >= last:
        return rule[curve, C_POINT + CURVE_POINTS - 1]
    width, steps = last - first, (CURVE_POINTS - 1) * (x - first)
    i = steps // width
    here = rule[curve, C_POINT + i]
    step = rule[curve, C_POINT + i + 1] - here
    if rule[curve, C_GIVES] == GIVES_PRICE:
        return here + mul_div_up(step, steps - i * width, width)
    return here + mul_div_down(step, steps - i * width, width)


@kernel
def curve_disagreement(s, row):
    """The key of the drafted curve, to be of this row, that makes no sense, or -1."""
    draft = DRAFT(s)
    of, gives = draft[0, C_OF], draft[0, C_GIVES]
    if draft[0, C_TO] <= draft[0, C_FROM]:
        return C_TO
    if of == OF_TIME and draft[0, C_FROM] < 0:
        return C_FROM
    # More for the bidder the longer it takes and the more is owed, less the better the account stands.
    rises = (of == OF_LTV or of == OF_TIME) == (gives == GIVES_BONUS)
    for key in range(C_POINT, C_POINT + CURVE_POINTS):
        if gives == GIVES_BONUS and draft[0, key] > BONUS_MAX:
            return key
        if key > C_POINT and of != OF_VOLATILITY:
            step = draft[0, key] - draft[0, key - 1]
            if (step < 0 and rises) or (step > 0 and not rises):
                return key
    for_book, for_borrowers = draft[0, C_TAKER] == FOR_BOOK, draft[0, C_TAKER] == FOR_BORROWERS
    for_pool = for_borrowers or draft[0, C_TAKER] == FOR_POOL  # what takes no time
    if for_pool and of == OF_TIME:
        return C_OF
    if draft[0, C_SIZE] == TAKE_WHOLE and not for_pool:
        return C_SIZE
    if draft[0, C_SIZE] != TAKE_WHOLE and for_borrowers:
        return C_SIZE
    if (for_pool and draft[0, C_LASTS_NS]) or (for_book and draft[0, C_LASTS_NS] == 0):
        return C_LASTS_NS
    if for_book and draft[0, C_FEE_PPM]:
        return C_FEE_PPM  # its market has one
    if for_book and draft[0, C_PART]:
        return C_PART  # its market has slices
    if draft[0, C_DEBT] > MACHINE(s).assets[0]:
        return C_DEBT
    if draft[0, C_ELSE] >= row or (draft[0, C_ELSE] != 0 and draft[0, C_DEBT] == 0):
        return C_ELSE
    then = draft[0, C_THEN]
    if then > row or (then != 0 and (then == row if for_pool else draft[0, C_LASTS_NS] == 0)):
        return C_THEN
    part = draft[0, C_PART]
    if part >= row or (part and (CURVE_RULE(s)[part, C_OF] != of or CURVE_RULE(s)[part, C_GIVES] != GIVES_BONUS)):
        return C_PART
    return AGREE


@kernel
def can_heal(s, curve, weight):
    """Whether a bid that restores frees more than its bonus costs, wherever the curve is; `weight` in ppm."""
    rule = CURVE_RULE(s)
    if rule[curve, C_SIZE] != TO_RESTORE:
        return True
    for key in range(C_POINT, C_POINT + CURVE_POINTS):
        if rule[curve, C_GIVES] == GIVES_PRICE:
            if rule[curve, key] <= weight:
                return False
        elif (PPM + rule[curve, key]) * weight >= PPM * PPM:
            return False
    return True


@kernel
def steps_can_heal(s, curve, weight):
    """The same of a step and of those that follow it."""
    while curve:
        if not can_heal(s, curve, weight):
            return False
        after = CURVE_RULE(s)[curve, C_THEN]
        curve = after if after != curve else 0
    return True


@kernel
def ladder_disagreement(s):
    """A_OFFER if the drafted asset's ladder is missing or has a step that could not heal, or -1."""
    draft, curve = DRAFT(s), DRAFT(s)[0, A_OFFER]
    if curve > MACHINE(s).curves[0]:
        return A_OFFER
    weight = 0
    for i in range(draft[0, A_TIERS]):
        weight = max(weight, draft[0, A_TIER_MAINTAIN_PPM + i])
    while curve:
        if not steps_can_heal(s, curve, weight):
            return A_OFFER
        curve = CURVE_RULE(s)[curve, C_ELSE]
    return AGREE


# --- Time and ladders -------------------------------------------------------------------------------------------------


@leaf
def is_frozen(s, asset):
    """Whether liquidations leave an asset alone; a share is frozen with what its pool lends."""
    lent = ASSET_RULE(s)[asset, A_POOL_OF]
    return ASSET_RULE(s)[lent if lent else asset, A_FROZEN] != 0


@leaf
def active_time(s, asset):
    """How long an asset's price has been fresh, and it was not frozen; of a share, what its pool lends."""
    table, lent = ASSET(s), ASSET_RULE(s)[asset, A_POOL_OF]
    if lent:
        asset = lent
    running = min(MACHINE(s).now_ns[0], table.fresh_until_ns[asset]) - table.active_at_ns[asset]
    if running <= 0 or is_frozen(s, asset):
        return table.active_ns[asset]
    return table.active_ns[asset] + running


@leaf
def offered_for(s, row):
    """Active time of a cash leg since its liquidation began."""
    leg = LEG(s)
    return active_time(s, leg.thing[row]) - leg.offered_from[row]


@leaf
def first_step(s, collateral, debt):
    """The row with which the ladder of a collateral begins for debts in an asset; 0: there is none."""
    rule, curve = CURVE_RULE(s), ASSET_RULE(s)[collateral, A_OFFER]
    while curve and rule[curve, C_DEBT] != 0 and rule[curve, C_DEBT] != debt:
        curve = rule[curve, C_ELSE]
    return curve


@kernel
def reached_steps(s, given_row, owed_row):
    """(the step that stands, the active time it has stood, the last ones reached for pool and borrowers).

    Of the ladder of this collateral for this debt; step 0: none.
    """
    rule, pooled, spread = CURVE_RULE(s), 0, 0
    curve = first_step(s, LEG(s).thing[given_row], LEG(s).thing[owed_row])
    if curve == 0:
        return 0, 0, 0, 0
    elapsed = min(offered_for(s, given_row), offered_for(s, owed_row))
    while curve:
        lasts = rule[curve, C_LASTS_NS]
        if rule[curve, C_TAKER] == FOR_POOL:
            pooled = curve
        elif rule[curve, C_TAKER] == FOR_BORROWERS:
            spread = curve
        elif lasts == 0 or elapsed < lasts:
            return curve, elapsed, pooled, spread
        elif rule[curve, C_THEN] == curve:
            return curve, elapsed % lasts, pooled, spread
        elapsed -= lasts
        curve = rule[curve, C_THEN]
    return 0, 0, pooled, spread


@kernel
def standing_offer(s, given_row, owed_row):
    """(the step of the ladder that stands for bidders or for the book, the active time it has stood)."""
    curve, elapsed, _, _ = reached_steps(s, given_row, owed_row)
    return curve, elapsed


@kernel
def step_without_time(s, given_row, owed_row, taker):
    """The last step that was reached for the pool, or for the borrowers."""
    _, _, pooled, spread = reached_steps(s, given_row, owed_row)
    return pooled if taker == FOR_POOL else spread


@far
def is_offered(s, given_row, owed_row):
    """Whether an offer stands, so that the converter waits."""
    curve, _ = standing_offer(s, given_row, owed_row)
    return curve


@kernel
def time_left(s, curve, elapsed):
    """Active time until the ladder ends; 0 if it never does."""
    rule = CURVE_RULE(s)
    left = -elapsed
    while curve:
        lasts = rule[curve, C_LASTS_NS]
        stands = rule[curve, C_TAKER] == FOR_BIDDERS or rule[curve, C_TAKER] == FOR_BOOK
        if stands and (lasts == 0 or rule[curve, C_THEN] == curve):
            return 0
        left += lasts
        curve = rule[curve, C_THEN]
    return left


@leaf
def is_dust(s, asset, quantity):
    """Something, worth less than what counts."""
    return quantity > 0 and value(quantity, ASSET(s).price[asset]) < ASSET_RULE(s)[asset, A_DUST]


@far
def shortest_wait(s, account, longest):
    """Active time until the first ladder of an account ends, at most `longest`; -1 if no offer stands."""
    leg, wait = LEG(s), -1
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    owed = ACCOUNT(s).first_leg[account]
    while owed:
        if leg.thing[owed] < MARKET_0 and leg.quantity[owed] < 0:
            given = ACCOUNT(s).first_leg[account]
            while given:
                counts = leg.thing[given] < MARKET_0 and leg.quantity[given] > 0
                if counts and not (equity < 0 and is_dust(s, leg.thing[given], leg.quantity[given])):
                    curve, elapsed = standing_offer(s, given, owed)
                    if curve:
                        left = time_left(s, curve, elapsed)
                        left = longest if left == 0 else min(left, longest)
                        wait = left if wait < 0 else min(wait, left)
                given = leg.next_of_account[given]
        owed = leg.next_of_account[owed]
    return wait


# --- Claims ---------------------------------------------------------------------------------------------------------


@leaf
def is_issued(s, given_row, owed_row):
    """Whether the claims of this leg are not held, but newly issued for this debt, of an account that owes."""
    leg, debt = LEG(s), LEG(s).thing[owed_row]
    if ASSET_RULE(s)[debt, A_ISSUES] != leg.thing[given_row] or leg.cost[given_row] != debt:
        return False
    return leg.quantity[given_row] == 0 and ACCOUNT(s).queued[leg.account[given_row]] == OWES


@leaf
def room_to_issue(s, claims):
    table = ASSET(s)
    return ASSET_RULE(s)[claims, A_SUPPLY_MAX] - table.deposited[claims] + table.withdrawn[claims]


@kernel
def offered_of(s, given_row, owed_row):
    """What there is to give for a debt: what is held, or may be issued."""
    if is_issued(s, given_row, owed_row):
        return room_to_issue(s, LEG(s).thing[given_row])
    return LEG(s).quantity[given_row]


# --- Price ------------------------------------------------------------------------------------------------------------


@kernel
def owed_and_held(s, account):
    """(value of all debts, value of all cash above zero)."""
    leg, owed, held = LEG(s), 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        if leg.thing[row] < MARKET_0:
            worth = value(cash_now(s, row), ASSET(s).price[leg.thing[row]])
            if worth < 0:
                owed -= worth
            else:
                held += worth
        row = leg.next_of_account[row]
    return owed, held


@kernel
def variable(s, account, curve, collateral, elapsed, equity, requirement):
    """What the curve is a curve of, now."""
    of = CURVE_RULE(s)[curve, C_OF]
    if of == OF_TIME:
        return elapsed
    if of == OF_VOLATILITY:
        return ASSET_RULE(s)[collateral, A_VOLATILITY_PPM]
    if of == OF_HEALTH:
        return health_of(equity, requirement)
    owed, held = owed_and_held(s, account)
    if of == OF_COVER:
        return mul_div_down(equity - requirement + owed, PPM, max(1, owed))
    return mul_div_up(owed, PPM, held) if held > 0 else FARTHEST


@kernel
def within_equity(s, account, curve, y, equity):
    """The curve's value, where what it gives would exceed what the owner has for each unit of debt: just that."""
    if CURVE_RULE(s)[curve, C_BEYOND]:
        return y
    owed, _ = owed_and_held(s, account)
    bonus = min(FARTHEST, mul_div_down(max(0, equity), PPM, max(1, owed)))
    if CURVE_RULE(s)[curve, C_GIVES] == GIVES_PRICE:
        return max(y, mul_div_up(PPM, PPM, PPM + bonus))
    return min(y, bonus)


@leaf
def worth_of_debt(repaid, price_owed, price_held):
    """Atoms of collateral that a debt is worth."""
    return clamp(mul_div_down(repaid, price_owed, price_held), 0, AMOUNT_MAX)


@leaf
def gross_of(s, curve, y, par):
    """What the account gives for a debt worth so much collateral."""
    if CURVE_RULE(s)[curve, C_GIVES] == GIVES_PRICE:
        return mul_div_down(par, PPM, y)
    return par + ppm_down(par, y)


@kernel
def debt_for(s, curve, y, gross, price_owed, price_held):
    """The fewest atoms of debt for which at least so much collateral is given."""
    if CURVE_RULE(s)[curve, C_GIVES] == GIVES_PRICE:
        par = mul_div_up(gross, y, PPM)
    else:
        par = mul_div_up(gross, PPM, PPM + y)
    return mul_div_up(par, price_held, price_owed)


@kernel
def prices_of(s, row):
    """(price of the collateral, price of the debt) of a bid."""
    bid, price = BID(s), ASSET(s).price
    return price[bid.collateral[row]], price[bid.debt[row]]


@kernel
def net_and_fee(s, row, repaid, held):
    """(collateral to the bidder, to the insurance fund) for repaying so much, at the curve."""
    bid, curve = BID(s), BID(s).curve[row]
    price_held, price_owed = prices_of(s, row)
    par = worth_of_debt(repaid, price_owed, price_held)
    gross = min(held, gross_of(s, curve, bid.value[row], par))
    fee = ppm_up(max(0, gross - par), CURVE_RULE(s)[curve, C_FEE_PPM])
    return gross - fee, fee


@kernel
def is_covered(s, row, repaid, held):
    """Whether the collateral there is suffices for what the curve gives for repaying so much."""
    price_held, price_owed = prices_of(s, row)
    par = worth_of_debt(repaid, price_owed, price_held)
    return gross_of(s, BID(s).curve[row], BID(s).value[row], par) <= held


@kernel
def holds_nothing_else(s, account, collateral):
    """Whether an account without positions has next to nothing beside this collateral: a thousandth of what it owes."""
    leg, beside, owed = LEG(s), 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        thing = leg.thing[row]
        if thing >= MARKET_0:
            if leg.quantity[row] != 0:
                return False
        else:
            worth = value(cash_now(s, row), ASSET(s).price[thing])
            if worth < 0:
                owed -= worth
            elif thing != collateral:
                beside += worth
        row = leg.next_of_account[row]
    return beside <= owed // DUST_SHARE


@leaf
def fee_as_asked(s, row, repaid, asked):
    """The fee of a bid that takes just what it asks."""
    price_held, price_owed = prices_of(s, row)
    par = worth_of_debt(repaid, price_owed, price_held)
    return ppm_up(max(0, asked - par), CURVE_RULE(s)[BID(s).curve[row], C_FEE_PPM])


@kernel
def pay_of_keeper(s, keeper, account, curve, collateral, held, debt, owed):
    """What beginning the offers of an account again is worth, by the first row of a ladder."""
    table, price, rule = ACCOUNT(s), ASSET(s).price, CURVE_RULE(s)
    if table.started[account] == KEEPER_PAID or table.owner[keeper] == table.owner[account]:
        return 0
    if is_dust(s, debt, owed) or is_dust(s, collateral, held):
        return 0
    return rule[curve, C_TIP] + ppm_down(value(owed, price[debt]), rule[curve, C_CHIP_PPM])


# --- Size -------------------------------------------------------------------------------------------------------------


@kernel
def equity_left(s, row, repaid, given, held, owed):
    """E of the account after this much was repaid and given."""
    bid = BID(s)
    price_held, price_owed = prices_of(s, row)
    before = value(held, price_held) + value(-owed, price_owed)
    return bid.equity[row] - before + value(held - given, price_held) + value(repaid - owed, price_owed)


@kernel
def fee_paid(s, row, fee, repaid, net, held, owed):
    """The fee, as far as the account's equity then reaches."""
    price_held, _ = prices_of(s, row)
    left = max(0, equity_left(s, row, repaid, net, held, owed))
    return min(fee, atoms_down(left, price_held))


@kernel
def is_restored(s, row, repaid, given, held, owed, required):
    """Whether E >= M(restore) after so much was repaid and given; `required` is M(restore) now."""
    bid = BID(s)
    collateral, debt = bid.collateral[row], bid.debt[row]
    price_held, price_owed = prices_of(s, row)
    required -= cash_requirement(s, collateral, held, price_held, FOR_RESTORE)
    required -= cash_requirement(s, debt, -owed, price_owed, FOR_RESTORE)
    required += cash_requirement(s, collateral, held - given, price_held, FOR_RESTORE)
    required += cash_requirement(s, debt, repaid - owed, price_owed, FOR_RESTORE)
    return equity_left(s, row, repaid, given, held, owed) >= required


@leaf
def cost_of_bid(s, row, repaid, given):
    """What the account lost by a bid, in value."""
    price_held, price_owed = prices_of(s, row)
    return value(given, price_held) - value(repaid, price_owed)


@kernel
def given_for(s, row, repaid, held, owed):
    """What the account gives for repaying so much, the fee as far as its equity reaches."""
    net, fee = net_and_fee(s, row, repaid, held)
    return net + fee_paid(s, row, fee, repaid, net, held, owed)


@kernel
def leaves_dust(s, row, repaid, held, owed):
    bid = BID(s)
    if is_dust(s, bid.debt[row], owed - repaid):
        return True
    return is_dust(s, bid.collateral[row], held - given_for(s, row, repaid, held, owed))


@kernel
def fewest_to_restore(s, row, held, owed, most):
    """The fewest atoms of debt that restore the account when they are repaid; the most if it does not suffice."""
    _, required, _ = account_risk(s, BID(s).target[row], FOR_RESTORE)
    if not is_restored(s, row, most, given_for(s, row, most, held, owed), held, owed, required):
        return most
    low, high = 0, most  # repaying `low` is not enough, repaying `high` is
    while high - low > 1:
        middle = (low + high) >> 1
        if is_restored(s, row, middle, given_for(s, row, middle, held, owed), held, owed, required):
            high = middle
        else:
            low = middle
    return high


@far
def size_of_offer(s, row, held, owed, x):
    """How much of a debt may be repaid: the fewest atoms that restore the account, or all; no dust is left.

    `x` is where on its curves the account stands: one may say how much of a debt a bid repays at most.
    """
    bid = BID(s)
    curve, part = bid.curve[row], CURVE_RULE(s)[bid.curve[row], C_PART]
    price_held, price_owed = prices_of(s, row)
    most = min(owed, debt_for(s, curve, bid.value[row], held, price_owed, price_held))
    high = min(most, ppm_up(owed, curve_at(s, part, x))) if part else most
    if CURVE_RULE(s)[curve, C_SIZE] == TO_RESTORE:
        high = fewest_to_restore(s, row, held, owed, high)
    return most if high < most and leaves_dust(s, row, high, held, owed) else high


@kernel
def size_of_issue(s, row, held, owed):
    """How much of a debt claims may be issued for: all that equity is short of."""
    bid = BID(s)
    price_held, price_owed = prices_of(s, row)
    short = atoms_up(-bid.equity[row], price_owed)
    return min(min(owed, short), debt_for(s, bid.curve[row], bid.value[row], held, price_owed, price_held))


# --- Order ------------------------------------------------------------------------------------------------------------


@kernel
def comes_first(s, a, b):
    """Whether bid `a` is filled before bid `b`, of which it came later."""
    bid = BID(s)
    if bid.target[a] != bid.target[b]:
        return bid.target[a] < bid.target[b]
    if bid.debt[a] != bid.debt[b]:
        return bid.debt[a] < bid.debt[b]
    if bid.collateral[a] != bid.collateral[b]:
        return bid.collateral[a] < bid.collateral[b]
    asks, asked = bid.options[a] >= 2, bid.options[b] >= 2
    if asks and asked:
        return product_is_less(bid.least[a], bid.lots[b], bid.least[b], bid.lots[a]) != 0
    return asks and not asked
