"""Inverse perpetuals, dollars a lot, settled in coins: machine and twin agree with numbers worked out here."""

import pytest

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.orders import INVERSE, LINEAR, WIDEN_CONFIDENCE
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE, PPM

USD, COIN = 1, 2
ANN, BOB = 7, 8
INVERSE_MARKET = {
    key.M_SETTLE: COIN, key.M_FEED: 2, key.M_KIND: INVERSE, key.M_ATOMS_PER_TICK_LOT: 2 * 10**8,
    key.M_TICKS_MIN: 1_000, key.M_TICKS_MAX: 50_000, key.M_MARK_POLICY: 1, key.M_POSITION_LOTS_MAX: 1 << 24,
    key.M_PRICE_BAND_PPM: PPM, key.M_FUNDING_INTERVAL_NS: key.HOUR, key.M_SAMPLE_INTERVAL_NS: key.HOUR,
    key.M_MAKER_PPM: 0, key.M_TAKER_PPM: 0,
}  # fmt: skip


@pytest.fixture
def desk(make_floor):
    """Ann and Bob hold ten coins of eight decimals each; half a dollar a tick, a dollar a lot."""
    floor = make_floor(ladder_ticks=1 << 18)
    floor.configure(do.ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    floor.configure(do.FEED, {key.F_STALENESS_NS: 24 * key.HOUR})
    floor.configure(do.FEED, {key.F_STALENESS_NS: 24 * key.HOUR})
    floor.configure(do.ASSET, {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 44, key.A_LOAN_CAP: 1 << 40})
    floor.configure(do.MARKET, INVERSE_MARKET)
    move(floor, 20_000)
    for owner, account in ((2, ANN), (3, BOB)):
        floor.configure(do.OWNER, {key.O_FEE_TIER: 0})
        floor.open_account(owner)
        floor.deposit(account, COIN, 10**9)
    return floor


def move(floor, ticks):
    floor.price({1: ticks * ASSET_PRICE_SCALE // 200, 2: ticks})


def test_whoever_is_long_gains_coins_as_the_price_rises_and_nobody_else_loses(desk):
    desk.trade(ANN, BOB, 1, 30_000, 20_000)
    assert desk.facts()["market"][1]["clearing"] == 0
    move(desk, 25_000)
    desk.trade(BOB, ANN, 1, 30_000, 25_000)
    # 30,000 dollars were 3 coins, and are 2.4.
    assert desk.cash(ANN, COIN) == 10**9 + 3 * 10**8 - 240_000_000
    assert desk.cash(BOB, COIN) == 10**9 - 3 * 10**8 + 240_000_000
    assert desk.facts()["market"][1]["clearing"] == desk.lots(ANN) == 0


def test_roundings_of_trades_stay_between_the_two_sides(desk):
    for price in (19_997, 20_011, 20_023):
        desk.trade(ANN, BOB, 1, 7, price)
    desk.trade(BOB, ANN, 1, 21, 19_999)
    assert desk.lots(ANN) == desk.lots(BOB) == 0
    bought = sum(7 * 2 * 10**8 // price for price in (19_997, 20_011, 20_023))
    assert desk.cash(ANN, COIN) - 10**9 == bought - 21 * 2 * 10**8 // 19_999
    assert desk.cash(ANN, COIN) + desk.cash(BOB, COIN) == 2 * 10**9


def test_at_a_positive_rate_longs_pay_their_part_of_the_notional(desk):
    desk.trade(ANN, BOB, 1, 30_000, 20_000)
    desk.wait(key.HOUR).clock()
    (told,) = desk.happened(events.FUNDING_SET)
    lot = 10_000 * INDEX_SCALE  # a dollar is 10,000 atoms
    assert (told["amount"], told["extra"]) == (100_000, -lot // 10_000)
    desk.trade(BOB, ANN, 1, 30_000, 20_000)
    paid = {event["account"]: event["amount"] for event in desk.happened(events.FUNDING_PAID)}
    assert paid == {ANN: 30_000, BOB: -30_000}  # a hundred millionths of three coins


def test_the_requirement_grows_as_the_price_falls(desk):
    desk.trade(ANN, BOB, 1, 30_000, 20_000)
    before = desk.spare_to_keep(BOB)
    move(desk, 10_000)  # 30,000 dollars are six coins: Bob gained three, and they need twice as much
    gained = (13 * 10**8 * 50 - 10 * 10**8 * 100) - (6 * 10**8 * 50 - 3 * 10**8 * 100) * 5 // 1_000
    assert desk.spare_to_keep(BOB) - before == gained


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, 0),
        ({key.M_TICKS_MIN: 50_001}, key.M_TICKS_MIN),
        ({key.M_ATOMS_PER_TICK_LOT: 49_999}, key.M_ATOMS_PER_TICK_LOT),  # less than an atom at the highest price
        ({key.M_ATOMS_PER_TICK_LOT: 50_000}, 0),
        ({key.M_ATOMS_PER_TICK_LOT: (1 << 36) * 1_000, key.M_POSITION_LOTS_MAX: 64, key.M_ORDER_LOTS_MAX: 64}, 0),
        ({key.M_ATOMS_PER_TICK_LOT: (1 << 36) * 1_000 + 1}, key.M_ATOMS_PER_TICK_LOT),
        ({key.M_TICKS_MIN: 1, key.M_POSITION_LOTS_MAX: 1 << 26}, key.M_POSITION_LOTS_MAX),
        ({key.M_POSITION_LOTS_MAX: (1 << 53) // 200_000}, 0),
        ({key.M_POSITION_LOTS_MAX: (1 << 53) // 200_000 + 1}, key.M_POSITION_LOTS_MAX),
        ({key.M_KIND: LINEAR, key.M_POSITION_LOTS_MAX: 900, key.M_ORDER_LOTS_MAX: 9}, 0),
        ({key.M_KIND: LINEAR, key.M_POSITION_LOTS_MAX: 901, key.M_ORDER_LOTS_MAX: 9}, key.M_POSITION_LOTS_MAX),
    ],
)
def test_what_a_market_may_be(desk, changes, wrong):
    desk.configure(do.FEED, {key.F_QUORUM: 1})
    desk.price({1: 1})  # the coin is worth so little that only the width of positions matters
    desk.configure(do.MARKET, INVERSE_MARKET | {key.M_FEED: 3} | changes)
    refused = desk.happened(events.REJECTED)
    assert [(event["reason"], event["order"]) for event in refused] == (
        [(reject.PARAMETERS_DISAGREE, wrong)] if wrong else []
    )


def test_below_the_ladder_nothing_is_taken(desk):
    def refused():
        return [event["reason"] for event in desk.happened(events.REJECTED)]

    desk.order(ANN, 1, 1, 999)
    assert refused() == [reject.PRICE_BELOW_LIMIT]
    desk.order(ANN, 1, -1, 20_000, trigger_kind=1, trigger=999)
    assert refused() == [reject.PRICE_BELOW_LIMIT]
    desk.order(ANN, 1, 1, 1_000)
    assert refused() == []
    desk.say(do.AMEND_ORDER, {"account": ANN, "order": desk.twin.open_orders(ANN)[0].id, "price": 999})
    assert refused() == [reject.PRICE_BELOW_LIMIT]
    desk.price({2: 999})
    assert refused() == [reject.PRICE_BELOW_LIMIT]
    desk.price({2: 1_000})
    assert refused() == []


def worth_in_dollars(coins_atoms):
    """At 20,000 ticks, 10,000 dollars, a coin of eight decimals."""
    return coins_atoms * 100


def test_an_uncertain_index_asks_a_long_for_what_is_owed_at_the_low_end_and_a_short_for_the_high_one(desk):
    desk.trade(ANN, BOB, 1, 30_000, 20_000)
    before = desk.spare_to_open(ANN), desk.spare_to_open(BOB), desk.spare_to_keep(ANN)
    desk.configure(do.FEED, {key.F_WIDENS: WIDEN_CONFIDENCE}, row=2)
    desk.say(do.PRICE, {"market": 2, "price": 20_000, "lots": 2_000, "trigger": desk.now})
    assert (desk.twin.markets[1].below, desk.twin.markets[1].above) == (2_000, 2_000)
    # Three coins are 3.33 at 9,000 dollars and 2.73 at 11,000.
    low, high = 30_000 * 2 * 10**8 // 18_000, 30_000 * 2 * 10**8 // 22_000
    assert before[0] - desk.spare_to_open(ANN) == worth_in_dollars(low - 3 * 10**8)
    assert before[1] - desk.spare_to_open(BOB) == worth_in_dollars(3 * 10**8 - high)
    assert desk.spare_to_keep(ANN) == before[2]


def test_no_interval_and_no_cap_ends_below_the_ladder(desk):
    desk.trade(ANN, BOB, 1, 30_000, 20_000)
    desk.configure(do.FEED, {key.F_WIDENS: WIDEN_CONFIDENCE}, row=2)
    desk.say(do.PRICE, {"market": 2, "price": 20_000, "lots": 19_999, "trigger": desk.now})
    assert (desk.twin.markets[1].below, desk.twin.markets[1].above) == (19_000, 19_999)
    desk.order(BOB, 1, 1, 19_000)
    desk.configure(do.FEED, {key.F_WIDENS: 0, key.F_GROWTH_REF: 10}, row=2)
    assert desk.twin.markets[1].index == 1_000
