"""Orders through the face: what comes back, and what is said when one is refused."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.venue.happened import OrderClosed


def test_a_resting_order_is_open(exchange):
    order = exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_100, client_id="mine-1", post_only=True)
    assert (order.status, order.type, order.time_in_force, order.post_only) == ("open", "limit", "GTC", True)
    assert (order.price, order.amount, order.filled, order.remaining) == (50_100, Decimal("0.5"), 0, Decimal("0.5"))
    assert order.client_id == "mine-1"
    assert exchange.orders("bob") == (order,)
    assert exchange.account("bob").orders == (order,)


def test_a_market_order_fills_at_the_prices_it_finds(exchange):
    exchange.order("bob", "BTC-PERP", "sell", "0.01", 50_000)
    exchange.order("bob", "BTC-PERP", "sell", "0.03", 50_100)
    order = exchange.order("alice", "BTC-PERP", "buy", "0.02")
    assert (order.status, order.type, order.price, order.time_in_force) == ("closed", "market", None, "IOC")
    assert [(fill.price, fill.amount) for fill in order.fills] == [(50_000, Decimal("0.01")), (50_100, Decimal("0.01"))]
    assert order.average == 50_050
    assert order.cost == 1_001
    assert order.fee == Decimal("0.5005")
    assert order.fills[0].id != order.fills[1].id


@pytest.mark.parametrize(
    ("options", "status", "filled", "because"),
    [
        ({"time_in_force": "IOC"}, "expired", "0.01", "immediate"),
        ({}, "open", "0.01", None),
        ({"post_only": "slide"}, "open", "0", None),
    ],
)
def test_what_is_left_of_an_order(exchange, options, status, filled, because):
    exchange.order("bob", "BTC-PERP", "sell", "0.01", 50_000)
    order = exchange.order("alice", "BTC-PERP", "buy", "0.03", 50_050, **options)
    assert (order.status, order.filled, order.closed_because) == (status, Decimal(filled), because)
    if options.get("post_only"):
        assert order.price == 49_999


def test_waiting_orders_show_what_they_wait_for(long_alice):
    stop = long_alice.order("alice", "BTC-PERP", "sell", stop=48_000, close_position=True)
    assert (stop.status, stop.trigger, stop.trigger_price, stop.trigger_on) == ("waiting", "stop", 48_000, "mark")
    assert stop.reduce_only
    take = long_alice.order("alice", "BTC-PERP", "sell", "0.1", 56_000, take_profit=55_000, trigger_on="last")
    assert (take.trigger, take.trigger_on, take.price) == ("take_profit", "last", 56_000)
    trail = long_alice.order("alice", "BTC-PERP", "sell", "0.1", trailing="0.02", activation=51_000)
    assert (trail.trigger, trail.callback_rate, trail.trigger_price) == ("trailing", Decimal("0.02"), 51_000)
    assert [order.id for order in long_alice.orders("alice")] == [stop.id, take.id, trail.id]
    assert stop.to_ccxt()["stopLossPrice"] == 48_000.0
    assert take.to_ccxt()["takeProfitPrice"] == 55_000.0


def test_an_order_with_an_expiry_is_good_till_then(exchange):
    order = exchange.order("bob", "BTC-PERP", "sell", 1, 50_100, expires="5m")
    assert (order.time_in_force, order.expires_ns) == ("GTT", exchange.now_ns + 300 * 10**9)
    exchange.advance("6m")
    (closed,) = (event for event in exchange.events if isinstance(event, OrderClosed))
    assert (closed.order, closed.because) == (order.id, "expired")
    assert exchange.orders("bob") == ()


def test_amending_keeps_the_id(exchange):
    order = exchange.order("bob", "BTC-PERP", "sell", 1, 50_100, client_id="a")
    smaller = exchange.amend("bob", order.id, amount="0.4")
    assert (smaller.id, smaller.remaining, smaller.status) == (order.id, Decimal("0.4"), "open")
    moved = exchange.amend("bob", client_id="a", price=50_200)
    assert (moved.id, moved.price, moved.remaining) == (order.id, 50_200, Decimal("0.4"))
    exchange.order("alice", "BTC-PERP", "buy", "0.01", 50_000)
    filled = exchange.amend("bob", order.id, price=49_900)
    assert (filled.filled, filled.remaining, filled.fills[0].price) == (Decimal("0.01"), Decimal("0.39"), 50_000)


def test_cancelling(exchange):
    first = exchange.order("bob", "BTC-PERP", "sell", 1, 50_100)
    exchange.order("bob", "BTC-PERP", "sell", 1, 50_200, client_id="b")
    exchange.order("bob", "ETH-EUR", "buy", 1, 2_400)
    exchange.cancel("bob", first.id)
    exchange.cancel("bob", client_id="b")
    assert [order.symbol for order in exchange.orders("bob")] == ["ETH-EUR"]
    exchange.cancel_all("bob", "BTC-PERP")
    assert len(exchange.orders("bob", "ETH-EUR")) == 1
    exchange.cancel_after("bob", "10s")
    exchange.advance("11s")
    assert exchange.orders("bob") == ()


@pytest.mark.parametrize(
    ("ask", "reason", "message"),
    [
        (
            lambda v: v.order("alice", "BTC-PERP", "buy", 2, 50_000),
            "OPENING_MARGIN_EXCEEDED",
            # 10,000 x 2 % + 90,000 x 3 % gives 2,900 up to 100,000, and the fee 50 is reserved.
            "alice: buy 2.000 BTC-PERP at 50000: equity would not cover the opening requirement "
            "(equity 1,000.00, requirement 2,950.00 afterwards, short by 1,950.00 USD)",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "buy", "0.1", 56_000),
            "PRICE_OUTSIDE_BAND",
            "alice: buy 0.100 BTC-PERP at 56000: the limit price is too far beyond the mark "
            "(at most 55000; mark 50000)",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "sell", "0.1"),
            "NO_LIQUIDITY",
            "alice: sell 0.100 BTC-PERP at market: there is nobody on the other side of the book",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "sell", "0.1", 50_000, reduce_only=True),
            "NOTHING_TO_REDUCE",
            "alice: reduce-only sell 0.100 BTC-PERP at 50000: there is no position for a reduce-only order to reduce "
            "(position 0.000)",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "sell", "0.1", stop=51_000),
            "TRIGGER_WOULD_FIRE_AT_ONCE",
            "alice: sell 0.100 BTC-PERP at market once mark reaches 51000: the trigger is reached already "
            "(mark price 50000)",
        ),
        (
            lambda v: [
                v.order("bob", "BTC-PERP", "sell", 1, 50_000),
                v.order("alice", "BTC-PERP", "buy", 1, 50_000, post_only=True),
            ],
            "POST_ONLY_WOULD_CROSS",
            "alice: buy 1.000 BTC-PERP at 50000: a post-only order must not trade at once, and this one would "
            "(best ask 50000)",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "buy", "2000", 50_000),
            "SIZE_EXCEEDS_LIMIT",
            "alice: buy 2000.000 BTC-PERP at 50000: the size is above the largest order of this market "
            "(at most 1048.576)",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "buy", 1, 200_000),
            "PRICE_EXCEEDS_LIMIT",
            "alice: buy 1.000 BTC-PERP at 200000: the price is above the highest there can be (at most 100000)",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "buy", 1, 0),
            "PRICE_MUST_BE_POSITIVE",
            "price 0 of BTC-PERP must be above zero",
        ),
        (
            lambda v: v.order("alice", "BTC-PERP", "buy", 0, 5),
            "SIZE_MUST_BE_POSITIVE",
            "alice: buy 0.000 BTC-PERP at 5: the size must be above zero, and above what is filled already",
        ),
        (
            lambda v: [v.set_state("BTC-PERP", "halted"), v.order("alice", "BTC-PERP", "buy", 1, 5)],
            "MARKET_HALTED",
            "alice: buy 1.000 BTC-PERP at 5: the market is halted",
        ),
        (
            lambda v: v.cancel("alice", 12345),
            "ORDER_UNKNOWN",
            "alice: cancel order 12345: there is no such open order of this account",
        ),
        (
            lambda v: v.amend("alice", client_id="nope", price=5),
            "ORDER_UNKNOWN",
            "alice: amend order nope: there is no such open order of this account",
        ),
        (
            lambda v: [v.order("bob", "BTC-PERP", "sell", 1, 50_000, client_id="x") for _ in range(2)],
            "CLIENT_ID_REPEATED",
            "bob: sell 1.000 BTC-PERP at 50000: this client id is taken by an earlier order (order 16777217)",
        ),
        (
            lambda v: v.set_leverage("alice", "BTC-PERP", 5_000),
            "LEVERAGE_EXCEEDS_LIMIT",
            "set leverage of alice in BTC-PERP to 5000: the leverage is above what this owner or market allows "
            "(at most 1000)",
        ),
        (
            lambda v: v.order("insurance", "BTC-PERP", "buy", 1, 50_000),
            "ACCOUNT_IS_NOT_TRADABLE",
            "insurance: buy 1.000 BTC-PERP at 50000: this account cannot be used directly: isolated positions are "
            "reached through their parent, and of the system accounts only the backstop places orders, reduce-only "
            "ones",
        ),
        (
            lambda v: v.advance("31d"),
            "TIME_JUMPS_TOO_FAR",
            "advance to 2026-02-01 00:00:00: the clock moves at most 30 days at once; advance in several steps",
        ),
        (
            lambda v: [v.advance("8h"), v.advance_to(5)],
            "TIME_WENT_BACK",
            "advance to 00:00:05: the clock cannot go back (the clock is at 2026-01-01 08:00:00)",
        ),
    ],
)
def test_refusals_name_the_limit_and_the_numbers(exchange, ask, reason, message):
    with pytest.raises(Rejected) as refusal:
        ask(exchange)
    assert (refusal.value.reason.name, refusal.value.message) == (reason, message)


def test_a_stale_price_is_named(exchange):
    exchange.set_market("BTC-PERP", staleness="10s")
    exchange.set_price("BTC-PERP", 50_000)
    exchange.advance("30s")
    with pytest.raises(Rejected) as refusal:
        exchange.order("alice", "BTC-PERP", "buy", "0.1", 49_000)
    assert refusal.value.reason == Reject.PRICE_STALE
    assert "(BTC-PERP was fresh until 2026-01-01 00:00:10)" in refusal.value.message


def test_an_isolated_order_needs_the_parent_s_cash(exchange):
    exchange.set_margin_mode("alice", "BTC-PERP", "isolated")
    with pytest.raises(Rejected) as refusal:
        exchange.order("alice", "BTC-PERP", "buy", 2, 50_000)
    assert refusal.value.reason == Reject.BALANCE_TOO_LOW
    assert (
        "(the isolated position needs 2,950.00 USD more; alice holds 1,000.00 USD and has 1,000.00 USD above its own "
        "requirement)" in refusal.value.message
    )


def test_an_amendment_is_judged_without_what_it_replaces(exchange):
    order = exchange.order("alice", "BTC-PERP", "buy", "0.5", 50_000)
    with pytest.raises(Rejected) as refusal:
        exchange.amend("alice", order.id, amount=2)
    assert "requirement 2,950.00 afterwards" in refusal.value.message
    assert exchange.amend("alice", order.id, amount=2, check=False).reason == Reject.OPENING_MARGIN_EXCEEDED


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stop": 1, "take_profit": 2}, "waits for one thing"),
        ({"activation": 5}, "only a trailing stop has an activation price"),
        ({"post_only": "maybe"}, "post_only 'maybe' is not one of"),
        ({"time_in_force": "DAY"}, "time_in_force 'DAY' is not one of GTC, IOC, FOK, GTT"),
        ({"trigger_on": "moon"}, "trigger_on 'moon' is not one of mark, index, last"),
        ({"self_trade": "hug"}, "self_trade 'hug' is not one of owner, none"),
    ],
)
def test_options_that_make_no_sense_are_mistakes(exchange, options, message):
    with pytest.raises(ValueError) as mistake:
        exchange.order("alice", "BTC-PERP", "buy", 1, 50_000, **options)
    assert message in str(mistake.value)


def test_refused_orders_are_records_when_nothing_is_raised(exchange):
    order = exchange.order("alice", "BTC-PERP", "buy", 2, 50_000, check=False)
    assert (order.status, order.id, order.reason) == ("rejected", 0, Reject.OPENING_MARGIN_EXCEEDED)
    assert "short by 1,950.00 USD" in order.message
    unknown = exchange.order("alice", "DOGE-PERP", "buy", 2, 50_000, check=False)
    assert (unknown.status, unknown.reason) == ("rejected", Reject.MARKET_UNKNOWN)


def test_a_batch_is_one_call_and_each_command_stands_for_itself(exchange):
    results = exchange.batch(
        [
            lambda rows: rows.order("bob", "BTC-PERP", "sell", 1, 50_000),
            exchange.rows.order("alice", "BTC-PERP", "buy", 9, 50_000),
            lambda rows: rows.prices({"BTC-PERP": 50_010, "EUR": "1.11"}),
            lambda rows: rows.cancel_all("bob"),
        ]
    )
    assert [result.reason.name for result in results] == ["NONE", "OPENING_MARGIN_EXCEEDED", "NONE", "NONE"]
    assert [type(event).__name__ for event in results[3].events] == ["OrderClosed"]
    assert results[0].seq + 3 == results[3].seq
    assert exchange.batch([]) == []


def test_a_market_follows_only_so_many_trailing_stops(make_exchange, small_limits):
    """Each is looked at whenever a price moves, so there is room for a number of them; one that leaves makes room."""
    venue = make_exchange(replace(small_limits, trailing_per_market=2))
    first = venue.order("bob", "BTC-PERP", "sell", 1, trailing="0.02")
    venue.order("carol", "BTC-PERP", "sell", 1, trailing="0.02", trigger_on="index", activation=51_000)
    with pytest.raises(Rejected) as refusal:
        venue.order("bob", "BTC-PERP", "sell", 1, trailing="0.02")
    assert refusal.value.reason == Reject.TRAILING_STOPS_FULL
    venue.order("bob", "BTC-PERP", "sell", 1, stop=48_000)
    venue.order("bob", "ETH-EUR", "sell", 1, trailing="0.02")
    venue.cancel("bob", first.id)
    venue.order("bob", "BTC-PERP", "sell", 1, trailing="0.02")
