"""Views of markets, books, funds and the queue; listening; snapshots and copies."""

from decimal import Decimal

import pytest

from steelyard import Rejected, Venue
from steelyard.venue.happened import Fill, MarkSet
from steelyard.venue.log import Forgotten


def test_a_market_and_its_book(exchange):
    for price, amount in ((50_100, "0.2"), (50_050, "0.1"), (50_050, "0.3")):
        exchange.order("bob", "BTC-PERP", "sell", amount, price)
    exchange.order("carol", "BTC-PERP", "buy", "0.4", 49_900)
    exchange.order("alice", "BTC-PERP", "buy", "0.1", 50_050)
    market = exchange.market("BTC-PERP")
    assert (market.mark, market.index, market.bid, market.ask, market.last) == (50_000, 50_000, 49_900, 50_050, 50_050)
    assert (market.open_interest, market.state, market.index_is_fresh) == (Decimal("0.1"), "open", True)
    book = exchange.book("BTC-PERP")
    assert [(level.price, level.amount, level.orders) for level in book.asks] == [
        (50_050, Decimal("0.3"), 1),
        (50_100, Decimal("0.2"), 1),
    ]
    assert len(exchange.book("BTC-PERP", depth=1).asks) == 1
    assert book.to_ccxt()["bids"] == [[49_900.0, 0.4]]


def test_funding_as_it_is_and_as_it_will_be(exchange):
    before = exchange.funding_rate("BTC-PERP")
    assert (before.rate, before.next_rate, before.next_ns) == (0, Decimal("0.0001"), exchange.now_ns + 8 * 3600 * 10**9)
    exchange.advance("8h")
    after = exchange.funding_rate("BTC-PERP")
    assert after.rate == before.next_rate
    assert after.to_ccxt()["interval"] == "8h"
    exchange.set_market("BTC-PERP", funding_interval=0)
    assert exchange.funding_rate("BTC-PERP") is None


def test_funding_that_is_owed_counts_before_it_is_paid(long_alice):
    long_alice.advance("8h")
    position = long_alice.position("alice", "BTC-PERP")
    assert position.funding_owed == Decimal("2.5")
    assert position.unrealized_pnl == 0
    assert long_alice.account("alice").equity == Decimal("985")


def test_leverage_tiers(exchange):
    first, second, third = exchange.leverage_tiers("BTC-PERP")
    assert (first.min_notional, first.max_notional, first.max_leverage) == (0, 10_000, 50)
    assert (second.deduction, third.deduction) == (50, 2_050)
    assert second.to_ccxt()["maintenanceMarginRate"] == 0.01


def test_a_position_that_is_not_there_has_no_size(exchange):
    nothing = exchange.position("alice", "BTC-PERP")
    assert (nothing.side, nothing.contracts, nothing.entry_price, nothing.liquidation_price) == (None, 0, None, None)
    assert nothing.leverage == 40
    exchange.set_leverage("alice", "BTC-PERP", 7)
    assert exchange.position("alice", "BTC-PERP").leverage == 7


def test_a_position(long_alice):
    position = long_alice.position("alice", "BTC-PERP")
    assert (position.side, position.contracts, position.entry_price) == ("long", Decimal("0.5"), 50_000)
    assert (position.notional, position.initial_margin, position.maintenance_margin) == (25_000, 650, 200)
    assert position.margin_mode == "cross"
    assert position.margin_ratio == Decimal("0.202532")
    short = long_alice.position("bob", "BTC-PERP")
    assert (short.side, short.unrealized_pnl) == ("short", 0)
    long_alice.set_price("BTC-PERP", 51_000)
    assert long_alice.position("alice", "BTC-PERP").unrealized_pnl == 500
    assert long_alice.position("bob", "BTC-PERP").unrealized_pnl == -500


def test_an_isolated_position_belongs_to_its_parent_s_view(exchange):
    exchange.set_margin_mode("alice", "BTC-PERP", "isolated")
    exchange.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.2", 50_000)
    view = exchange.account("alice")
    (position,) = view.positions
    (order,) = view.orders
    assert (position.account, position.margin_mode, position.contracts) == ("alice", "isolated", Decimal("0.1"))
    assert (order.account, order.remaining) == ("alice", Decimal("0.1"))
    child = exchange.account("alice/BTC-PERP")
    assert (child.role, child.equity) == ("child", position.collateral)


def test_the_queue_lists_who_waits_and_who_cools_down(make_exchange):
    venue = make_exchange(slice_notional=0, cooldown="30s", slice="0.1")
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    venue.order("carol", "BTC-PERP", "buy", "0.5", 48_200)
    venue.set_price("BTC-PERP", 48_300)
    (entry,) = venue.queue()
    assert (entry.account, entry.state, entry.due_ns) == ("alice", "cooling down", venue.now_ns + 30 * 10**9)
    assert venue.account("alice").queued == "cooling down"
    with pytest.raises(Rejected) as refusal:
        venue.order("alice", "BTC-PERP", "buy", "0.1", 48_000)
    assert "equity was 0." in refusal.value.message


def test_listeners_and_drains_hear_the_same(exchange):
    heard = []
    stop = exchange.on_event(heard.append)
    exchange.drain()
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.5")
    stop()
    assert exchange.drain() == heard
    assert sum(isinstance(event, Fill) for event in heard) == 2
    exchange.set_price("BTC-PERP", 50_001)
    assert any(isinstance(event, MarkSet) for event in exchange.events)
    assert not any(isinstance(event, MarkSet) for event in heard)


def test_events_are_forgotten_when_there_are_too_many():
    venue = Venue(keep_events=10)
    venue.add_market("X", tick=1, lot=1, price=100)
    for price in range(100, 120):
        venue.set_price("X", price)
    with pytest.raises(Forgotten):
        venue.drain()
    assert len(venue.events) == 2


def test_a_copy_goes_its_own_way(long_alice):
    before = long_alice.hash()
    with long_alice.what_if() as copy:
        assert copy.hash() == before
        copy.set_price("BTC-PERP", 40_000)
        assert copy.position("alice", "BTC-PERP").contracts < Decimal("0.5")
        assert copy.story("alice").episodes
        copy.open_account(name="dora")
    assert long_alice.hash() == before
    assert "dora" not in long_alice.names.accounts


def test_a_snapshot_carries_names_and_state(long_alice):
    restored = Venue.restore(long_alice.snapshot())
    assert restored.hash() == long_alice.hash()
    assert restored.account("alice") == long_alice.account("alice")
    for venue in (restored, long_alice):
        venue.set_price("BTC-PERP", 48_500)
        venue.deposit("alice", 1)
    assert restored.hash() == long_alice.hash()
    with pytest.raises(ValueError, match="not a snapshot"):
        Venue.restore(b"something else")
