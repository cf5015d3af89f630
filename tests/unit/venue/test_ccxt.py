"""ccxt's shapes: every field name a trading client looks for is there, and nothing is lost on request."""

from decimal import Decimal

import pytest

WANTED = {
    "position": """id symbol contracts contractSize unrealizedPnl leverage liquidationPrice collateral notional
        markPrice entryPrice timestamp datetime initialMargin initialMarginPercentage maintenanceMargin
        maintenanceMarginPercentage marginRatio marginMode side hedged percentage stopLossPrice takeProfitPrice info""",
    "order": """id clientOrderId timestamp datetime lastTradeTimestamp lastUpdateTimestamp symbol type timeInForce
        postOnly reduceOnly side price triggerPrice takeProfitPrice stopLossPrice amount cost average filled remaining
        status fee fees trades info""",
    "trade": "id order timestamp datetime symbol type side takerOrMaker price amount cost fee fees info",
    "tier": "tier symbol currency minNotional maxNotional maintenanceMarginRate maxLeverage info",
    "liquidation": "symbol contracts contractSize price side baseValue quoteValue timestamp datetime info",
    "funding": """markPrice indexPrice interestRate fundingRate fundingTimestamp nextFundingRate nextFundingTimestamp
        interval symbol timestamp datetime info""",
    "balance": "free used total debt USD timestamp datetime info",
}


@pytest.fixture
def shapes(long_alice):
    order = long_alice.order("bob", "BTC-PERP", "buy", "0.2", 48_000, client_id="x")
    fill = long_alice.order("alice", "BTC-PERP", "sell", "0.1", 48_000).fills[0]
    position, balance = long_alice.position("alice", "BTC-PERP"), long_alice.account("alice")
    tier, funding = long_alice.leverage_tiers("BTC-PERP")[0], long_alice.funding_rate("BTC-PERP")
    long_alice.set_price("BTC-PERP", 47_000)
    return {
        "position": position,
        "order": order,
        "trade": fill,
        "tier": tier,
        "liquidation": long_alice.liquidations()[0],
        "funding": funding,
        "balance": balance,
    }


@pytest.mark.parametrize("name", WANTED)
def test_the_fields_are_there(shapes, name):
    assert set(WANTED[name].split()) <= shapes[name].to_ccxt().keys()


@pytest.mark.parametrize("name", WANTED)
def test_numbers_are_floats_or_whatever_is_asked_for(shapes, name):
    def numbers(value):
        if isinstance(value, dict):
            return [each for key, item in value.items() if key != "info" for each in numbers(item)]
        return [value] if isinstance(value, float | Decimal) else []

    floats, decimals = numbers(shapes[name].to_ccxt()), numbers(shapes[name].to_ccxt(Decimal))
    assert floats and all(isinstance(each, float) for each in floats)
    assert [float(each) for each in decimals] == floats


def test_an_order_in_ccxt_s_words(shapes):
    shape = shapes["order"].to_ccxt()
    assert (shape["status"], shape["side"], shape["type"], shape["clientOrderId"]) == ("open", "buy", "limit", "x")
    assert shape["datetime"] == "2026-01-01T00:00:00.000Z"
    assert shape["timestamp"] == 1_767_225_600_000
