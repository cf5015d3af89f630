"""Inverse and quanto contracts through the Python face, with names, decimals and numbers worked out by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.venue import happened as H

D = Decimal
INVERSE = {"contract": "inverse", "settle": "BTC", "tick": "0.5", "lot": 100, "mark": "index", "leverage": 25}


@pytest.fixture
def exchange(make_exchange, small_limits):
    """With room for more ladders."""
    return make_exchange(replace(small_limits, ladder_ticks=1 << 21))


@pytest.fixture
def inverse(exchange):
    """A hundred dollars a contract, settled in bitcoin; Alice holds one bitcoin, Bob and Carol twenty."""
    exchange.set_asset("BTC", collateral=[(None, 1, 1)], loan_cap=10)
    exchange.add_market("BTC-USD", price=50_000, price_max=200_000, maker=0, taker="0.0005", slip="0.04", **INVERSE)
    exchange.withdraw("alice", 1_000)
    for name, coins in (("alice", 1), ("bob", 20), ("carol", 20)):
        exchange.deposit(name, coins, "BTC")
    return exchange


def prices(venue, price):
    venue.set_prices({"BTC": price, "BTC-USD": price})


def test_a_long_position_is_told_in_contracts_and_counts_in_coins(inverse):
    inverse.order("bob", "BTC-USD", "sell", 50_000, 50_000)
    inverse.order("bob", "BTC-USD", "sell", 50_000, 62_500)
    order = inverse.order("alice", "BTC-USD", "buy", 50_000)
    assert (order.fills[0].cost, order.fills[0].fee) == (1, D("0.0005"))
    prices(inverse, 40_000)
    position = inverse.position("alice", "BTC-USD")
    assert (position.contracts, position.side, position.entry_price) == (50_000, "long", 50_000)
    assert position.notional == D("1.25")
    assert position.unrealized_pnl == D("-0.25")
    # A quarter of a bitcoin and the fee are lost; a half per cent of 50,000 / p of the position must stay.
    prices(inverse, 50_000)
    price = inverse.liquidation_price("alice", "BTC-USD")
    exact = 50_000 * D("1.005") / (2 - D("0.0005"))
    assert price.high is None and 0 <= exact - price.low < D("0.5")
    assert [slack < 0 for _, slack in price.proof] == [True, False]
    assert "50,000" in str(inverse.explain("alice"))


def test_an_average_price_is_that_of_the_sum(inverse):
    inverse.order("bob", "BTC-USD", "sell", 20_000, 50_000)
    inverse.order("bob", "BTC-USD", "sell", 20_000, 51_000)
    order = inverse.order("alice", "BTC-USD", "buy", 40_000)
    assert order.average == (40_000 / (20_000 / D(50_000) + 20_000 / D(51_000))).quantize(D("1e-8"))
    entry = inverse.position("alice", "BTC-USD").entry_price
    assert abs(entry - order.average) < D("0.001")  # a fill is worth whole atoms


def test_a_crash_is_told_and_can_be_verified(inverse):
    inverse.deposit("insurance", 1, "BTC")
    inverse.deposit("backstop", 5, "BTC")
    inverse.order("bob", "BTC-USD", "sell", 900_000, 50_000)
    inverse.order("alice", "BTC-USD", "buy", 500_000)
    inverse.order("carol", "BTC-USD", "buy", 400_000)
    inverse.order("bob", "BTC-USD", "buy", 200_000, 46_500)
    inverse.drain()
    prices(inverse, 47_000)
    for step in range(8):
        prices(inverse, 46_000 - 250 * step)
        inverse.advance("10s")
    happened = inverse.drain()
    assert any(isinstance(event, H.LiquidationOrder) for event in happened)
    report = inverse.verify("alice")
    assert report.liquidations >= 1 and report.numbers > 10
    told = inverse.liquidations("alice")
    assert told and all(each.quote_value == each.contracts for each in told)
    for each in told:
        assert abs(each.base_value - each.contracts / each.price) < D("0.000001")
    assert str(inverse.story("alice"))
    inverse.check()


def test_refusals_say_what_is_allowed(inverse):
    with pytest.raises(ValueError, match=r"contract 'backwards' is not one of linear, inverse, spot"):
        inverse.add_market("X", **INVERSE | {"contract": "backwards"})
    with pytest.raises(ValueError, match=r"lot 100 / tick 0\.3 is not a whole number of atoms"):
        inverse.add_market("X", **INVERSE | {"tick": "0.3"})
    with pytest.raises(Rejected, match=r"price_min 300,000 is above price_max 200,000"):
        inverse.add_market("X", price_max=200_000, price_min=300_000, **INVERSE)
    with pytest.raises(Rejected, match=r"must be worth at least one atom"):
        inverse.add_market("X", price_max=1_000_000, price_min=1_000, **INVERSE | {"lot": "0.005"})
    with pytest.raises(Rejected, match=r"at the lowest price 1,000 would be worth more than .*at this price_min"):
        inverse.add_market("X", price_max=100_000, price_min=1_000, position_max=10**14, **INVERSE)
    with pytest.raises(Rejected, match=r"below the lowest there can be \(at least 5000") as refused:
        inverse.order("alice", "BTC-USD", "buy", 100, 4_999)
    assert refused.value.reason == Reject.PRICE_BELOW_LIMIT
    with pytest.raises(Rejected, match=r"BTC-USD 4999.*at least 5000"):
        inverse.set_price("BTC-USD", 4_999)


def test_a_quanto_is_a_linear_market_with_a_fixed_multiplier(exchange):
    """Bitcoin in dollars, settled in euros: a dollar of profit is a euro, whatever a euro costs."""
    exchange.add_market("BTC-Q", settle="EUR", tick=1, lot="0.001", price=50_000, mark="index", maker=0, taker=0)
    for name in ("alice", "bob"):
        exchange.deposit(name, 10_000, "EUR")
    exchange.order("bob", "BTC-Q", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-Q", "buy", "0.5")
    exchange.set_prices({"BTC-Q": 52_000, "EUR": "1.3"})
    position = exchange.position("alice", "BTC-Q")
    assert (position.unrealized_pnl, position.notional) == (1_000, 26_000)
    exchange.order("bob", "BTC-Q", "buy", "0.5", 52_000)
    exchange.order("alice", "BTC-Q", "sell", "0.5", 52_000)
    held = [{each.asset: each.total for each in exchange.account(name).balances}["EUR"] for name in ("alice", "bob")]
    assert held == [11_000, 9_000]


def test_an_uncertain_index_is_explained_at_its_ends(inverse):
    """The explanation adds up to what the machine says, or it would fail."""
    inverse.order("bob", "BTC-USD", "sell", 20_000, 50_000)
    inverse.order("alice", "BTC-USD", "buy", 20_000)
    before = {name: inverse.explain(name).requirements.open for name in ("alice", "bob")}
    inverse.set_market("BTC-USD", widens=["confidence"])
    inverse.set_price("BTC-USD", 50_000, confidence=10_000)
    after = {name: inverse.explain(name) for name in before}
    assert "M(open) adds what the index may be wrong by: 10000.0 below, 10000.0 above" in str(after["alice"])
    # 0.4 bitcoin at 50,000 are 0.5 at 40,000 and 0.33333333 at 60,000.
    assert after["alice"].requirements.open - before["alice"] == 5_000
    assert after["bob"].requirements.open - before["bob"] == D("3333.3335")
    with pytest.raises(Rejected) as refused:
        inverse.order("alice", "BTC-USD", "buy", 1_000_000, 50_000)
    assert refused.value.reason == Reject.OPENING_MARGIN_EXCEEDED
