"""What an asset is worth: a new price reaches whoever holds or owes it, and the shares of its pool."""

from steelyard.engine.alarms import asset_driver, ring
from steelyard.engine.events import say
from steelyard.engine.opening import gap_for, note_deviation
from steelyard.model.events import SHARE_PRICE_SET
from steelyard.model.keys import A_POOL_OF
from steelyard.num import far, kernel
from steelyard.rules.pool import assets_of, share_price, unsettled
from steelyard.state.tables import ASSET, ASSET_RULE, LEG, MACHINE


@kernel
def set_price(s, asset, price):
    """An asset's price changed."""
    table, machine = ASSET(s), MACHINE(s)
    table.price[asset] = price
    machine.prices_moved[0] = 1
    table.moved_seq[asset] = machine.seq[0]
    ring(s, asset_driver(s, asset), price)
    note_deviation(s, price, table.open_ref[asset])
    return 0


@kernel
def set_gap(s, asset, below, above):
    """How far an asset's price may be wrong; opening slacks count a gap that is at least as wide."""
    table = ASSET(s)
    table.below[asset] = below
    table.above[asset] = above
    table.open_gap[asset] = gap_for(s, table.open_gap[asset], max(below, above))
    return 0


@kernel
def lent(s, lender_row):
    """What the lender has of an asset, by its cash leg (0: none)."""
    return max(0, LEG(s).quantity[lender_row]) if lender_row else 0


@kernel
def show_price(s, share, asset, assets):
    """What the price of shares depends on may have changed: so may the price."""
    table = ASSET(s)
    table.fresh_until_ns[share] = table.fresh_until_ns[asset]
    shares = table.deposited[share]
    price = share_price(table.price[asset], assets, shares)
    if price != table.price[share]:
        set_price(s, share, price)
        say(s, SHARE_PRICE_SET, 0, share, 0, 0, 0, price, shares, assets, 0, 0, 0, 0, 0)
    low = share_price(table.price[asset] - table.below[asset], assets, shares)
    high = share_price(table.price[asset] + table.above[asset], assets, shares)
    set_gap(s, share, price - low, high - price)
    return 0


@far
def show_share(s, asset, lender_row):
    """What is lent of an asset, or its price, changed."""
    return show_price(s, ASSET(s).pool[asset], asset, lent(s, lender_row) + unsettled(s, asset))


@far
def show_stake(s, share):
    """What a stake pool has, or the price of it, changed."""
    return show_price(s, share, ASSET_RULE(s)[share, A_POOL_OF], assets_of(s, share))


@far
def show_stakes(s, asset):
    """The price of an asset changed, in which there are stake pools."""
    share = ASSET(s).stakes[asset]
    while share:
        show_stake(s, share)
        share = ASSET(s).next_stake[share]
    return 0


@kernel
def link_stake(s, share):
    """Put a stake pool into the list of its asset, in order of row."""
    table = ASSET(s)
    before, after = 0, table.stakes[ASSET_RULE(s)[share, A_POOL_OF]]
    while after:
        before, after = after, table.next_stake[after]
    if before:
        table.next_stake[before] = share
    else:
        table.stakes[ASSET_RULE(s)[share, A_POOL_OF]] = share
    return 0
