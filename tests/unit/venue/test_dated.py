"""Futures and delisting through the Python face."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.venue import happened as H

D = Decimal


@pytest.fixture
def exchange(make_exchange, small_limits):
    """With a future of Bitcoin that ends in ten days, and has no funding."""
    exchange = make_exchange(replace(small_limits, ladder_ticks=1 << 22))
    exchange.add_market(
        "BTC-10D", tick=1, lot="0.01", price=50_000, expiry="10d", settle_window="1h", mark="index", staleness="30d"
    )
    return exchange


def test_a_future_tells_its_basis_and_ends(exchange):
    view = exchange.market("BTC-10D")
    assert view.expires_in_ns == 10 * 86_400 * 10**9 and view.expiry_ns == view.at_ns + view.expires_in_ns
    assert (view.basis, view.basis_annualised, view.funding) == (0, 0, None)
    assert exchange.parameters("BTC-10D")["settle_window"] == "1h"
    exchange.order("alice", "BTC-10D", "buy", "0.01", 50_000)
    exchange.order("bob", "BTC-10D", "sell", "0.01", 50_000)
    told = exchange.advance("10d").events
    (end,) = [each for each in told if isinstance(each, H.MarketSettled)]
    assert (end.price, end.source, end.averaged) == (50_000, "average", 3_600)
    closed = [each for each in told if isinstance(each, H.PositionSettled)]
    assert sorted((each.side, each.amount, each.realized) for each in closed) == [
        ("buy", D("0.01"), 0),
        ("sell", D("0.01"), 0),
    ]
    view = exchange.market("BTC-10D")
    assert (view.state, view.expires_in_ns, view.basis_annualised, view.open_interest) == ("settled", 0, None, 0)
    with pytest.raises(Rejected, match="the market has expired") as refused:
        exchange.order("alice", "BTC-10D", "buy", "0.01", 50_000, check=True)
    assert refused.value.reason == Reject.MARKET_SETTLED
    with pytest.raises(Rejected, match="settled for ever"):
        exchange.set_state("BTC-10D", "open")


def test_delisting_asks_for_notice(exchange):
    with pytest.raises(Rejected, match="at least"):
        exchange.set_market("BTC-PERP", expiry="23h")
    exchange.set_market("BTC-PERP", expiry="24h")
    assert exchange.market("BTC-PERP").expires_in_ns == 86_400 * 10**9
    exchange.set_market("BTC-PERP", expiry=None)
    assert exchange.market("BTC-PERP").expiry_ns is None
    with pytest.raises(Rejected, match="a future keeps one"):
        exchange.set_market("BTC-10D", expiry=None)


def test_a_settled_position_is_a_part_of_its_accounts_story(exchange):
    exchange.order("bob", "BTC-10D", "sell", "0.3", 50_000)
    exchange.order("alice", "BTC-10D", "buy", "0.3")
    exchange.advance(10 * 86_400 - 60)
    exchange.set_price("BTC-10D", 46_800)
    assert [each.account for each in exchange.queue()] == ["alice"]
    exchange.advance("2m")
    settled = D(59 * 50_000 + 46_800) // 60
    story = exchange.story("alice")
    assert f"BTC-10D has expired: 0.30 are closed at the settlement price {settled:,}" in str(story)
    assert exchange.queue() == ()
    assert exchange.account("alice").balances[0].total == 1_000 + D("0.3") * (settled - 50_000) - D("7.5")
    assert exchange.verify("alice").numbers > 4
    exchange.check()


def test_the_basis_between_a_future_a_perpetual_and_an_index(exchange):
    exchange.add_market("BTC-30D", tick=1, lot="0.01", price=51_000, expiry="30d", mark="index", staleness="40d")
    perpetual = exchange.market("BTC-PERP").mark
    here = exchange.basis("BTC-30D", "BTC-PERP")
    assert (here.symbol, here.against, here.basis) == ("BTC-30D", "BTC-PERP", 51_000 - perpetual)
    assert here.over_ns == 30 * 86_400 * 10**9
    assert here.annualised == ((51_000 - perpetual) / perpetual * 365 / 30).quantize(D("0.000001"), "ROUND_FLOOR")
    between = exchange.basis("BTC-10D", "BTC-30D")
    assert (between.basis, between.over_ns) == (-1_000, 20 * 86_400 * 10**9)
    assert between.annualised == D("-0.357844")  # -1,000 / 51,000 x 365 / 20, rounded down
    own = exchange.basis("BTC-30D")
    assert (own.against, own.basis, own.annualised) == ("index", 0, 0)
    undated = exchange.basis("BTC-PERP")
    assert (undated.over_ns, undated.annualised) == (None, None)


def test_a_position_is_rolled_into_a_later_month(exchange):
    exchange.add_market("BTC-30D", tick=1, lot="0.01", price=51_000, expiry="30d", mark="index", staleness="40d")
    exchange.order("alice", "BTC-10D", "buy", "0.05", 50_000)
    exchange.order("bob", "BTC-10D", "sell", "0.05", 50_000)
    exchange.order("bob", "BTC-10D", "buy", "0.03", 49_990)
    exchange.order("bob", "BTC-30D", "sell", "0.02", 51_010)
    exchange.order("bob", "BTC-30D", "sell", "0.09", 51_100)
    rolled = exchange.roll("alice", "BTC-10D", "BTC-30D", "0.02", open_at=51_050)
    assert (rolled.closed.filled, rolled.opened.filled, rolled.spread) == (D("0.02"), D("0.02"), 1_020)
    # Only what the first order fills is opened: 0.01 are bid for, and the second is too dear.
    rolled = exchange.roll("alice", "BTC-10D", "BTC-30D", close_at=49_990, open_at=51_050)
    assert (rolled.closed.filled, rolled.opened.filled, rolled.opened.amount) == (D("0.01"), 0, D("0.01"))
    assert rolled.spread is None
    rolled = exchange.roll("alice", "BTC-10D", "BTC-30D", close_at=49_990)
    assert (rolled.closed.filled, rolled.opened) == (0, None)
    assert exchange.position("alice", "BTC-10D").contracts == D("0.02")
    assert exchange.position("alice", "BTC-30D").contracts == D("0.02")
    with pytest.raises(ValueError, match="has no position in BTC-30D"):
        exchange.roll("carol", "BTC-30D", "BTC-10D")
    exchange.check()
