"""Requirement rates that grow with the size of a position. See docs/concepts/requirements.md.

Promises
- A rate depends on lots alone, never falls as they grow, and is at most one.
"""

from steelyard.model.keys import M_HAS_SIZE, M_SIZE_MAINTAIN_PPM, M_SIZE_OPEN_PPM, REQUIRES_ARRAY, S_OPEN_PPM
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import PPM, SIZE_ROOT_MAX, SIZE_SCALE
from steelyard.num.rounding import ppm_up, root_up, trillionth_down
from steelyard.num.wide import multiply
from steelyard.rules.scan import alone_atoms
from steelyard.state.tables import ARRAY_RULE, MARKET_RULE

BILLIONTH = SIZE_SCALE // 1_000_000_000


@leaf
def rate_of(lots, base_ppm, slope, root):
    """The rate of so many lots, in 10**-12: the larger of the straight line and the root, at most one."""
    steep, overflowed = multiply(slope, lots)
    if overflowed or steep >= SIZE_SCALE:
        return SIZE_SCALE
    square, overflowed = multiply(root, lots)
    if overflowed or square >= SIZE_ROOT_MAX:
        return SIZE_SCALE
    line = base_ppm * (SIZE_SCALE // PPM) + steep
    return min(SIZE_SCALE, max(line, root_up(square) * BILLIONTH))


@kernel
def size_rate(s, market, keys, lots):
    rule = MARKET_RULE(s)
    return rate_of(lots, rule[market, keys], rule[market, keys + 1], rule[market, keys + 2])


@far
def size_atoms(s, market, keys, lots, notional):
    """What the rate of this many lots asks for at a notional, rounded up."""
    return -trillionth_down(-notional, size_rate(s, market, keys, abs(lots)))


@far
def sized_atoms(s, market, keys, lots, notional, atoms):
    """Where more than brackets decide: what the market's array asks for, or the larger of `atoms` and the rate."""
    if MARKET_RULE(s)[market, M_HAS_SIZE] == REQUIRES_ARRAY:
        needed = alone_atoms(s, market, lots)
        return needed if keys == M_SIZE_MAINTAIN_PPM else ppm_up(needed, ARRAY_RULE(s)[market, S_OPEN_PPM])
    return max(atoms, size_atoms(s, market, keys, lots, notional))


@leaf
def size_maintain(s, market, lots, notional):
    return size_atoms(s, market, M_SIZE_MAINTAIN_PPM, lots, notional)


@leaf
def size_open(s, market, lots, notional):
    return size_atoms(s, market, M_SIZE_OPEN_PPM, lots, notional)
