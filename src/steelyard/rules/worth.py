"""What lots are worth at a price: the one place that knows kinds of contracts. See docs/concepts/contracts.md.

Promises
- worth(-lots) = -worth(lots): both sides of a trade book the same number.
- More lots are never worth less, on either side.
- The worth of a position is linear in `lot_worth` to less than one atom and one index unit per lot.
"""

from steelyard.model.keys import M_ATOMS_PER_TICK_LOT, M_PAID
from steelyard.num import far, leaf, unlikely
from steelyard.num.limits import INDEX_SCALE, INDEX_SCALE_BITS
from steelyard.num.rounding import mul_div_down, mul_div_up
from steelyard.state.tables import MARKET, MARKET_RULE


@leaf
def is_paid(s, market):
    """Whether a fill pays its whole price at once, so that a position's cost is 0."""
    return MARKET_RULE(s)[market, M_PAID] != 0


@far
def inverse_worth(s, market, lots, price):
    """What signed lots of an inverse market cost at a price; nothing is worth anything before there is one."""
    if price == 0:
        return 0
    size = mul_div_down(abs(lots), MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT], price)
    return -size if lots > 0 else size


@leaf
def worth(s, market, lots, price):
    """What signed lots cost at a price, in atoms of the settlement asset."""
    scale = MARKET(s).scale[market]
    if unlikely(scale < 0):
        return inverse_worth(s, market, lots, price)
    return lots * price * scale


@leaf
def notional_of(s, market, lots):
    """N: the worth of these lots at the mark, whatever their sign."""
    return abs(worth(s, market, lots, MARKET(s).mark[market]))


@far
def closing_worth(s, market, quantity, price):
    """What closing a whole position costs at a settlement price, rounded against it."""
    scale = MARKET(s).scale[market]
    if scale > 0:
        return -quantity * price * scale
    return mul_div_up(quantity, MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT], price)


@leaf
def gained(s, market, quantity, lots, cost):
    """What E of a position gains, in atoms, by taking signed lots for this cost."""
    mark = MARKET(s).mark[market]
    if MARKET(s).scale[market] > 0:
        return worth(s, market, lots, mark) - cost
    return worth(s, market, quantity + lots, mark) - worth(s, market, quantity, mark) - cost


@far
def lot_worth(s, market, price):
    """W: the worth of a lot at a price, in index units; without its sign."""
    if MARKET(s).scale[market] > 0:
        return price << INDEX_SCALE_BITS
    return mul_div_down(MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT], INDEX_SCALE, price)


@far
def inverse_locked_in(s, market, side, price):
    """What a lot of an inverse market loses at once by crossing the mark at this price, rounded up."""
    mark = MARKET(s).mark[market]
    beyond = (price - mark) * side
    return mul_div_up(MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT], beyond, price * mark) if beyond > 0 else 0


@far
def inverse_lot_up(s, market, price):
    """What a lot of an inverse market is worth at a price, rounded up."""
    return mul_div_up(MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT], 1, price)


@far
def lost_at_worse_end(s, market, lots):
    """What signed lots lose, in atoms, if the index is at the worse end for them of what it may be."""
    table = MARKET(s)
    index = table.index[market]
    end = index - table.below[market] if lots > 0 else index + table.above[market]
    return worth(s, market, lots, index) - worth(s, market, lots, end)


@far
def index_gap(s, market):
    """At least what a lot loses at either end, rounded up: of more lots no more than as many times this."""
    table = MARKET(s)
    index, below, above, scale = table.index[market], table.below[market], table.above[market], table.scale[market]
    if scale > 0:
        return max(below, above) * scale
    if below | above == 0:
        return 0
    per_lot = MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT]
    down, up = index * (index - below), index * (index + above)
    return max(mul_div_up(per_lot, below, down), mul_div_up(per_lot, above, up))
