"""The position part of M by scenarios, for accounts margined by them. See docs/concepts/requirements.md.

Promises
- Values of the legs of a group add up in each scenario; its worst one counts. Groups add up.
- With orders (M open) it is never less than without, and never less than with any of them filled.
- What a leg requires alone is never below zero, and below one of no lots it holds.
"""

from steelyard.model.keys import (
    M_GROUP,
    M_RESTORE_PPM,
    M_SETTLE,
    M_TAKEOVER_PPM,
    S_BASIS,
    S_OPEN_PPM,
    S_SHORT,
    S_VALUE,
    S_WORST_LONG,
    S_WORST_SHORT,
)
from steelyard.model.orders import FOR_MAINTAIN, FOR_RESTORE, FOR_TAKEOVER
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import PPM, SCENARIOS
from steelyard.num.rounding import mul_div_down, mul_div_up, ppm_up
from steelyard.rules.cash import charge, is_opening, value
from steelyard.rules.pairs import is_pair
from steelyard.state.tables import ACCOUNT, ARRAY_RULE, ASSET, LEG, LEG_OPEN, MARKET_0, MARKET_RULE


@leaf
def group_of(s, market):
    """Markets of no group are groups of their own."""
    group = MARKET_RULE(s)[market, M_GROUP]
    return group if group else -market


@leaf
def settle_price(s, market):
    return ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]]


@kernel
def alone(s, market, lots):
    """What so many lots require with nothing else beside them, in value; at least 1."""
    rule, price = ARRAY_RULE(s), settle_price(s, market)
    if lots == 0:
        return 0
    needed = max(0, -value(mul_div_down(lots, rule[market, S_WORST_LONG if lots > 0 else S_WORST_SHORT], PPM), price))
    if lots < 0:
        needed += charge(mul_div_up(-lots, rule[market, S_SHORT], PPM), price)
    return max(1, needed)


@kernel
def alone_atoms(s, market, lots):
    """The same in atoms of the settlement asset."""
    rule = ARRAY_RULE(s)
    if lots == 0:
        return 0
    needed = max(0, -mul_div_down(lots, rule[market, S_WORST_LONG if lots > 0 else S_WORST_SHORT], PPM))
    return max(1, needed + (mul_div_up(-lots, rule[market, S_SHORT], PPM) if lots < 0 else 0))


@kernel
def worse_change(s, market, scenario, low, high):
    """What lots between these gain in a scenario at worst, in value, rounded down."""
    per_lot, price = ARRAY_RULE(s)[market, S_VALUE + scenario], settle_price(s, market)
    change = value(mul_div_down(low, per_lot, PPM), price)
    return change if low == high else min(change, value(mul_div_down(high, per_lot, PPM), price))


@kernel
def exposure_up(s, market, low, high, sign):
    """What of lots between these is at most on one side of its group, in value, rounded up."""
    per_lot = sign * ARRAY_RULE(s)[market, S_BASIS]
    most = max(0, mul_div_up(low, per_lot, PPM), mul_div_up(high, per_lot, PPM))
    return charge(most, settle_price(s, market))


@leaf
def is_held(s, row):
    """Whether a leg is a position, or has orders that may become one."""
    orders = LEG_OPEN(s)
    return LEG(s).quantity[row] != 0 or orders.bid_lots[row] != 0 or orders.ask_lots[row] != 0


@kernel
def lots_of(s, row, opening, market, low, high):
    """(lowest, highest) lots that count of a leg."""
    quantity, orders = LEG(s).quantity[row], LEG_OPEN(s)
    if LEG(s).thing[row] - MARKET_0 == market:
        return low, high
    return (quantity - orders.ask_lots[row], quantity + orders.bid_lots[row]) if opening else (quantity, quantity)


@kernel
def next_of_group(s, row, group):
    """This leg or the next one that is of a group; 0 if none is."""
    leg = LEG(s)
    while row:
        held = leg.thing[row] - MARKET_0
        if held > 0 and group_of(s, held) == group and not is_pair(s, held):
            return row
        row = leg.next_of_account[row]
    return 0


@far
def scan_group(s, account, group, opening, market, low, high):
    """A group's worst scenario, what offsets each other in it, and its shorts. Lots of one market may be others."""
    leg = LEG(s)
    first, worst, met = next_of_group(s, ACCOUNT(s).first_leg[account], group), 0, 0
    row, longs, shorts, extra = first, 0, 0, 0
    while row:
        held = leg.thing[row] - MARKET_0
        least, most = lots_of(s, row, opening, market, low, high)
        met += int(held == market)
        longs += exposure_up(s, held, least, most, 1)
        shorts += exposure_up(s, held, least, most, -1)
        extra += charge(mul_div_up(max(0, -least), ARRAY_RULE(s)[held, S_SHORT], PPM), settle_price(s, held))
        row = next_of_group(s, leg.next_of_account[row], group)
    beside = market != 0 and met == 0 and group_of(s, market) == group
    if beside:
        longs += exposure_up(s, market, low, high, 1)
        shorts += exposure_up(s, market, low, high, -1)
        extra += charge(mul_div_up(max(0, -low), ARRAY_RULE(s)[market, S_SHORT], PPM), settle_price(s, market))
    for scenario in range(SCENARIOS):
        change = worse_change(s, market, scenario, low, high) if beside else 0
        row = first
        while row:
            least, most = lots_of(s, row, opening, market, low, high)
            if least != 0 or most != 0:
                change += worse_change(s, leg.thing[row] - MARKET_0, scenario, least, most)
            row = next_of_group(s, leg.next_of_account[row], group)
        worst = max(worst, -change)
    return worst + min(longs, shorts) + extra


@kernel
def scan_factor(s, account, question, market, low, high):
    """What the scan is multiplied by: the strictest of the markets that are held, with these lots of one (0: none)."""
    leg, rule = LEG(s), MARKET_RULE(s)
    factor = PPM
    row, extra = ACCOUNT(s).first_leg[account], market if low != 0 or high != 0 else 0
    while row or extra:
        held = extra if extra else leg.thing[row] - MARKET_0
        if extra or (held > 0 and held != market and not is_pair(s, held) and is_held(s, row)):
            if question == FOR_RESTORE:
                factor = max(factor, rule[held, M_RESTORE_PPM])
            elif question == FOR_TAKEOVER:
                factor = min(factor, rule[held, M_TAKEOVER_PPM])
            else:
                factor = max(factor, ARRAY_RULE(s)[held, S_OPEN_PPM])
        row = row if extra else leg.next_of_account[row]
        extra = 0
    return factor


@far
def scan_part(s, account, question, market, low, high):
    """The position part of M of an account by scenarios; in `market` (0: none) it holds lots between these instead."""
    leg, opening = LEG(s), is_opening(question)
    total, met = 0, 0
    first = ACCOUNT(s).first_leg[account]
    row = first
    while row:
        held = leg.thing[row] - MARKET_0
        if held > 0 and not is_pair(s, held):
            group = group_of(s, held)
            if next_of_group(s, first, group) == row:  # the first of its group answers for it
                total += scan_group(s, account, group, opening, market, low, high)
            met += int(market != 0 and group == group_of(s, market))
        row = leg.next_of_account[row]
    if market and met == 0:
        total += scan_group(s, account, group_of(s, market), opening, market, low, high)
    return total if question == FOR_MAINTAIN else ppm_up(total, scan_factor(s, account, question, market, low, high))
