"""An isolated position settled in an asset that counts for less than it is worth."""

import pytest
from tests.golden.stories import ANN, BOB, COIN, open_venue
from tests.reference.health import may_open
from tests.reference.rows import copied

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED, MARKET
from steelyard.model.keys import HOUR
from steelyard.model.orders import IOC
from steelyard.num.limits import ASSET_PRICE_SCALE

PRICE = 12 * ASSET_PRICE_SCALE + 345_678_901
TIERS = {key.A_TIERS: 2, key.A_TIER_UPPER: 40_000, key.A_TIER_UPPER + 1: 200_000}
TIERS |= {key.A_TIER_OPEN_PPM: 900_000, key.A_TIER_OPEN_PPM + 1: 600_000}
PERPETUAL = 2  # the market settled in coins; one lot is worth 1,200 of them


@pytest.fixture
def coins(floor):
    """Ann holds 150,000 coins, isolated at leverage 1 in a market without fees."""
    open_venue(floor, {}, people=2)
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40} | TIERS)
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR})
    market = {key.M_SETTLE: COIN, key.M_ATOMS_PER_TICK_LOT: 3, key.M_TICKS_MAX: 4_000, key.M_FEED: 3}
    market |= {key.M_ORDER_LOTS_MAX: 1_000, key.M_POSITION_LOTS_MAX: 5_000, key.M_FUNDING_INTERVAL_NS: 0}
    floor.configure(MARKET, market | {key.M_MARK_POLICY: 1, key.M_MAKER_PPM: 0, key.M_TAKER_PPM: 0})
    floor.price({2: PRICE, 3: 400})
    floor.isolate(ANN, PERPETUAL)
    floor.leverage(ANN, PERPETUAL, 1)
    floor.deposit(ANN, COIN, 150_000)
    floor.deposit(BOB, COIN, 5_000_000)
    return floor


def opens_with(floor, child, fewer):
    """Would the child open the same with so many coins fewer?"""
    legs = copied(floor.twin, floor.twin.legs_of(child))
    legs[COIN].quantity -= fewer
    return may_open(floor.twin, legs)


@pytest.mark.parametrize(
    ("lots", "sent"),
    [
        (10, 12_000 * 10 / 9),
        (30, 36_000 * 10 / 9),
        (31, 40_000 + 1_200 * 10 / 6),  # beyond 40,000 coins each counts for 0.6
        (60, 40_000 + 36_000 * 10 / 6),
    ],
)
def test_the_fewest_coins_that_count_for_enough_come(coins, lots, sent):
    coins.order(ANN, PERPETUAL, lots, 400)
    (moved,) = coins.happened(events.MARGIN_MOVED)
    assert 0 <= moved["amount"] - sent < 2
    child = coins.child(ANN, PERPETUAL)
    assert opens_with(coins, child, 0)
    assert not opens_with(coins, child, 1)


def test_a_second_order_goes_on_where_the_first_one_ended(coins):
    for lots in (25, 25, 10):
        coins.order(ANN, PERPETUAL, lots, 400)
        child = coins.child(ANN, PERPETUAL)
        assert opens_with(coins, child, 0)
        assert not opens_with(coins, child, 1)
    assert 100_000 <= coins.cash(child, COIN) <= 100_002


def test_a_fill_leaves_the_position_above_its_opening_requirement(coins):
    coins.trade(ANN, BOB, PERPETUAL, 60, 400)
    assert coins.lots(coins.child(ANN, PERPETUAL), PERPETUAL) == 60
    assert coins.spare_to_open(coins.child(ANN, PERPETUAL)) >= 0


@pytest.mark.parametrize("lots", [91, 101, 126])  # all her coins are worth 125 lots, but count for 85
def test_what_all_her_coins_do_not_count_for_is_refused(coins, lots):
    coins.order(ANN, PERPETUAL, lots, 400)
    assert coins.happened(events.REJECTED)[0]["reason"] == reject.BALANCE_TOO_LOW
    coins.order(ANN, PERPETUAL, 84, 400)
    assert coins.happened(events.ORDER_ACCEPTED)


def test_beyond_the_last_tier_more_coins_are_of_no_use(coins):
    coins.deposit(ANN, COIN, 1_000_000)
    coins.order(ANN, PERPETUAL, 109, 400)  # 200,000 coins count for 110 lots, but for rounding
    assert coins.happened(events.ORDER_ACCEPTED)
    coins.order(ANN, PERPETUAL, 1, 400)
    assert coins.happened(events.REJECTED)[0]["reason"] == reject.BALANCE_TOO_LOW


def test_what_does_not_fill_brings_coins_home_but_never_too_many(coins):
    coins.order(BOB, PERPETUAL, -20, 400)
    coins.order(ANN, PERPETUAL, 60, 400, tif=IOC)
    sent, back = (event["amount"] for event in coins.happened(events.MARGIN_MOVED))
    assert sent == 100_001
    assert back == -48_000  # 72,000 less 24,000 is free; two thirds of what was sent would be more
    assert coins.spare_to_open(coins.child(ANN, PERPETUAL)) >= 0
