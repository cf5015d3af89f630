"""The simulated market: repeatable from its seed, and always in balance."""

import numpy as np
import pytest

from steelyard.lab.market import LISTINGS, DemoMarket
from steelyard.model import events as E


@pytest.fixture(scope="module")
def crashed():
    """A market that was calm for a while and then fell by a tenth in three pushes."""
    market = DemoMarket(11)
    market.step(120)
    for _ in range(3):
        market.shock(-0.035)
        market.step(25)
    return market


def kinds(market):
    return {int(kind) for batch in market.venue.log.kept() for kind in np.unique(batch.rows["kind"])}


def rejects(market):
    return [row for batch in market.venue.log.kept() for row in batch.rows[batch.rows["kind"] == E.REJECTED]]


def test_the_same_seed_steps_and_shocks_give_the_same_hash():
    hashes = set()
    for _ in range(2):
        market = DemoMarket(5, holders=12)
        market.step(40)
        market.shock(-0.02, "ETH-PERP")
        market.step(20)
        hashes.add(market.hash())
    assert len(hashes) == 1


def test_cutting_the_steps_otherwise_changes_nothing():
    whole, pieces = DemoMarket(5, holders=12), DemoMarket(5, holders=12)
    whole.step(30)
    for count in (1, 9, 20):
        pieces.step(count)
    assert whole.hash() == pieces.hash()


def test_another_seed_gives_another_market():
    assert DemoMarket(1, holders=4).hash() != DemoMarket(2, holders=4).hash()


def test_everything_balances_after_a_crash(crashed):
    crashed.check()
    assert crashed.venue.machine.unhealthy() == []


def test_a_crash_liquidates(crashed):
    happened = kinds(crashed)
    assert {E.LIQUIDATION_STARTED, E.LIQUIDATION_ORDER, E.LIQUIDATION_ENDED} <= happened
    assert {E.FUND_PAID, E.TAKEN_OVER} & happened


def test_what_liquidations_say_can_be_recomputed(crashed):
    told = [profile.account for profile in crashed.holders if crashed.venue.story(profile.account).episodes]
    assert told
    for account in told:
        crashed.venue.verify(account)


def test_agents_rarely_ask_for_what_is_refused(crashed):
    assert len(rejects(crashed)) < 20


def test_a_calm_market_is_tight_deep_and_near_its_index():
    market = DemoMarket(3)
    market.step(100)
    for listing in LISTINGS:
        now = market.venue.market(listing.symbol)
        assert now.index_is_fresh and now.bid < now.ask
        assert (now.ask - now.bid) / now.mark < 0.002
        assert abs(now.mark / now.index - 1) < 0.002
        book = market.venue.book(listing.symbol, 100)
        assert min(len(book.bids), len(book.asks)) >= 5
        assert now.open_interest > 0


def test_holders_differ_as_promised():
    market = DemoMarket(7)
    market.step(150)
    longs = sum(profile.side > 0 for profile in market.holders)
    assert longs > len(market.holders) / 2
    views = [market.venue.account(profile.account) for profile in market.holders]
    assert any(view.children for view in views)
    assert any(balance.asset == "BTC" for view in views for balance in view.balances)
    assert any(order.trigger == "stop" for view in views for order in view.orders)
    assert any(order.trigger == "take_profit" for view in views for order in view.orders)
    assert {position.symbol for view in views for position in view.positions} == set(market.markets)


def test_a_shock_moves_one_market_or_all():
    market = DemoMarket(7, holders=0)
    before = dict(market.world.prices)
    market.shock(0.1, "ETH-PERP")
    assert market.world.prices["ETH-PERP"] == pytest.approx(1.1 * before["ETH-PERP"])
    assert market.world.prices["BTC-PERP"] == before["BTC-PERP"]
    market.shock(-0.1)
    assert market.world.prices["BTC-PERP"] == pytest.approx(0.9 * before["BTC-PERP"])


def test_a_shock_beyond_reason_is_refused():
    with pytest.raises(ValueError, match="beyond what this market can take"):
        DemoMarket(7, holders=0).shock(-0.9)


def test_without_a_market_of_a_coin_there_is_no_collateral_and_no_loan():
    market = DemoMarket(7, holders=6, listings=LISTINGS[2:])
    market.step(30)
    market.check()
    assert all(profile.collateral is None for profile in market.holders)
    assert market.borrowers == ()


def owed(market):
    views = {loan.account: market.venue.account(loan.account) for loan in market.borrowers}
    return {name: sum(each.debt for each in view.balances) for name, view in views.items()}


def test_borrowers_borrow_against_coins_and_some_hold_a_position_on_top():
    market = DemoMarket(7)
    market.step(120)
    assert all(amount > 1_000 for amount in owed(market).values())
    assert len(owed(market)) == 8
    for loan in market.borrowers:
        view = market.venue.account(loan.account)
        assert view.healthy
        assert any(each.asset == loan.coin and each.total > 0 for each in view.balances)
        assert bool(view.positions) == bool(loan.extra)
    assert any(loan.extra for loan in market.borrowers)


def test_a_fall_liquidates_loans_and_their_borrowers_come_back():
    market = DemoMarket(7)
    market.step(120)
    first = owed(market)
    for _ in range(4):
        market.shock(-0.035)
        market.step(20)
    rows = np.concatenate([batch.rows for batch in market.venue.log.kept()])
    people = {market.venue.names.account(name) for name in first}
    started = people & set(rows["account"][rows["kind"] == E.LIQUIDATION_STARTED].tolist())
    converted = people & set(rows["account"][rows["kind"] == E.CONVERTED].tolist())
    assert started and started <= converted
    gone = {name for name, amount in owed(market).items() if not amount and first[name]}
    assert gone
    for name in gone:
        market.venue.verify(name)
    market.step(400)
    assert any(owed(market)[name] for name in gone)
    market.check()
