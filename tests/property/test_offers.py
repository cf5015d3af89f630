"""What bids promise, on random flows: docs/concepts/offers.md (what is promised)."""

from steelyard.model import events
from steelyard.model.keys import A_TIER_MAINTAIN_PPM, A_TIERS
from steelyard.model.orders import FOR_MAINTAIN
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.property.flows import random_commands
from tests.property.towns import small_limits
from tests.reference import offers
from tests.reference.health import equity, requirement
from tests.reference.interest import cash_now
from tests.reference.ladders import BONUS
from tests.reference.numbers import value
from tests.reference.twin import Twin

SLOP = 20  # atoms of value that the roundings of one bid come to, at most
SEEDS = range(110)


def standing(twin, row):
    """(what everything counts for, what is owed): the cover is their quotient."""
    legs = twin.legs_of(row)
    cash = [(cash_now(twin, leg), twin.assets[thing].price) for thing, leg in legs.items() if thing < MARKET_0]
    owed = -sum(value(quantity, price) for quantity, price in cash if quantity < 0)
    return equity(twin, legs) - requirement(twin, legs, FOR_MAINTAIN) + owed, owed


def test_bids_keep_to_the_curve_and_lower_no_cover(monkeypatch):
    told = []
    fill = offers.fill

    def watched(twin, bid):
        before, place = standing(twin, bid.target), len(twin.events)
        fill(twin, bid)
        after = standing(twin, bid.target)
        filled = [event for event in twin.events[place:] if event["kind"] == events.BID_FILLED]
        told.extend(lowers(twin, bid, event, before, after) for event in filled if check(twin, bid, event))

    def check(twin, bid, event):
        """Collateral given, fee included, is never more than the curve's for the debt repaid."""
        rule, given = twin.curves[event["reason"]], event["amount"] + event["fee"]
        prices = [twin.assets[asset].price for asset in (bid.collateral, bid.debt)]
        if rule[1] == BONUS:
            assert given * prices[0] * PPM <= event["lots"] * prices[1] * (PPM + event["price"])
        else:
            assert given * prices[0] * event["price"] <= event["lots"] * prices[1] * PPM
        return True

    def lowers(twin, bid, event, before, after):
        """While (1 + bonus) x weight <= cover, a bid does not lower the cover."""
        rule = twin.assets[bid.collateral].rule
        weight = max(rule[A_TIER_MAINTAIN_PPM : A_TIER_MAINTAIN_PPM + rule[A_TIERS]])
        given = (event["amount"] + event["fee"]) * twin.assets[bid.collateral].price
        repaid = event["lots"] * twin.assets[bid.debt].price
        if given * weight * before[1] > repaid * before[0] * PPM or not after[1]:
            return None
        assert after[0] * before[1] >= before[0] * after[1] - SLOP * (before[1] + after[1])
        return False

    monkeypatch.setattr(offers, "fill", watched)
    for seed in SEEDS:
        twin = Twin(small_limits(seed))
        for batch in random_commands(seed, 300, twin):
            twin.submit(batch)
    assert len(told) >= 20
    assert told.count(False) >= 5
