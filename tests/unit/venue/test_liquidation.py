"""Liquidation, scene by scene: what it may cost the account, whom it waits for, and who is served first."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
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


# --- Who is served first ----------------------------------------------------------------------------------------------


def ruin(venue, *names):
    """Each of them owes dollars and has nothing left; the insurance fund is empty."""
    for name in names:
        venue.open_account(name=name)
        venue.deposit(name, 1_000, "EUR")
        venue.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
        venue.order(name, "BTC-PERP", "buy", "0.1")
        venue.order("carol", "BTC-PERP", "buy", "0.1", 46_000)
        venue.order(name, "BTC-PERP", "sell", "0.1")
    venue.set_price("EUR", "0.01")
    venue.deposit("converter", 1_000)
    venue.advance("2s")


def test_debts_that_nobody_can_pay_hold_up_no_liquidation(make_exchange, small_limits):
    """One turn per command: three ruined accounts whose turn is due, and Alice, who falls in the same command."""
    venue = make_exchange(replace(small_limits, liquidations_per_command=1))
    ruin(venue, "dora", "eve", "finn")
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    venue.advance("10m")
    venue.drain()
    venue.set_price("BTC-PERP", 48_360)
    assert [event.account for event in told(venue, H.LiquidationOrder)] == ["alice"]


def test_who_has_nothing_but_debts_is_tried_again_each_minute(exchange):
    ruin(exchange, "dora")
    (entry,) = exchange.queue()
    assert (entry.account, entry.state) == ("dora", "owing")
    exchange.deposit("insurance", 10_000)
    exchange.advance("50s")
    assert exchange.account("dora").queued == "owing"
    exchange.advance("10s")
    assert exchange.account("dora").queued is None
    assert exchange.account("dora").equity == 0


@pytest.mark.parametrize(
    "help_her",
    [
        lambda venue: venue.deposit("dora", 1_000),
        lambda venue: venue.transfer("bob", "dora", 1_000),
    ],
)
def test_money_ends_it_at_once(exchange, help_her):
    ruin(exchange, "dora")
    exchange.drain()
    help_her(exchange)
    (ended,) = told(exchange, H.LiquidationEnded)
    assert (ended.account, ended.because) == ("dora", "healthy")
    assert exchange.account("dora").queued is None


def test_what_can_still_be_sold_is_tried_again_soon(exchange):
    """The converter has no dollars: a second later it has."""
    exchange.open_account(name="dora")
    exchange.deposit("dora", 1_000, "EUR")
    exchange.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
    exchange.order("dora", "BTC-PERP", "buy", "0.1")
    exchange.order("carol", "BTC-PERP", "buy", "0.1", 46_000)
    exchange.order("dora", "BTC-PERP", "sell", "0.1")
    exchange.set_price("EUR", "0.40")
    assert exchange.account("dora").queued == "owing"
    exchange.deposit("converter", 1_000)
    exchange.drain()
    exchange.advance("1s")
    (converted,) = told(exchange, H.Converted)
    assert converted.account == "dora"


# --- What the backstop took over --------------------------------------------------------------------------------------


@pytest.fixture
def taken_over(exchange):
    """The backstop is long half a coin that was Alice's."""
    exchange.deposit("backstop", 10_000)
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.5")
    exchange.set_price("BTC-PERP", 48_150)
    assert exchange.position("backstop", "BTC-PERP").contracts == Decimal("0.5")
    return exchange


def test_the_backstop_unwinds_what_it_took_over(taken_over):
    order = taken_over.order("backstop", "BTC-PERP", "sell", 1, 48_200, reduce_only=True)
    assert order.remaining == Decimal("0.5")
    taken_over.amend("backstop", order.id, price=48_180)
    taken_over.order("carol", "BTC-PERP", "buy", "0.2", 48_180)
    assert taken_over.position("backstop", "BTC-PERP").contracts == Decimal("0.3")
    taken_over.cancel_all("backstop")
    assert taken_over.orders("backstop") == ()
    taken_over.check()


def test_the_backstop_takes_no_risk_of_its_own(taken_over):
    for ask in (
        lambda: taken_over.order("backstop", "BTC-PERP", "sell", "0.1", 48_200),
        lambda: taken_over.set_leverage("backstop", "BTC-PERP", 2),
        lambda: taken_over.order("insurance", "BTC-PERP", "sell", "0.1", 48_200, reduce_only=True),
    ):
        with pytest.raises(Rejected) as refusal:
            ask()
        assert refusal.value.reason == Reject.ACCOUNT_IS_NOT_TRADABLE


def test_its_orders_shrink_when_it_takes_over_the_other_side(taken_over):
    """It is long half a coin and sells it; then it takes over a short of 0.3."""
    taken_over.order("backstop", "BTC-PERP", "sell", "0.5", 50_000, reduce_only=True)
    taken_over.open_account(name="dora")
    taken_over.deposit("dora", 400)
    taken_over.order("carol", "BTC-PERP", "buy", "0.3", 48_150)
    taken_over.order("dora", "BTC-PERP", "sell", "0.3")
    taken_over.set_price("BTC-PERP", 49_250)
    assert taken_over.position("backstop", "BTC-PERP").contracts == Decimal("0.2")
    (order,) = taken_over.orders("backstop")
    assert order.remaining == Decimal("0.2")
    taken_over.check()
