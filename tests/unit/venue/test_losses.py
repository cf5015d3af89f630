"""Caps of the insurance fund and the choice of who is deleveraged, by name; stories follow from events alone."""

from decimal import Decimal as D

import pytest

from steelyard import Venue
from steelyard.venue.happened import Deleveraged, FundDay, FundPaid


@pytest.fixture
def venue():
    venue = Venue(unit="USDC")
    venue.add_market("BTC-PERP", tick="0.1", lot="0.001", price=50_000, maker=0, taker=0, backstop_max=0, mark="index")
    venue.deposit("insurance", 20_000)
    for name, cash in (("long", 5_000), ("thin", 5_000), ("fat", 500_000), ("small", 200_000)):
        venue.deposit(venue.open_account(name=name), cash)
        venue.set_leverage(name, "BTC-PERP", 20)
    return venue


def ruin(venue, *sellers):
    """The long buys from each and loses more than it has."""
    for name, amount in sellers:
        venue.order(name, "BTC-PERP", "sell", amount, 50_000)
        venue.order("long", "BTC-PERP", "buy", amount, 50_000)
    venue.drain()
    venue.set_price("BTC-PERP", 46_000)
    return venue.drain()


def paid(told):
    return sum(each.amount for each in told if isinstance(each, FundPaid)) + sum(
        each.fund for each in told if isinstance(each, Deleveraged)
    )


def test_a_cap_of_a_step_and_its_story(venue):
    venue.set_asset("USDC", fund_step_max=300)
    told = ruin(venue, ("thin", "0.5"), ("fat", 1))
    # The long had 5,000 and lost 6,000: of the 1,000 the fund pays 300, its counterparties' profit bears the rest.
    assert paid(told) == 300
    assert venue.verify("long").numbers > 5
    venue.check()


def test_a_cap_of_a_day_and_the_next_day(venue):
    venue.set_asset("USDC", fund_day_max=400)
    assert paid(ruin(venue, ("fat", "1.5"))) == 400
    venue.advance("1d")
    venue.set_price("BTC-PERP", 50_000)
    venue.deposit("long", 5_000)
    told = ruin(venue, ("small", "1.5"))
    assert [(each.asset, each.paid) for each in told if isinstance(each, FundDay)] == [("USDC", D(400))]
    assert paid(told) == 400
    venue.verify("long")
    venue.check()


def test_rankings_have_names(venue):
    venue.set_asset("USDC", fund_step_max=0)
    venue.set_market("BTC-PERP", ranking="size")
    told = ruin(venue, ("thin", "0.5"), ("fat", 1))
    assert [each.counterparty for each in told if isinstance(each, Deleveraged)] == ["fat", "thin"]
    assert venue.parameters("BTC-PERP")["ranking"] == "size"
    with pytest.raises(ValueError, match="not one of profit_and_leverage, profit, size, pro_rata, hedges_last"):
        venue.set_market("BTC-PERP", ranking="luck")
