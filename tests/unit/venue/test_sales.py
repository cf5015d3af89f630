"""Collateral sold through a spot book, by names: the step, its story, and what it refuses."""

import dataclasses
from decimal import Decimal as D

import pytest

from steelyard import Rejected, Venue
from steelyard.model import events as E
from steelyard.venue import ladders as L
from steelyard.venue.happened import CollateralOrder, LiquidationFee, OffersRestarted
from steelyard.venue.statement import Mismatch
from steelyard.venue.verify import verify_story


@pytest.fixture
def venue():
    """Ann owes 39,000 dollars on one BTC, of which 90 % count."""
    venue = Venue(unit="USD")
    venue.set_asset("USD", loan_cap=100_000)
    venue.add_asset("BTC", 8, price=50_000, collateral=[(None, "0.8", "0.9")])
    venue.add_pair("BTC/USD", base="BTC", tick=1, lot="0.001", mark="index", cooldown="10s", liquidation_fee="0.002")
    venue.deposit("lender", 200_000)
    venue.open_account(name="ann")
    venue.deposit("ann", 1, "BTC")
    venue.withdraw("ann", 39_000, borrow=True)
    venue.open_account(name="bob")
    venue.deposit("bob", 100_000)
    venue.set_offers("BTC", [L.through_book("0.03", "5m"), L.fixed_bonus("0.05")])
    return venue


def happened(result, kind):
    return [event for event in result.events if isinstance(event, kind)]


def test_a_sale_is_told_and_verified(venue):
    venue.order("bob", "BTC/USD", "buy", "0.05", 42_500)
    venue.order("bob", "BTC/USD", "buy", "0.5", 42_000)
    told = venue.set_price("BTC", 43_000)
    (order,) = happened(told, CollateralOrder)
    # v at the limit: 300 short; each lot of 43 frees 4.3 and costs 1.252 and a fee of 0.083.
    assert (order.account, order.symbol, order.side, order.limit) == ("ann", "BTC/USD", "sell", 41_748)
    assert (order.amount, order.equity, order.maintain) == (D("0.102"), 4_000, 4_300)
    (fee,) = happened(told, LiquidationFee)
    assert fee.amount == D("8.618")  # of 0.05 x 42,500 + 0.052 x 42,000
    balances = {each.asset: each.total for each in venue.account("ann").balances}
    assert balances["BTC"] == D("0.898")
    story = str(venue.story("ann"))
    assert "Collateral meets the book: sell 0.102 BTC/USD, down to 41748 (mark 43000, curve 2 at 0.03)" in story
    assert "Filled: sell 0.050 BTC/USD at 42500, for 2,125.00 USD." in story
    assert "the book cost 77.00 USD" in story
    assert venue.verify("ann").liquidations == 1
    assert {each.way for each in venue.liquidations("ann")} == {"book"}
    venue.check()


@pytest.mark.parametrize("column", ["price", "lots", "other", "amount", "fee", "extra", "extra2"])
def test_a_forged_number_is_found(venue, column):
    venue.order("bob", "BTC/USD", "buy", "0.5", 42_000)
    venue.set_price("BTC", 43_000)
    story = venue.story("ann")
    evidence = list(story.evidence)
    place = next(i for i, row in enumerate(evidence) if row.kind == E.COLLATERAL_ORDER)
    evidence[place] = evidence[place]._replace(**{column: getattr(evidence[place], column) + 1})
    with pytest.raises(Mismatch):
        verify_story(dataclasses.replace(story, evidence=tuple(evidence)))
    without_fee = tuple(row for row in story.evidence if row.kind != E.LIQUIDATION_FEE)
    with pytest.raises(Mismatch, match="fee that was not taken"):
        verify_story(dataclasses.replace(story, evidence=without_fee))


def test_the_next_slice_comes_after_the_cool_down(venue):
    assert happened(venue.set_price("BTC", 43_000), CollateralOrder)
    assert not happened(venue.advance("9s"), CollateralOrder)
    assert happened(venue.advance("1s"), CollateralOrder)
    with pytest.raises(Rejected, match="no offer stands for this collateral and this debt"):
        venue.liquidate("bob", "ann", 1_000, "BTC")


def test_offers_begin_again(venue):
    venue.set_offers("BTC", [L.fixed_bonus("0.05", lasts="1m", tip=20, chip="0.001")])
    venue.deposit("insurance", 500)
    venue.set_price("BTC", 43_000)
    with pytest.raises(Rejected, match="begin the offers of ann again: offers begin again when none is left and"):
        venue.restart_offers("bob", "ann", "BTC")
    venue.advance("61s")
    (told,) = happened(venue.restart_offers("bob", "ann", "BTC"), OffersRestarted)
    assert (told.keeper, told.debt, told.paid) == ("bob", 39_000, 59)
    assert venue.account("bob").balances[0].total == 100_059
    assert "No offer is left: bob begins them again, for 59.00 of the insurance fund." in str(venue.story("ann"))
    assert venue.verify("ann").liquidations == 1
    venue.liquidate("bob", "ann", 5_000, "BTC")
    venue.advance("1s")
    assert venue.verify("ann").numbers > 5
    venue.check()


def test_what_a_step_must_say(venue):
    for terms in ({"fee": "0.1"}, {"part": "0.5"}):
        with pytest.raises(Rejected, match="its fee and its slices are those of the market"):
            venue.set_offers("BTC", [L.through_book("0.03", "5m", **terms)])
    with pytest.raises(Rejected, match="says how long it lasts"):
        venue.set_offers("BTC", [L.fixed_bonus("0.03", taker="book")])
