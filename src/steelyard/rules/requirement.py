"""Equity and requirement of a leg and of an account: E, and M per question. See docs/concepts/legs-and-health.md.

Promises
- E and M of an account are the sums over its legs of `leg_equity` and `leg_requirement`.
- M(takeover) <= M(maintain) <= M(restore) for every leg; M(restore) <= M(open) by the checked parameters.
- Every requirement rounds up and every value rounds down, so dust never helps the account.
"""

from steelyard.model.keys import (
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKET_OPEN_PPM,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_CLOSING_PPM,
    M_DEDUCT_MAINTAIN,
    M_DEDUCT_OPEN,
    M_HAS_SIZE,
    M_LEVERAGE_DEFAULT,
    M_RESTORE_PPM,
    M_SETTLE,
    M_SIZE_MAINTAIN_PPM,
    M_SIZE_OPEN_PPM,
    M_TAKEOVER_PPM,
    T_LEVERAGE_MAX,
    UNIT,
)
from steelyard.model.orders import FOR_MAINTAIN, FOR_RESTORE, FOR_TAKEOVER
from steelyard.num import kernel, leaf
from steelyard.num.limits import INDEX_SCALE_BITS, PPM, VALUE_MAX
from steelyard.num.rounding import clamp, mul_div_down, ppm_up
from steelyard.num.wide import multiply_shift_down
from steelyard.rules.cash import cash_needed, cash_requirement, charge, is_opening, is_wide, value
from steelyard.rules.excess import excess_of_cash, excess_of_positions
from steelyard.rules.interest import cash_now
from steelyard.rules.pairs import is_pair, pair_part
from steelyard.rules.scan import scan_part
from steelyard.rules.size_rates import sized_atoms
from steelyard.rules.worth import lost_at_worse_end, notional_of, worth
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    LEG,
    LEG_OPEN,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    TIER_RULE,
)

HEALTH_LIMIT = 1 << 60


@leaf
def health_of(equity, requirement):
    """E / M(maintain) in ppm: what turns of liquidation are ordered by."""
    if requirement == 0:
        return -HEALTH_LIMIT if equity < 0 else HEALTH_LIMIT
    return clamp(mul_div_down(equity, PPM, requirement), -HEALTH_LIMIT, HEALTH_LIMIT)


@leaf
def bracket_of(s, market, notional):
    """The bracket of a notional: the first that reaches it, else the last."""
    rule = MARKET_RULE(s)
    last = rule[market, M_BRACKETS] - 1
    i = 0
    while i < last and notional > rule[market, M_BRACKET_UPPER + i]:
        i += 1
    return i


@leaf
def maintain_atoms(s, market, notional):
    """B(N) of the maintenance schedule."""
    rule, i = MARKET_RULE(s), bracket_of(s, market, notional)
    return ppm_up(notional, rule[market, M_BRACKET_MAINTAIN_PPM + i]) - rule[market, M_DEDUCT_MAINTAIN + i]


@leaf
def position_atoms(s, market, lots, notional):
    """What so many lots of this notional require to maintain: B(N), or more by their size, or what their array asks."""
    atoms = maintain_atoms(s, market, notional)
    if MARKET_RULE(s)[market, M_HAS_SIZE]:
        atoms = sized_atoms(s, market, M_SIZE_MAINTAIN_PPM, lots, notional, atoms)
    return atoms


@leaf
def maintain_rate_ppm(s, market, notional):
    """The slope of B(N) there: no smaller notional has a larger one."""
    return MARKET_RULE(s)[market, M_BRACKET_MAINTAIN_PPM + bracket_of(s, market, notional)]


@leaf
def open_atoms(s, market, notional):
    """B(N) of the opening schedule, before leverage and open interest."""
    rule, i = MARKET_RULE(s), bracket_of(s, market, notional)
    return ppm_up(notional, rule[market, M_BRACKET_OPEN_PPM + i]) - rule[market, M_DEDUCT_OPEN + i]


