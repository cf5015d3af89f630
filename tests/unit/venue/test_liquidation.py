"""Liquidation, scene by scene: what it may cost the account, whom it waits for, and who is served first."""

from decimal import Decimal

from steelyard.venue import happened as H


def told(venue, kind):
    """Events of one kind since the last look."""
    return [event for event in venue.drain() if isinstance(event, kind)]


# --- What it may cost -------------------------------------------------------------------------------------------------


def test_collateral_that_a_position_cannot_free_is_not_sold_with_it(exchange):
    """A thousand gems that count nothing: a shortfall of a few dollars must not cost them."""
    exchange.add_asset("GEM", 4, price=10, collateral=[(None, 0, 0)])
    exchange.deposit("alice", 1_000, "GEM")
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.5")
    exchange.order("carol", "BTC-PERP", "buy", "0.5", 40_000)
    exchange.drain()
    # Cash 987.50 less a loss of 800 leaves 187.50 of free equity; the position requires 192.
    exchange.set_price("BTC-PERP", 48_400)
    (order,) = told(exchange, H.LiquidationOrder)
    assert (order.equity, order.requirement, order.maintain) == (Decimal("10187.5"), 10_192, 192)
    assert order.limit == 48_400 - 375  # 187.50 for half a coin
    assert exchange.position("alice", "BTC-PERP").contracts == Decimal("0.5")
    assert exchange.verify("alice").liquidations == 1


def test_without_free_equity_a_closing_may_still_cost_the_fee(exchange):
    """Collateral that only has to be kept pays at most the liquidation fee, so that somebody takes the other side."""
    exchange.add_asset("GEM", 4, price=10, collateral=[(None, 0, 0)])
    exchange.deposit("alice", 1_000, "GEM")
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.5")
    exchange.drain()
    exchange.set_price("BTC-PERP", 48_000)
    order = told(exchange, H.LiquidationOrder)[0]
    assert order.equity - (order.requirement - order.maintain) < 0
    assert order.limit == 48_000 - 96  # 0.2 % of the mark
    assert exchange.verify("alice").liquidations == 1


def test_a_wide_requirement_is_not_a_wide_price(make_exchange):
    """A tenth of the position is required: the book is still met within the market's slip."""
    venue = make_exchange(brackets=[(None, "0.1", "0.2")], leverage=5, slip="0.03")
    venue.deposit("alice", 5_000)
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    venue.order("carol", "BTC-PERP", "buy", "0.5", 39_000)
    venue.drain()
    venue.set_price("BTC-PERP", 42_000)
    order = told(venue, H.LiquidationOrder)[0]
    assert order.limit == 42_000 - 1_260
    assert venue.position("alice", "BTC-PERP").contracts == Decimal("0.5")
    assert venue.verify("alice").liquidations == 1


def test_a_worthless_settlement_asset_robs_nobody(exchange):
    """What is owed in dollars would be more euros than a number holds: nobody is made to pay them."""
    exchange.deposit("alice", 20_000, "EUR")
    exchange.deposit("bob", 20_000, "EUR")
    exchange.order("bob", "ETH-EUR", "sell", 1, 2_500)
    exchange.order("alice", "ETH-EUR", "buy", 1)
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.5")
    exchange.set_price("BTC-PERP", 46_000)
    exchange.order("carol", "BTC-PERP", "buy", "0.5", 46_000)
    exchange.order("alice", "BTC-PERP", "sell", "0.5")
    assert exchange.account("alice").equity > 0
    owned = exchange.account("bob").equity
    exchange.set_price("EUR", "0.00000000000001")
    assert exchange.account("alice").equity < -1_000
    for _ in range(3):
        exchange.advance("10s")
    exchange.check()
    assert exchange.position("bob", "ETH-EUR").contracts == 1
    assert exchange.account("bob").equity > owned - 25_000
    assert exchange.verify("alice").liquidations == 1
