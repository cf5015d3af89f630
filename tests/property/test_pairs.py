"""What orders in pairs ask for is enough, whichever orders of one side of each pair are filled."""

from random import Random

import pytest

from steelyard.model.keys import M_ATOMS_PER_TICK_LOT
from steelyard.model.orders import FOR_OPEN, RESTING
from steelyard.state.tables import MARKET_0
from tests.property.flows import Flow
from tests.reference import excess, health, pairs

ROUNDINGS = 40  # atoms: two for each tier and asset on both sides


def orders_in_pairs(twin, account):
    resting = [order for order in twin.open_orders(account) if order.state == RESTING]
    return [order for order in resting if pairs.is_pair(twin.markets[order.market])]


def spare(twin, legs):
    """E - M(open), but for what is asked where there is too much of one thing: it does not know of orders in pairs."""
    asked = health.requirement(twin, legs, FOR_OPEN) - excess.part(twin, legs, FOR_OPEN)
    return health.equity(twin, legs) - asked


def worth_without_orders(twin, legs):
    """E - M(open) of cash and positions, positions with their own orders."""
    kept = {thing: leg for thing, leg in legs.items() if thing < MARKET_0 or not pairs.pair_legs(twin, {thing: leg})}
    return spare(twin, kept)


def fill_some(twin, random, account):
    """An account's legs after a random part of its orders on one side of each pair was filled."""
    legs, sides = twin.legs_of(account), {market: random.choice((1, -1)) for market in twin.markets}
    for order in orders_in_pairs(twin, account):
        if order.side != sides[order.market]:
            continue
        lots = random.choice((0, order.remaining, random.randint(0, order.remaining)))
        market = twin.markets[order.market]
        notional = lots * order.price * market.rule[M_ATOMS_PER_TICK_LOT]
        paid_at_most = lots * order.reserve
        quote = -paid_at_most if order.side > 0 else min(notional, paid_at_most)
        base = order.side * lots * market.rule[pairs.M_LOT_ATOMS]
        legs = pairs.exchanged(twin, legs, dict(zip(pairs.assets_of(market), (base, quote), strict=True)))
    return legs


@pytest.mark.parametrize("seed", range(900, 912))
def test_whatever_is_filled_costs_no_more_than_was_required(seed):
    flow, random, looked = Flow(seed), Random(seed), 0
    flow.pairs = flow.pairs or [flow.pair()]
    flow.traded = (4,)
    for number, _ in enumerate(flow.commands(160)):
        twin = flow.twin
        if number % 4 or len(twin.markets) < 4:
            continue
        for account in list(twin.accounts):
            if not orders_in_pairs(twin, account):
                continue
            legs = twin.legs_of(account)
            before = spare(twin, legs)
            for _ in range(4):
                after = worth_without_orders(twin, fill_some(twin, random, account))
                assert after >= before - ROUNDINGS
                looked += 1
    assert looked > 0 or flow.wary  # where prices are not good for opening nobody has orders