@leaf
def opening_side(s, market, lots, notional, leverage):
    """Opening requirement of one side, in atoms: bracket, leverage or size, open interest, the fee of closing."""
    base = max(open_atoms(s, market, notional), -(-notional // leverage))
    if MARKET_RULE(s)[market, M_HAS_SIZE]:
        base = sized_atoms(s, market, M_SIZE_OPEN_PPM, lots, notional, base)
    scale = MARKET(s).oi_scale_ppm[market]
    if scale > 0 and notional > base:
        base += ppm_up(notional - base, scale)
    closing = MARKET_RULE(s)[market, M_CLOSING_PPM]
    if closing:
        # A long that has lost `base` is worth so much less when it is closed, a short so much more.
        worth_then = notional - base if lots > 0 else notional + base
        base = min(base + ppm_up(max(0, worth_then), closing), max(base, notional))
    return base


@leaf
def accrued_up(quantity, scale, index_now, index_then):
    """Funding a leg owes, in atoms, rounded against it."""
    return -multiply_shift_down(-quantity * scale, index_now - index_then, INDEX_SCALE_BITS)


@leaf
def leverage_in_force(s, account, market, chosen):
    """A leverage setting (0: the market's default), capped by the owner's risk tier."""
    if chosen == 0:
        chosen = MARKET_RULE(s)[market, M_LEVERAGE_DEFAULT]
    return min(chosen, TIER_RULE(s)[ACCOUNT(s).risk_tier[account], T_LEVERAGE_MAX])


@kernel
def leverage_of(s, row):
    """Leverage in force for a market leg."""
    leg = LEG(s)
    return leverage_in_force(s, leg.account[row], leg.thing[row] - MARKET_0, LEG_OPEN(s).leverage[row])


@leaf
def equity_atoms(s, row, market):
    """E of a market leg, in atoms of what it settles in."""
    leg, table = LEG(s), MARKET(s)
    quantity = leg.quantity[row]
    atoms = worth(s, market, quantity, table.mark[market]) - leg.cost[row]
    return atoms - accrued_up(quantity, table.scale[market], table.funding_index[market], leg.index_at_touch[row])


@leaf
def opening_lots(s, market, lots, leverage, question):
    """Opening requirement of signed lots, in atoms, and what the index may be wrong by."""
    needed = opening_side(s, market, lots, notional_of(s, market, lots), leverage)
    if is_wide(question) and MARKET(s).below[market] | MARKET(s).above[market]:
        needed += lost_at_worse_end(s, market, lots)
    return needed


@kernel
def charge_opening(s, row, market, needed, gained, question):
    """M(open) in value of a market leg (row 0: none yet) that needs these atoms, once its E has gained some.

    Where the settlement asset may be worth more or less, what is needed counts high, and E at its worse end.
    """
    asset, settle = ASSET(s), MARKET_RULE(s)[market, M_SETTLE]
    price, below, above = asset.price[settle], asset.below[settle], asset.above[settle]
    if is_wide(question) and below | above:
        atoms = gained + (equity_atoms(s, row, market) if row else 0)
        end = price - below if atoms > 0 else price + above
        return charge(needed, price + above) + value(atoms, price) - value(atoms, end)
    return charge(needed, price)


@kernel
def opening_atoms(s, account, market, low, high, bid_reserve, ask_reserve, leverage, question):
    """What a market leg asks for to open, in atoms, if its orders may leave it between these lots.

    By scenarios it is only what orders reserve and what the index may be wrong by: the scan asks for the rest.
    """
    if ACCOUNT(s).scans[account]:
        needed = max(bid_reserve, ask_reserve)
        if is_wide(question) and MARKET(s).below[market] | MARKET(s).above[market]:
            needed += max(lost_at_worse_end(s, market, low), lost_at_worse_end(s, market, high))
        return needed
    bids = opening_lots(s, market, high, leverage, question) + bid_reserve
    return max(bids, opening_lots(s, market, low, leverage, question) + ask_reserve)


@kernel
def opening_requirement(s, row, question):
    """M(open) of a market leg, in value: the worse of all bids or all asks filled."""
    leg, orders = LEG(s), LEG_OPEN(s)
    market, quantity, leverage = leg.thing[row] - MARKET_0, leg.quantity[row], leverage_of(s, row)
    low, high = quantity - orders.ask_lots[row], quantity + orders.bid_lots[row]
    bid_reserve, ask_reserve = orders.bid_reserve[row], orders.ask_reserve[row]
    needed = opening_atoms(s, leg.account[row], market, low, high, bid_reserve, ask_reserve, leverage, question)
    return charge_opening(s, row, market, needed, 0, question)


@kernel
def perpetual_requirement(s, market, lots, question):
    """M of so many lots for every question but open, in value."""
    rule = MARKET_RULE(s)
    atoms = position_atoms(s, market, lots, notional_of(s, market, lots))
    if question == FOR_RESTORE:
        atoms = ppm_up(atoms, rule[market, M_RESTORE_PPM])
    elif question == FOR_TAKEOVER:
        atoms = ppm_up(atoms, rule[market, M_TAKEOVER_PPM])
    return charge(atoms, ASSET(s).price[rule[market, M_SETTLE]])


@kernel
def leg_equity(s, row):
    leg = LEG(s)
    thing = leg.thing[row]
    if thing < MARKET_0:
        return value(cash_now(s, row), ASSET(s).price[thing])
    market = thing - MARKET_0
    return value(equity_atoms(s, row, market), ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]])


