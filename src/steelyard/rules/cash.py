"""What cash is worth and requires: value in the unit of account, haircuts and surcharges.

Promises
- Every value rounds down and every requirement up.
- Cash that is held never requires more than it is worth.
"""

from steelyard.model.keys import (
    A_BORROW_WEIGHT_PPM,
    A_TARGET_PPM,
    A_TIER_MAINTAIN_PPM,
    A_TIER_OPEN_PPM,
    A_TIER_UPPER,
    A_TIERS,
)
from steelyard.model.orders import FOR_LEAVING, FOR_OPEN, FOR_REDUCE, FOR_RESTORE, TO_WITHDRAW
from steelyard.num import kernel, leaf
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM, VALUE_MAX
from steelyard.num.rounding import clamp, mul_div_down, mul_div_up, ppm_up, trillionth_down
from steelyard.rules.price import is_asset_good
from steelyard.state.tables import ASSET, ASSET_RULE, MACHINE


@leaf
def value(atoms, price):
    """What atoms are worth, rounded down. A leg counts at most VALUE_MAX either way, so that sums always fit."""
    if price != ASSET_PRICE_SCALE:
        atoms = trillionth_down(atoms, price)
    return clamp(atoms, -VALUE_MAX, VALUE_MAX)


@leaf
def charge(atoms, price):
    """What atoms of requirement weigh, rounded up; at most VALUE_MAX."""
    if price != ASSET_PRICE_SCALE:
        atoms = -trillionth_down(-atoms, price)
    return clamp(atoms, -VALUE_MAX, VALUE_MAX)


@leaf
def atoms_down(amount, price):
    """Atoms worth at most this value."""
    if price == ASSET_PRICE_SCALE:
        return amount
    return mul_div_down(amount, ASSET_PRICE_SCALE, price) if price > 0 else 0


@leaf
def atoms_up(amount, price):
    """The fewest atoms worth at least this value."""
    if price == ASSET_PRICE_SCALE:
        return amount
    return mul_div_up(amount, ASSET_PRICE_SCALE, price) if price > 0 else 0


@leaf
def is_price_fresh(s, asset):
    """Whether an asset's price is good for opening."""
    return MACHINE(s).now_ns[0] <= ASSET(s).fresh_until_ns[asset]


@leaf
def is_opening(question):
    return question == FOR_OPEN or question == FOR_REDUCE or question == FOR_LEAVING


@leaf
def is_wide(question):
    """Whether a question counts assets low and debts high."""
    return question == FOR_OPEN or question == FOR_LEAVING


@kernel
def cash_requirement(s, asset, quantity, price, question):
    """Haircut of an asset held, or surcharge of one owed, in value."""
    rule = ASSET_RULE(s)
    if quantity < 0:
        weight = rule[asset, A_BORROW_WEIGHT_PPM]
        if question == FOR_RESTORE:
            weight = max(weight, rule[asset, A_TARGET_PPM])
        return ppm_up(charge(-quantity, price), weight - PPM)
    if question == FOR_OPEN and not is_price_fresh(s, asset):
        return value(quantity, price)  # nobody knows what it is worth: it carries no new risk
    if question == FOR_LEAVING and not is_asset_good(s, asset, TO_WITHDRAW):
        return value(quantity, price)
    weights = A_TIER_OPEN_PPM if is_opening(question) else A_TIER_MAINTAIN_PPM
    total, below = 0, 0
    for i in range(rule[asset, A_TIERS]):
        upper = min(quantity, rule[asset, A_TIER_UPPER + i])
        if upper > below:
            total += ppm_up(charge(upper - below, price), PPM - rule[asset, weights + i])
            below = upper
    if quantity > below:
        total += charge(quantity - below, price)
    # Roundings of the parts must not make cash alone unhealthy.
    return min(total, value(quantity, price))


@kernel
def cash_needed(s, asset, quantity, question):
    """M of so much cash in an asset at its price; where risk rises an asset counts low, a debt high."""
    table = ASSET(s)
    price, below, above = table.price[asset], table.below[asset], table.above[asset]
    if is_wide(question) and below | above:
        if quantity >= 0:
            lost = value(quantity, price) - value(quantity, price - below)
            return lost + cash_requirement(s, asset, quantity, price - below, question)
        more = charge(-quantity, price + above) - charge(-quantity, price)
        return more + cash_requirement(s, asset, quantity, price + above, question)
    return cash_requirement(s, asset, quantity, price, question)
