"""Adaptive rates and rates by the peg through the Python face."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue.happened import InterestSet, RateSet

MOVING = {"interest_kind": "adaptive", "interest_base": "0.04", "interest_kink": "0.9", "interest_interval": "1h"}


def lend(exchange, owed):
    exchange.deposit("alice", 1_000, "EUR")
    exchange.add_pool("EUR")
    exchange.supply("alice", 1_000, "EUR")
    exchange.deposit("bob", 1, "BTC")
    exchange.withdraw("bob", owed, "EUR", borrow=True)


def test_a_pool_shows_the_rate_and_the_rate_at_the_target(exchange):
    exchange.set_asset("EUR", loan_cap=10**6, **MOVING)
    lend(exchange, 450)
    view = exchange.pool("EUR")
    assert (view.borrow_rate, view.rate_at_target) == (Decimal("0.025"), Decimal("0.04"))
    before = view.rate_at_target
    told = [event for event in exchange.advance("1d").events if isinstance(event, RateSet)]
    view = exchange.pool("EUR")
    assert told and told[-1].rate == view.rate_at_target < before
    assert {event.asset for event in told} == {"EUR"}
    exchange.check()


def test_a_rate_by_the_peg_is_the_base_at_one(exchange):
    exchange.add_asset("USDX", 6, price=1, interest_kind="peg", interest_base="0.1", loan_cap=1_000)
    assert exchange.parameters("USDX")["peg"] == 1
    assert exchange.parameters("USDX")["interest_kind"] == "peg"
    exchange.deposit("alice", 1_000, "USDX")
    exchange.add_pool("USDX")
    exchange.supply("alice", 1_000, "USDX")
    exchange.deposit("bob", 1, "BTC")
    exchange.withdraw("bob", 500, "USDX", borrow=True)
    view = exchange.pool("USDX")
    assert (view.borrow_rate, view.rate_at_target) == (Decimal("0.1"), None)
    exchange.set_prices({"USDX": "0.98"})
    exchange.advance("2h")
    assert exchange.pool("USDX").borrow_rate == Decimal("0.271828")
    exchange.set_asset("USDX", peg="0.98")
    assert exchange.pool("USDX").borrow_rate == Decimal("0.1")
    rates = {event.rate for event in exchange.advance("2h").events if isinstance(event, InterestSet)}
    assert rates == {Decimal("0.1")}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"interest_min": "0.2", "interest_max": "0.1"}, "interest_min 0.2 is above interest_max 0.1"),
        ({"interest_base": 3}, "interest_base 3 is not within interest_min 0.001 and interest_max 2"),
        ({"interest_kink": 1}, "the target of an adaptive rate, interest_kink, must be below 1"),
        ({"interest_interval": "30d"}, "interest_speed 50 moves the rate by more than a factor of e .* 12.16"),
        ({"interest_kind": "straight"}, "interest_kind 'straight' is not one of kink, adaptive, peg"),
    ],
)
def test_refusals_say_what_would_do(exchange, change, why):
    with pytest.raises((Rejected, ValueError), match=why):
        exchange.set_asset("EUR", **MOVING | change)


def test_a_new_asset_that_is_refused_leaves_no_name(exchange):
    with pytest.raises(Rejected, match="interest_base 0 is not within"):
        exchange.add_asset("USDX", 6, interest_kind="adaptive")
    exchange.add_asset("USDX", 6)
