"""What the shares of a pool are worth, and what it gained for them. See docs/concepts/pools.md and sharing.md.

Promises
- There and back never gives more coins than were there; nor do several parts more than the whole.
- All shares together are never worth more than the pool's assets.
- What all legs of shares may claim together is never more than what was divided among them.
"""

from steelyard.model.keys import A_POOL_GAINS, A_POOL_KIND, A_POOL_OF
from steelyard.model.orders import ABSORBS, LENDER
from steelyard.num import far, kernel
from steelyard.num.limits import GAIN_SCALE, SPENT_SHARES, VALUE_MAX, VIRTUAL_ATOMS, VIRTUAL_SHARES
from steelyard.num.rounding import mul_div_down
from steelyard.num.wide import product_is_less
from steelyard.rules.interest import cash_of, debt_part
from steelyard.state.tables import ASSET, ASSET_RULE, LEG, MACHINE


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


@kernel
def assets_of(s, share):
    """What belongs to the holders of a pool's shares: of a stake pool the keeper's cash, else what is lent."""
    asset, keeper = ASSET_RULE(s)[share, A_POOL_OF], ASSET(s).keeper[share]
    if keeper:
        return cash_of(s, keeper, asset)
    return max(0, cash_of(s, LENDER, asset)) + unsettled(s, asset)


@kernel
def is_spent(s, share):
    """Whether a stake pool's shares are worth less than a hundredth of what the first one was."""
    shares = ASSET(s).deposited[share]
    worth = assets_of(s, share) + VIRTUAL_ATOMS
    return shares > 0 and product_is_less(worth, SPENT_SHARES, shares + VIRTUAL_SHARES, 1) != 0


@kernel
def absorbing_pool(s, staked, gained):
    """The share of the pool that takes debts in one asset for collateral in another, the last of several; or 0."""
    rule, row = ASSET_RULE(s), MACHINE(s).assets[0]
    while row:
        if rule[row, A_POOL_KIND] == ABSORBS and rule[row, A_POOL_OF] == staked and rule[row, A_POOL_GAINS] == gained:
            return row
        row -= 1
    return 0


@kernel
def sharing_part(s, row):
    """What of a leg shares in gains: shares, or of an asset whose borrowers gain what was borrowed."""
    leg = LEG(s)
    quantity = leg.quantity[row]
    if ASSET_RULE(s)[leg.thing[row], A_POOL_OF]:
        return quantity
    return debt_part(-quantity, leg.index_at_touch[row]) if quantity < 0 else 0


@kernel
def sharing_parts(s, asset):
    """The parts of all legs together."""
    return ASSET(s).deposited[asset] if ASSET_RULE(s)[asset, A_POOL_OF] else ASSET(s).debt_shares[asset]


@far
def gain_of(s, row):
    """What a leg of something that gains may claim, rounded down."""
    leg, asset = LEG(s), LEG(s).thing[row]
    then = leg.index_at_touch[row] if ASSET_RULE(s)[asset, A_POOL_OF] else leg.cost[row]
    return mul_div_down(sharing_part(s, row), ASSET(s).gained[asset] - then, GAIN_SCALE)
