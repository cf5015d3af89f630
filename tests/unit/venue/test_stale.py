"""Prices that are too old: what they stop, and what they do not."""

import pytest

from steelyard import Reject, Rejected
from steelyard.venue import happened as H


@pytest.fixture
def euros(exchange):
    """Euros are fresh for half a minute after a report; Alice owns some beside her 1,000 dollars."""
    exchange.set_asset("EUR", staleness="30s")
    exchange.set_price("EUR", "1.1")
    exchange.deposit("alice", 10_000, "EUR")
    return exchange


def refused(call, *arguments, **options):
    with pytest.raises(Rejected) as caught:
        call(*arguments, **options)
    return caught.value.reason


def balance(venue, asset):
    return next(each.total for each in venue.account("alice").balances if each.asset == asset)


def test_stale_collateral_stops_no_withdrawal_that_does_not_need_it(euros):
    euros.order("alice", "BTC-PERP", "buy", "0.1", 49_000)
    euros.advance("1m")
    euros.withdraw("alice", 500)
    # The order's opening requirement is 100 and its fee 2.45, in dollars that count.
    assert refused(euros.withdraw, "alice", 450) == Reject.OPENING_MARGIN_EXCEEDED
    euros.withdraw("alice", 10_000, "EUR")


def test_a_stale_market_stops_withdrawing(exchange):
    exchange.set_market("BTC-PERP", staleness="30s")
    exchange.set_price("BTC-PERP", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.01", 49_000)
    exchange.advance("1m")
    assert refused(exchange.withdraw, "alice", 1) == Reject.PRICE_STALE
    exchange.cancel_all("alice")
    exchange.withdraw("alice", 1)


@pytest.mark.parametrize("orders_before", [0, 1])
def test_stale_collateral_opens_nothing(euros, orders_before):
    """Also when an order accepted while it was fresh has just proven what the account can afford."""
    euros.set_leverage("alice", "BTC-PERP", 5)
    for _ in range(orders_before):
        euros.order("alice", "BTC-PERP", "buy", "0.001", 49_000)
    euros.advance("1m")
    assert refused(euros.order, "alice", "BTC-PERP", "buy", "0.11", 49_000) == Reject.OPENING_MARGIN_EXCEEDED
    euros.set_price("EUR", "1.1")
    euros.order("alice", "BTC-PERP", "buy", "0.11", 49_000)


def test_what_is_missing_is_told_without_it(euros):
    euros.advance("1m")
    with pytest.raises(Rejected, match=r"short by 424\.50 USD"):
        euros.order("alice", "BTC-PERP", "buy", 1, 49_000)
    assert "count nothing for new risk: their price is stale" in str(euros.explain("alice"))
    assert euros.account("alice").free == 1_000


def test_reducing_goes_on(euros):
    euros.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    euros.order("alice", "BTC-PERP", "buy", "0.5")
    euros.withdraw("alice", 900)
    euros.order("carol", "BTC-PERP", "buy", "0.2", 45_500)
    euros.advance("1m")
    assert refused(euros.order, "alice", "BTC-PERP", "buy", "0.1", 50_000) == Reject.OPENING_MARGIN_EXCEEDED
    euros.order("alice", "BTC-PERP", "sell", "0.2", reduce_only=True)


def test_a_debt_counts_whole_at_its_last_price(euros):
    euros.deposit("bob", 100_000, "EUR")
    euros.withdraw("alice", 10_000, "EUR")
    euros.order("alice", "ETH-EUR", "buy", "0.1", 2_500)
    euros.order("bob", "ETH-EUR", "sell", "0.1", 2_500)
    euros.order("bob", "ETH-EUR", "buy", "0.1", 2_300)
    euros.order("alice", "ETH-EUR", "sell", "0.1", 2_300)
    assert balance(euros, "EUR") < 0
    euros.advance("1m")
    assert refused(euros.withdraw, "alice", 999) == Reject.OPENING_MARGIN_EXCEEDED
    euros.withdraw("alice", 900)


def test_nobody_is_liquidated_by_staleness_alone(euros):
    euros.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    euros.order("alice", "BTC-PERP", "buy", "0.5")
    euros.withdraw("alice", 900)
    euros.set_price("BTC-PERP", 49_000)
    euros.advance("1m")
    alice = euros.account("alice")
    assert alice.healthy
    assert alice.queued is None


def test_one_stale_atom_does_not_stop_a_liquidation(euros):
    euros.withdraw("alice", "9999.9999", "EUR")
    euros.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    euros.order("alice", "BTC-PERP", "buy", "0.5")
    euros.order("carol", "BTC-PERP", "buy", 1, 48_300)
    euros.advance("1m")
    euros.drain()
    euros.set_price("BTC-PERP", 48_360)
    kinds = [type(event) for event in euros.drain()]
    assert H.LiquidationFee in kinds
    assert H.LiquidationEnded in kinds


def test_a_liquidation_works_on_what_has_a_price(euros):
    """The position settled in euros weighs more, but its price is stale: the other one is worked on."""
    euros.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    euros.order("alice", "BTC-PERP", "buy", "0.5")
    euros.deposit("bob", 100_000, "EUR")
    euros.order("bob", "ETH-EUR", "sell", 20, 2_500)
    euros.order("alice", "ETH-EUR", "buy", 20)
    euros.order("carol", "BTC-PERP", "buy", 1, 27_400)
    euros.advance("1m")
    euros.drain()
    euros.set_price("BTC-PERP", 27_500)
    sold = [event for event in euros.drain() if isinstance(event, H.LiquidationOrder)]
    assert {event.symbol for event in sold} == {"BTC-PERP"}
    assert euros.position("alice", "ETH-EUR").contracts == 20
    euros.check()


def test_stale_collateral_is_not_converted(euros):
    """A debt in dollars waits until the euros have a price again, and risk may not rise meanwhile."""
    euros.deposit("converter", 100_000)
    euros.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    euros.order("alice", "BTC-PERP", "buy", "0.5")
    euros.order("carol", "BTC-PERP", "buy", "0.5", 47_000)
    euros.advance("1m")
    euros.drain()
    euros.order("alice", "BTC-PERP", "sell", "0.5")
    assert not [event for event in euros.drain() if isinstance(event, H.Converted)]
    assert balance(euros, "USD") < 0
    assert refused(euros.order, "alice", "BTC-PERP", "buy", "0.001", 45_000) == Reject.LOAN_CAP_EXCEEDED
