"""Liquidation: at what price, and how much. See docs/concepts/liquidation.md.

Promises
- What we close restores E >= M(restore) at the mark, or is everything.
- Closing at the bankruptcy cash never costs a solvent account more than it owns, and beyond the liquidation fee never
  what the rest of its legs require.
"""

from steelyard.model.keys import (
    M_ATOMS_PER_TICK_LOT,
    M_LIQUIDATION_FEE_PPM,
    M_REACH_PPM,
    M_SETTLE,
    M_SLIP_PPM,
    M_SPREAD_PPM,
    M_TICKS_MAX,
    M_TICKS_MIN,
    M_URGENCY_PPM,
)
from steelyard.model.orders import FOR_MAINTAIN, FOR_RESTORE
from steelyard.num import kernel, leaf
from steelyard.num.limits import AMOUNT_MAX, PPM
from steelyard.num.rounding import clamp, mul_div_down, mul_div_up, ppm_down, ppm_up
from steelyard.rules.cash import atoms_down, charge
from steelyard.rules.requirement import account_risk, perpetual_requirement, position_atoms
from steelyard.rules.scan import alone
from steelyard.rules.worth import is_paid, notional_of, worth
from steelyard.state.tables import ACCOUNT, ASSET, LEG, MARKET, MARKET_0, MARKET_RULE


@leaf
def value_of_lots(s, market, quantity, lots):
    """V(d): what closing this many lots of a position at the mark brings, in atoms; what it costs if negative."""
    return worth(s, market, lots if quantity > 0 else -lots, MARKET(s).mark[market])


@kernel
def worst_price(s, market, side):
    """The price at which a bankrupt account may still close."""
    rule, mark = MARKET_RULE(s), MARKET(s).mark[market]
    return clamp(
        mark + side * ppm_down(mark, rule[market, M_SLIP_PPM]), rule[market, M_TICKS_MIN], rule[market, M_TICKS_MAX]
    )


@kernel
def weight(s, scans, market, lots):
    """What so many lots weigh among the positions of an account: M(maintain) of theirs, by scenarios of them alone."""
    return alone(s, market, lots) if scans else perpetual_requirement(s, market, lots, FOR_MAINTAIN)


@kernel
def claims_on(s, account):
    """(E, M(maintain), position part) as shares of a closing go by: by scenarios the weights take the scan's place."""
    equity, requirement, positions = account_risk(s, account, FOR_MAINTAIN)
    if ACCOUNT(s).scans[account] == 0:
        return equity, requirement, positions
    leg, weights = LEG(s), 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        if leg.thing[row] >= MARKET_0 and leg.quantity[row] != 0:
            weights += alone(s, leg.thing[row] - MARKET_0, leg.quantity[row])
        row = leg.next_of_account[row]
    return equity, requirement - positions + weights, weights


@kernel
def bankruptcy_cash(s, account, market, quantity, lots, equity, requirement, positions):
    """What closing these lots of a position must bring to cost the account exactly what it may."""
    if equity < 0 and quantity > 0 and is_paid(s, market):
        return worth(s, market, lots, worst_price(s, market, -1))  # a claim owes nothing: the deficit is not its own
    brings = value_of_lots(s, market, quantity, lots)
    left = quantity - lots if quantity > 0 else quantity + lots
    scans = ACCOUNT(s).scans[account]
    share = weight(s, scans, market, quantity) - weight(s, scans, market, left)
    price = ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]]
    used = mul_div_down(equity, share, positions)
    if equity >= 0:
        # Haircuts and surcharges stay required when the position is gone: closing it may use up what is free of them.
        free = max(0, equity - (requirement - positions))
        fee = charge(ppm_up(abs(brings), MARKET_RULE(s)[market, M_LIQUIDATION_FEE_PPM]), price)
        used = max(mul_div_down(free, share, positions), min(used, fee))
    # Nobody owns more atoms than the bound, so a deficit beyond it is not paid any better by a larger number.
    return brings - clamp(atoms_down(used, price), -AMOUNT_MAX, AMOUNT_MAX)


@kernel
def bankruptcy_price(s, market, quantity, cash_of_all):
    """The price of closing the whole position at its bankruptcy cash, rounded towards the mark."""
    rule = MARKET_RULE(s)
    scale = rule[market, M_ATOMS_PER_TICK_LOT]
    price = rule[market, M_TICKS_MAX]
    if MARKET(s).scale[market] > 0:
        denom = abs(quantity) * scale
        price = mul_div_up(cash_of_all, 1, denom) if quantity > 0 else mul_div_down(-cash_of_all, 1, denom)
    elif quantity > 0 and cash_of_all < 0:
        price = mul_div_up(quantity, scale, -cash_of_all)
    elif quantity < 0 and cash_of_all > 0:
        price = mul_div_down(-quantity, scale, cash_of_all)
    return clamp(price, rule[market, M_TICKS_MIN], rule[market, M_TICKS_MAX])


@kernel
def spread_price(s, market, quantity, equity, requirement):
    """The price that costs a part of what the position is required: the more, the less healthy the account."""
    rule, held = MARKET_RULE(s), abs(quantity)
    share = min(PPM, mul_div_down(rule[market, M_URGENCY_PPM], requirement - equity, max(1, requirement)))
    atoms = position_atoms(s, market, quantity, notional_of(s, market, quantity))
    given = ppm_down(ppm_down(atoms, rule[market, M_SPREAD_PPM]), share)
    return bankruptcy_price(s, market, quantity, value_of_lots(s, market, quantity, held) - given)


@kernel
def limit_price(s, market, quantity, bankrupt, equity, requirement):
    """From the mark towards the bankruptcy price, within the slip; on the gaining side the mark is the limit."""
    rule, mark, side = MARKET_RULE(s), MARKET(s).mark[market], -1 if quantity > 0 else 1
    away = max(0, (bankrupt - mark) * side)
    if rule[market, M_SPREAD_PPM]:
        away = min(away, max(0, (spread_price(s, market, quantity, equity, requirement) - mark) * side))
    else:
        away = ppm_down(away, rule[market, M_REACH_PPM])
    return mark + side * min(away, ppm_down(mark, rule[market, M_SLIP_PPM]))


@kernel
def lots_to_restore(s, account, row):
    """The fewest lots whose closing at the mark, fee paid, leaves E >= M(restore); all if none does."""
    leg = LEG(s)
    market, held = leg.thing[row] - MARKET_0, abs(leg.quantity[row])
    rule, sign = MARKET_RULE(s), 1 if leg.quantity[row] > 0 else -1
    price = ASSET(s).price[rule[market, M_SETTLE]]
    fee_ppm = rule[market, M_LIQUIDATION_FEE_PPM]
    equity, requirement, _ = account_risk(s, account, FOR_RESTORE)
    others = requirement - perpetual_requirement(s, market, sign * held, FOR_RESTORE)
    low, high = 0, held  # closing `low` is not enough, closing `high` is
    if equity - charge(ppm_up(notional_of(s, market, held), fee_ppm), price) < others:
        return held
    while high - low > 1:
        lots = (low + high) >> 1
        left = equity - charge(ppm_up(notional_of(s, market, lots), fee_ppm), price)
        if left >= others + perpetual_requirement(s, market, sign * (held - lots), FOR_RESTORE):
            high = lots
        else:
            low = lots
    return high
