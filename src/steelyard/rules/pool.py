"""What the shares of a lending pool are worth. See docs/concepts/pools.md.

Promises
- There and back never gives more coins than were there; nor do several parts more than the whole.
- All shares together are never worth more than the pool's assets.
"""

from steelyard.model.orders import LENDER
from steelyard.num import kernel
from steelyard.num.limits import VALUE_MAX, VIRTUAL_ATOMS, VIRTUAL_SHARES
from steelyard.num.rounding import mul_div_down
from steelyard.rules.interest import cash_of
from steelyard.state.tables import ASSET


@kernel
def shares_down(coins, assets, shares):
    """The shares that coins buy."""
    return mul_div_down(coins, shares + VIRTUAL_SHARES, assets + VIRTUAL_ATOMS)


@kernel
def coins_down(count, assets, shares):
    """The coins that so many of the shares are worth."""
    return mul_div_down(count, assets + VIRTUAL_ATOMS, shares + VIRTUAL_SHARES)


@kernel
def share_price(price, assets, shares):
    return min(VALUE_MAX, mul_div_down(price, assets + VIRTUAL_ATOMS, shares + VIRTUAL_SHARES))


@kernel
def pool_assets(s, asset):
    """What belongs to the lenders of an asset, by what has accrued."""
    return max(0, cash_of(s, LENDER, asset)) + unsettled(s, asset)


@kernel
def is_emptied(s, asset):
    """Whether the lenders of a pool have lost everything: there are shares, and nothing that they are shares of."""
    return ASSET(s).deposited[ASSET(s).pool[asset]] > 0 and pool_assets(s, asset) <= 0


@kernel
def unsettled(s, asset):
    """Interest that was not settled yet, less what the house keeps of it."""
    table = ASSET(s)
    return table.owed[asset] - table.loans[asset] - table.reserve[asset]
