"""Random towns have inverse markets, and in them happens what happens anywhere."""

from collections import Counter

from steelyard.model import events, reject
from steelyard.model.keys import M_KIND
from steelyard.model.orders import BY_AVERAGE, BY_INDEX, INVERSE
from tests.property.flows import Flow, random_commands
from tests.property.towns import small_limits
from tests.reference.twin import Twin

EVERYWHERE = ("FILL", "FUNDING_PAID", "LIQUIDATION_ORDER", "FUND_PAID", "TAKEN_OVER", "DELEVERAGED")
TOWNS = 84


def test_inverse_markets_see_everything():
    seen, towns = Counter(), 0
    for seed in range(TOWNS):
        twin = Twin(small_limits(seed))
        for batch in random_commands(seed, 300, twin):
            for event in twin.submit(batch):
                market = twin.markets.get(event["market"])
                if market is not None and market.rule[M_KIND] == INVERSE:
                    seen[events.Event(event["kind"]).name] += 1
        towns += any(market.rule[M_KIND] == INVERSE for market in twin.markets.values())
    assert towns > TOWNS // 3, towns
    assert all(seen[kind] for kind in EVERYWHERE) and seen["FILL"] > 2 * TOWNS, seen


def test_markets_that_end_are_settled():
    seen, towns = Counter(), 0
    for seed in range(60):
        flow = Flow(seed, twin := Twin(small_limits(seed)))
        towns += flow.ends
        for batch in flow.commands(400) if flow.ends else ():
            for event in twin.submit(batch):
                seen[events.Event(event["kind"]).name, event["reason"]] += 1
    assert seen["MARKET_SETTLED", BY_AVERAGE] > towns // 2 and seen["POSITION_SETTLED", 0] > towns // 4, seen
    assert seen["MARKET_SETTLED", BY_INDEX] and seen["ORDER_CLOSED", events.CLOSED_SETTLED], seen
    assert seen["REJECTED", reject.MARKET_SETTLED], seen
