"""Exact quotients and their two roundings. See docs/concepts/numbers.md."""

from steelyard.model.keys import M_ATOMS_PER_TICK_LOT, M_KIND, M_POSITION_LOTS_MAX, M_TICKS_MAX, M_TICKS_MIN
from steelyard.model.orders import INVERSE
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


def is_inverse(rule):
    return rule[M_KIND] == INVERSE


def worth(rule, lots, price):
    """What signed lots cost at a price, in atoms of the settlement asset."""
    if not is_inverse(rule):
        return lots * price * rule[M_ATOMS_PER_TICK_LOT]
    size = down(abs(lots) * rule[M_ATOMS_PER_TICK_LOT], price) if price else 0
    return -size if lots > 0 else size


def largest_worth(rule, lots):
    """Atoms that lots are worth at the end of the ladder at which they are worth most."""
    if is_inverse(rule):
        return up(lots * rule[M_ATOMS_PER_TICK_LOT], rule[M_TICKS_MIN])
    return lots * rule[M_TICKS_MAX] * rule[M_ATOMS_PER_TICK_LOT]


def largest_position(rule):
    return largest_worth(rule, rule[M_POSITION_LOTS_MAX])


def part_up(amount, ppm):
    return up(amount * ppm, PPM)


def part_down(amount, ppm):
    return down(amount * ppm, PPM)


def funding_owed(rule, quantity, index, index_at_touch):
    """(whole atoms to pay, what that is more than was owed, in 2^-20 atoms)."""
    scale = -1 if is_inverse(rule) else rule[M_ATOMS_PER_TICK_LOT]
    exact = quantity * scale * (index - index_at_touch)
    paid = up(exact, INDEX_SCALE)
    return paid, paid * INDEX_SCALE - exact
