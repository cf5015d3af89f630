"""The least a leg can contribute to E - M while its drivers stay in their box. See "Boxes and certificates".

A market's driver is Y = W - (funding index - its reference), W the worth of a lot; an asset's driver is its price. A
contribution is concave in each driver (a line less a convex requirement), so its least value on a box is at a corner.
The requirement depends on W itself, at most Y + band. Of an inverse market W is rounded down, so boxes are proven up to
one unit beyond their upper end. Roundings of the parts are at most SLOP atoms together.

Promises
- On the box, E - M(maintain) of the leg is never below `corner_maintain`.
- E - M(open) of a leg loses at most d times its moving part while its driver is within d of the reference.
"""

import numpy as np

from steelyard.model.keys import (
    M_BRACKET_OPEN_PPM,
    M_CLOSING_PPM,
    M_DEDUCT_OPEN,
    M_HAS_SIZE,
    M_SETTLE,
    UNIT,
)
from steelyard.num import kernel, leaf, unlikely
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE_BITS, LEVERAGE_MAX, PPM
from steelyard.num.wide import multiply_shift_down
from steelyard.rules.cash import cash_requirement, charge, value
from steelyard.rules.interest import debt_up, highest_index
from steelyard.rules.requirement import bracket_of, position_atoms
from steelyard.rules.size_rates import size_open
from steelyard.rules.worth import notional_of
from steelyard.state.tables import ACCOUNT, ASSET, LEG, MARKET, MARKET_0, MARKET_RULE

