"""The least a leg can contribute to E - M while its drivers stay in their box. See "Boxes and certificates".

A market's driver is Y = mark x S - (funding index - its reference); an asset's driver is its price. A contribution is
concave in each driver (a line less a convex requirement), so its least value on a box is at a corner. The requirement
depends on the mark itself, at most (Y + band) / S. Roundings of the parts are at most SLOP atoms together.

Promises
- On the box, E - M(maintain) of the leg is never below `corner_maintain`, and E - M(open) never below `corner_open`.
"""

import numpy as np

from steelyard.model.keys import M_ATOMS_PER_TICK_LOT, M_SETTLE
from steelyard.num import kernel, leaf
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE_BITS, LEVERAGE_MAX, PPM
from steelyard.num.rounding import ppm_up
from steelyard.num.wide import multiply_shift_down
from steelyard.rules.requirement import (
    cash_requirement,
    charge,
    leverage_of,
    maintain_atoms,
    open_atoms,
    value,
)
from steelyard.state.tables import ASSET, LEG, MARKET, MARKET_0, MARKET_RULE

SLOP = 4
# 1 / leverage in ppm, rounded up: a table, because a 64-bit division costs more than the rest of a corner.
RATE_OF_LEVERAGE = np.array([0] + [-(-PPM // leverage) for leverage in range(1, LEVERAGE_MAX + 1)], np.int64)


@leaf
def driver_value(s, market):
    """Y now."""
    table = MARKET(s)
    drift = table.funding_index[market] - table.funding_ref[market]
    return (table.mark[market] << INDEX_SCALE_BITS) - drift


@leaf
def equity_at(s, row, market, scale, y):
    """Equity in atoms at driver value y; exact, because the funding index is part of y."""
    leg = LEG(s)
    moved = y + leg.funding_at_touch[row] - MARKET(s).funding_ref[market]
    return multiply_shift_down(leg.quantity[row] * scale, moved, INDEX_SCALE_BITS) - leg.cost[row]


@leaf
def highest_mark(s, market, y):
    return ((y + MARKET(s).funding_band[market]) >> INDEX_SCALE_BITS) + 1


@leaf
def lowest_mark(s, market, y):
    return max(0, (y - MARKET(s).funding_band[market]) >> INDEX_SCALE_BITS)


@leaf
def maintain_at(s, row, market, scale, y):
    """E - M(maintain) in atoms of the settlement asset, a lower bound."""
    quantity = LEG(s).quantity[row]
    notional = abs(quantity) * highest_mark(s, market, y) * scale
    return equity_at(s, row, market, scale, y) - maintain_atoms(s, market, notional) - SLOP


@leaf
def opening_bound(s, market, notional, rate_ppm):
    """At least `opening_side`, without its division."""
    base = max(open_atoms(s, market, notional), ppm_up(notional, rate_ppm))
    scale = MARKET(s).oi_scale_ppm[market]
    if scale > 0 and notional > base:
        base += ppm_up(notional - base, scale)
    return base


@leaf
def open_at(s, row, market, scale, y, rate_ppm, bid_lots, ask_lots, bid_reserve, ask_reserve):
    """E - M(open) in atoms of the settlement asset with these orders, a lower bound."""
    quantity = LEG(s).quantity[row]
    lot_notional = highest_mark(s, market, y) * scale
    bids = opening_bound(s, market, abs(quantity + bid_lots) * lot_notional, rate_ppm) + bid_reserve
    asks = opening_bound(s, market, abs(quantity - ask_lots) * lot_notional, rate_ppm) + ask_reserve
    return equity_at(s, row, market, scale, y) - max(bids, asks) - SLOP


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
    scale = MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT]
    low = maintain_at(s, row, market, scale, leg.box_low[row])
    high = maintain_at(s, row, market, scale, leg.box_high[row])
    return worst_value(low, high, price_low, price_high)


@kernel
def corner_open(s, row, price_low, price_high, bid_lots, ask_lots, bid_reserve, ask_reserve):
    """Least E - M(open) of a market leg on its box with these orders."""
    leg = LEG(s)
    market = leg.thing[row] - MARKET_0
    if leg.quantity[row] == 0 and bid_lots == 0 and ask_lots == 0:
        return 0
    scale = MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT]
    rate_ppm = RATE_OF_LEVERAGE[leverage_of(s, row)]
    low = open_at(s, row, market, scale, leg.box_low[row], rate_ppm, bid_lots, ask_lots, bid_reserve, ask_reserve)
    high = open_at(s, row, market, scale, leg.box_high[row], rate_ppm, bid_lots, ask_lots, bid_reserve, ask_reserve)
    return worst_value(low, high, price_low, price_high)


@kernel
def corner_cash(s, row, price_low, price_high, question):
    """Least E - M of cash in an asset whose price lies between the two given."""
    leg = LEG(s)
    asset, quantity = leg.thing[row], leg.quantity[row]
    low = value(quantity, price_low) - cash_requirement(s, asset, quantity, price_low, question)
    high = value(quantity, price_high) - cash_requirement(s, asset, quantity, price_high, question)
    return min(low, high) - SLOP


@kernel
def exposure(s, row):
    """How much value moves with this leg's driver: decides how wide its box is compared with its neighbours'."""
    leg = LEG(s)
    thing, quantity = leg.thing[row], leg.quantity[row]
    if thing < MARKET_0:
        return 0 if thing == 1 else charge(abs(quantity), ASSET(s).price[thing])
    market = thing - MARKET_0
    rule = MARKET_RULE(s)
    atoms = abs(quantity) * MARKET(s).mark[market] * rule[market, M_ATOMS_PER_TICK_LOT]
    return charge(atoms, ASSET(s).price[rule[market, M_SETTLE]])