@kernel
def leg_requirement(s, row, question):
    leg = LEG(s)
    thing, quantity = leg.thing[row], leg.quantity[row]
    if thing < MARKET_0:
        if thing == UNIT and quantity >= 0:
            return 0  # the unit of account has weight 1
        return cash_needed(s, thing, cash_now(s, row), question)
    market = thing - MARKET_0
    if is_opening(question):
        if is_pair(s, market):
            return pair_part(s, leg.account[row], row, market, 0, 0)
        return opening_requirement(s, row, question)
    if quantity == 0 or ACCOUNT(s).scans[leg.account[row]]:
        return 0
    return perpetual_requirement(s, market, quantity, question)


@kernel
def requirement_change(s, account, row, market, lots):
    """What M(maintain) grows by if an account comes to hold these lots in a market; its leg is `row`, 0 if not open."""
    if ACCOUNT(s).scans[account]:
        return scan_part(s, account, FOR_MAINTAIN, market, lots, lots) - scan_part(s, account, FOR_MAINTAIN, 0, 0, 0)
    held = leg_requirement(s, row, FOR_MAINTAIN) if row else 0
    return perpetual_requirement(s, market, lots, FOR_MAINTAIN) - held


@kernel
def account_risk(s, account, question):
    """(E, M, position part of M)."""
    leg = LEG(s)
    equity, positions, rest = 0, 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        equity += leg_equity(s, row)
        if leg.thing[row] < MARKET_0:
            rest += leg_requirement(s, row, question)
        else:
            positions += leg_requirement(s, row, question)
        row = leg.next_of_account[row]
    if ACCOUNT(s).scans[account]:
        positions += scan_part(s, account, question, 0, 0, 0)
    if MACHINE(s).excess[0] and is_opening(question):
        positions += excess_of_positions(s, account, 0, 0, 0)
        rest += excess_of_cash(s, account, question, 0, 0)
    return equity, positions + rest, positions


@kernel
def health_by_scenarios(s, account):
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    return equity, requirement


@leaf
def position_terms(s, row, market):
    """(E, M(maintain)) of a position, in atoms of its settlement asset."""
    leg, table = LEG(s), MARKET(s)
    quantity = leg.quantity[row]
    lots_scaled = quantity * table.scale[market]
    atoms = worth(s, market, quantity, table.mark[market])
    drift = table.funding_index[market] - leg.index_at_touch[row]
    equity = atoms - leg.cost[row]
    if drift:
        equity += multiply_shift_down(-lots_scaled, drift, INDEX_SCALE_BITS)
    return equity, position_atoms(s, market, quantity, abs(atoms)) if quantity else 0


@leaf
def account_health(s, account):
    """(E, M(maintain)): what `account_risk` answers to that question, with each number read once."""
    leg, asset, rule = LEG(s), ASSET(s), MARKET_RULE(s)
    if ACCOUNT(s).scans[account]:
        return health_by_scenarios(s, account)
    equity, requirement = 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        thing = leg.thing[row]
        if thing >= MARKET_0:
            gained, needed = position_terms(s, row, thing - MARKET_0)
            price = asset.price[rule[thing - MARKET_0, M_SETTLE]]
            equity += value(gained, price)
            requirement += charge(needed, price)
        elif thing == UNIT and leg.quantity[row] >= 0:
            equity += clamp(leg.quantity[row], 0, VALUE_MAX)
        elif leg.quantity[row]:
            price, cash = asset.price[thing], cash_now(s, row)
            equity += value(cash, price)
            requirement += cash_requirement(s, thing, cash, price, FOR_MAINTAIN)
        row = leg.next_of_account[row]
    return equity, requirement