SLOP = 16  # as many brackets as there are may each add an atom where they meet
# 1 / leverage in ppm, rounded up: a table, because a 64-bit division costs more than the rest of a corner.
RATE_OF_LEVERAGE = np.array([0] + [-(-PPM // leverage) for leverage in range(1, LEVERAGE_MAX + 1)], np.int64)


@leaf
def driver_value(s, market):
    """Y now."""
    table = MARKET(s)
    drift = table.funding_index[market] - table.funding_ref[market]
    return table.worth[market] - drift


@leaf
def equity_at(s, row, market, scale, y):
    """Equity in atoms at driver value y; exact, because the funding index is part of y."""
    leg = LEG(s)
    moved = y + leg.index_at_touch[row] - MARKET(s).funding_ref[market]
    return multiply_shift_down(leg.quantity[row] * scale, moved, INDEX_SCALE_BITS) - leg.cost[row]


@leaf
def highest_worth(s, market, y):
    """No lot is worth more, in index units, while the driver is at most y."""
    return y + MARKET(s).funding_band[market] + 1


@leaf
def maintain_at(s, row, market, scale, y):
    """E - M(maintain) in atoms of the settlement asset, a lower bound."""
    quantity = LEG(s).quantity[row]
    notional = multiply_shift_down(abs(quantity * scale), highest_worth(s, market, y), INDEX_SCALE_BITS) + 1
    needed = 0 if ACCOUNT(s).scans[LEG(s).account[row]] else position_atoms(s, market, quantity, notional)
    return equity_at(s, row, market, scale, y) - needed - SLOP


@leaf
def share_up(amount, rate_ppm):
    """At least ceil(amount * rate), with a multiplication instead of a division: 2**32 / 10**6 is just below 4,295."""
    return multiply_shift_down(amount, rate_ppm * 4295, 32) + 1


@leaf
def opening_bound(s, market, lots, notional, rate_ppm):
    """At least `opening_side`."""
    rule, i = MARKET_RULE(s), bracket_of(s, market, notional)
    base = share_up(notional, rule[market, M_BRACKET_OPEN_PPM + i]) - rule[market, M_DEDUCT_OPEN + i]
    base = max(base, share_up(notional, rate_ppm))
    if unlikely(rule[market, M_HAS_SIZE]):
        base = max(base, size_open(s, market, lots, notional))
    scale = MARKET(s).oi_scale_ppm[market]
    if scale > 0 and notional > base:
        base += share_up(notional - base, scale)
    closing = rule[market, M_CLOSING_PPM]
    if unlikely(closing):
        base = min(base + share_up(notional + base, closing), max(base, notional))
    return base


@leaf
def worst_value(low, high, price_low, price_high):
    """The least value of amounts between the corners, at prices between the corners."""
    worst = min(low, high)
    if price_low == ASSET_PRICE_SCALE and price_high == ASSET_PRICE_SCALE:
        return worst
    return min(value(worst, price_low), value(worst, price_high)) - 1


@kernel
def corner_maintain(s, row, price_low, price_high):
    """Least E - M(maintain) of a market leg on its box, for settlement prices between the two given."""
    leg = LEG(s)
    market = leg.thing[row] - MARKET_0
    if leg.quantity[row] == 0:
        return 0
    scale = MARKET(s).scale[market]
    low = maintain_at(s, row, market, scale, leg.box_low[row])
    high = maintain_at(s, row, market, scale, leg.box_high[row] + 1)
    return worst_value(low, high, price_low, price_high)


@leaf
def reference_terms(s, row, market, rate_ppm, bid_lots, ask_lots, bid_reserve, ask_reserve):
    """(E - M(open), what of it moves with the driver) of a market leg with these orders at its reference, in atoms.

    Bounds: the first from below, the second from above. Row 0 is a leg that is not open yet.
    """
    table, quantity = MARKET(s), LEG(s).quantity[row]
    # One side stands for both: the larger position with the larger reserve.
    larger = max(abs(quantity + bid_lots), abs(quantity - ask_lots))
    if larger == 0:  # then there is no position either
        return 0, 0
    notional = larger * table.open_lot[market]
    needed = opening_bound(s, market, larger, notional, rate_ppm) + max(bid_reserve, ask_reserve)
    needed += larger * table.open_gap[market]
    scale = table.scale[market]
    term = equity_at(s, row, market, scale, table.open_ref[market]) - needed - SLOP
    if unlikely(scale < 0):
        term -= larger >> (INDEX_SCALE_BITS - 1)  # W is rounded: once for E, once for M
    # E moves by |q| a per tick, M(open) by at most its larger side, which |q| never exceeds: no rate is above 1.
    moving = 2 * notional
    closing = MARKET_RULE(s)[market, M_CLOSING_PPM]
    return term, moving + share_up(moving, closing) if unlikely(closing) else moving


@leaf
def equity_gained(s, row, market, lots, trade_value):
    """At least what E of a leg gains at its reference by taking signed lots for this cost, in atoms."""
    moved = MARKET(s).open_ref[market] + LEG(s).index_at_touch[row] - MARKET(s).funding_ref[market]
    return multiply_shift_down(lots * MARKET(s).scale[market], moved, INDEX_SCALE_BITS) - trade_value


@kernel
def corner_cash(s, row, price_low, price_high, question):
    """Least E - M of cash in an asset whose price lies between the two given; of a debt, up to the highest index."""
    leg = LEG(s)
    asset, quantity = leg.thing[row], leg.quantity[row]
    if quantity < 0:
        quantity = -debt_up(-quantity, highest_index(s, asset), leg.index_at_touch[row])
    low = value(quantity, price_low) - cash_requirement(s, asset, quantity, price_low, question)
    high = value(quantity, price_high) - cash_requirement(s, asset, quantity, price_high, question)
    return min(low, high) - SLOP


@kernel
def exposure(s, row):
    """How much value moves with this leg's driver: decides how wide its box is compared with its neighbours'."""
    leg = LEG(s)
    thing, quantity = leg.thing[row], leg.quantity[row]
    if thing < MARKET_0:
        return 0 if thing == UNIT else charge(abs(quantity), ASSET(s).price[thing])
    market = thing - MARKET_0
    return charge(notional_of(s, market, quantity), ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]])
