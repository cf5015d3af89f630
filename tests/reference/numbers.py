"""Exact quotients and their two roundings. See docs/concepts/numbers.md."""

from steelyard.model.keys import M_ATOMS_PER_TICK_LOT, M_POSITION_LOTS_MAX, M_TICKS_MAX
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE, PPM, VALUE_MAX


def down(numer, denom):
    return numer // denom


def up(numer, denom):
    return -(-numer // denom)


def clamp(number, low, high):
    return max(low, min(number, high))


def value(atoms, price):
    """What atoms are worth, in atoms of the unit of account."""
    return clamp(atoms * price // ASSET_PRICE_SCALE, -VALUE_MAX, VALUE_MAX)


def charge(atoms, price):
    """What a requirement of so many atoms asks for, in atoms of the unit of account."""
    return clamp(-(-atoms * price // ASSET_PRICE_SCALE), -VALUE_MAX, VALUE_MAX)


def atoms_worth_down(worth, price):
    return down(worth * ASSET_PRICE_SCALE, price)


def atoms_worth_up(worth, price):
    return up(worth * ASSET_PRICE_SCALE, price)


def largest_position(rule):
    """Atoms of the largest position at the highest price of a market."""
    return rule[M_POSITION_LOTS_MAX] * rule[M_TICKS_MAX] * rule[M_ATOMS_PER_TICK_LOT]


def part_up(amount, ppm):
    return up(amount * ppm, PPM)


def part_down(amount, ppm):
    return down(amount * ppm, PPM)


def funding_owed(quantity, atoms_per_tick_lot, index, index_at_touch):
    """(whole atoms to pay, what that is more than was owed, in 2^-20 atoms)."""
    exact = quantity * atoms_per_tick_lot * (index - index_at_touch)
    paid = up(exact, INDEX_SCALE)
    return paid, paid * INDEX_SCALE - exact
