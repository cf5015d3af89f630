"""Loans for a fixed term through the Python face."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.venue import happened as H

D = Decimal


@pytest.fixture
def exchange(make_exchange, small_limits):
    """With promises of a dollar each in 90 days, and six weeks of prices for them."""
    exchange = make_exchange(replace(small_limits, ladder_ticks=1 << 22))
    exchange.add_market(
        "USD-90D", tick="0.0001", lot=100, price="0.97", price_max="1.2", settle_price=1, paid="yes", expiry="90d",
        mark="index", staleness="120d", brackets=[(10_000_000, "0.02", "0.05")], maker=0, taker=0,
    )  # fmt: skip
    return exchange


def test_a_loan_tells_its_rate_and_is_paid_back(exchange):
    view = exchange.market("USD-90D")
    # (unit - price) / price over 90 days of 365, rounded down.
    assert view.rate == D("0.125429") and D(3) / 97 * 365 / 90 - view.rate < D("0.000001")
    assert exchange.parameters("USD-90D")["settle_price"] == 1 and exchange.parameters("USD-90D")["paid"] == "yes"
    alice, bob = (exchange.account(name).balances[0].total for name in ("alice", "bob"))
    exchange.order("bob", "USD-90D", "sell", 500, "0.96")
    exchange.order("alice", "USD-90D", "buy", 500, "0.96")
    assert exchange.account("alice").balances[0].total == alice - 480
    held = exchange.position("alice", "USD-90D")
    assert (held.contracts, held.entry_price, held.unrealized_pnl, held.notional) == (500, None, 485, 485)
    exchange.set_price("USD-90D", "0.99")
    for _ in range(3):
        told = exchange.advance("30d").events
    (end,) = [each for each in told if isinstance(each, H.MarketSettled)]
    assert (end.price, end.source) == (1, "agreed")
    assert exchange.account("alice").balances[0].total == alice + 20
    assert exchange.account("bob").balances[0].total == bob - 20
    exchange.check()


def test_what_a_buy_would_pay_is_said(exchange):
    purse = exchange.account("alice").balances[0].total
    with pytest.raises(Rejected, match=r"it pays 1,940\.00 USD; alice holds") as refused:
        exchange.order("alice", "USD-90D", "buy", 2_000, "0.97", check=True)
    assert refused.value.reason == Reject.BALANCE_TOO_LOW
    exchange.order("alice", "USD-90D", "buy", 500, "0.96")
    balance = exchange.account("alice").balances[0]
    assert balance.total == purse and balance.free == purse - 480


def test_a_default_is_a_part_of_its_accounts_story(exchange):
    exchange.order("bob", "USD-90D", "buy", 900, "0.97")
    exchange.order("alice", "USD-90D", "sell", 900, "0.97")
    exchange.withdraw("alice", exchange.account("alice").balances[0].total - 920)
    exchange.set_price("USD-90D", "1.05")
    exchange.advance("1h")
    assert exchange.position("alice", "USD-90D").contracts == 0
    assert exchange.verify("alice").numbers > 3
    exchange.check()


def test_what_disagrees_is_said(exchange):
    with pytest.raises(Rejected, match="needs an expiry"):
        exchange.add_market("X", tick="0.0001", lot=100, price="0.97", settle_price=1)
    with pytest.raises(Rejected, match="a paid-up contract is linear"):
        exchange.add_market("Y", tick=1, lot=100, price=50_000, contract="inverse", settle="BTC", paid="yes")
