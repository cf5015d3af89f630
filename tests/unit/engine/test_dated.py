"""Markets that expire: machine and twin agree with numbers worked out here."""

import pytest

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.orders import (
    BY_AVERAGE,
    BY_INDEX,
    BY_MARK,
    DEMAND_QUORUM,
    DUST,
    INVERSE,
    ON_MARK,
    PRODUCT_DATED,
    PRODUCT_PERPETUAL,
    REDUCE_ONLY,
    SETTLED,
    STOP,
    TO_SETTLE,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from steelyard.state.snapshot import dump, load, state_hash

USD, COIN = 1, 2
ANN, BOB, CAT, DAN = 7, 8, 9, 10
DAY = 24 * key.HOUR
MINUTE = 60 * key.SECOND
EXPIRY = 2 * key.HOUR  # from the start
STALE_AFTER = 10 * MINUTE
USUAL = {
    key.M_FEED: 2, key.M_TICKS_MAX: 4_000, key.M_MARK_POLICY: 1, key.M_PRICE_BAND_PPM: PPM, key.M_MAKER_PPM: 0,
    key.M_TAKER_PPM: 0, key.M_FUNDING_INTERVAL_NS: 0, key.M_SETTLE_WINDOW_NS: key.HOUR,
}  # fmt: skip
LINEAR_MARKET = {key.M_ATOMS_PER_TICK_LOT: 10}
INVERSE_MARKET = {key.M_SETTLE: COIN, key.M_KIND: INVERSE, key.M_ATOMS_PER_TICK_LOT: 10**6 + 3, key.M_TICKS_MIN: 100}


def begin(floor, market):
    """Four people with a million dollars and a million coins each; one market, 1,000 ticks, expiring in two hours."""
    floor.start = floor.now
    floor.configure(do.ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    floor.configure(do.FEED, {key.F_STALENESS_NS: 40 * DAY})
    floor.configure(do.FEED, {key.F_STALENESS_NS: STALE_AFTER})
    weights = {key.A_TIER_OPEN_PPM: 900_000, key.A_TIER_MAINTAIN_PPM: 950_000}
    floor.configure(do.ASSET, {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 44, **weights})
    floor.configure(do.MARKET, USUAL | {key.M_EXPIRY_NS: floor.now + EXPIRY} | market)
    floor.price({1: ASSET_PRICE_SCALE, 2: 1_000})
    for owner in range(2, 6):
        floor.configure(do.OWNER, {key.O_FEE_TIER: 0})
        floor.open_account(owner)
        floor.deposit(owner + 5, USD, 10**6)
        floor.deposit(owner + 5, COIN, 10**6)
    return floor


@pytest.fixture
def desk(floor):
    return begin(floor, LINEAR_MARKET)


@pytest.fixture
def coins(floor):
    return begin(floor, INVERSE_MARKET)


def at(floor, passed, ticks=0):
    """Later, with a report if there is a price."""
    floor.now = floor.start + passed
    return floor.price({2: ticks}) if ticks else floor.clock()


def settled(floor):
    (told,) = floor.happened(events.MARKET_SETTLED)
    return told["price"], told["reason"], told["amount"]


def refusal(floor):
    (told,) = floor.happened(events.REJECTED)
    return told["reason"]


def is_over(floor):
    market, rule = floor.facts()["market"][1], floor.facts()["market_rule"][1]
    rest = [market[column] for column in ("open_interest", "clearing", "funding_pool", "funding_dust", "settling")]
    return rest == [0] * 5 and rule[key.M_STATE] == SETTLED


def test_the_settlement_price_is_the_average_index_over_the_window(desk):
    desk.trade(ANN, BOB, 1, 10, 1_000)
    at(desk, EXPIRY - key.HOUR - 5 * MINUTE, 1_500)  # stands when the window opens, and is fresh for 5 minutes of it
    at(desk, EXPIRY - 30 * MINUTE, 1_200)  # fresh for 10 of the 20 minutes until the next
    at(desk, EXPIRY - 10 * MINUTE, 1_101)  # to the end
    at(desk, EXPIRY)
    average = (5 * 1_500 + 10 * 1_200 + 10 * 1_101) // 25
    assert settled(desk) == (average, BY_AVERAGE, 25 * 60 * 10**6)
    assert desk.cash(ANN) == 10**6 + 10 * 10 * (average - 1_000)
    assert desk.cash(BOB) == 10**6 - 10 * 10 * (average - 1_000)
    assert is_over(desk)
    assert desk.facts()["market"][1]["mark"] == average


def test_what_comes_after_the_expiry_counts_nothing(desk):
    at(desk, EXPIRY - 5 * MINUTE, 1_000)
    at(desk, EXPIRY + 3 * MINUTE, 3_000)  # the expiry was due before this report
    assert settled(desk) == (1_000, BY_AVERAGE, 5 * 60 * 10**6)
    assert desk.facts()["market"][1]["mark"] == 1_000


@pytest.mark.parametrize("looks", [1, 7, 60])
def test_looking_more_often_changes_nothing(desk, looks):
    at(desk, EXPIRY - 8 * MINUTE - 1, 1_003)
    for each in range(looks):
        at(desk, EXPIRY - 8 * MINUTE + each * 7 * MINUTE // looks + 17 * each)
    at(desk, EXPIRY)
    assert settled(desk) == (1_003, BY_AVERAGE, 8 * 60 * 10**6 + 1)


def test_without_a_fresh_index_the_market_waits_for_one(desk):
    desk.trade(ANN, BOB, 1, 10, 1_000)
    at(desk, EXPIRY + MINUTE)
    assert not desk.happened(events.MARKET_SETTLED)
    desk.order(CAT, 1, 1, 900)
    assert refusal(desk) == reject.MARKET_SETTLED
    at(desk, EXPIRY + 90 * MINUTE, 1_234)
    assert settled(desk) == (1_234, BY_INDEX, 0)
    assert desk.cash(ANN) == 10**6 + 10 * 10 * 234 and is_over(desk)


def test_a_market_that_waits_pays_nobody_out_at_its_standing_mark(desk):
    """The index may be good enough for withdrawing, and not for settling."""
    desk.configure(do.FEED, {key.F_STRICT_QUORUM: 2, key.F_DEMANDS + TO_SETTLE: DEMAND_QUORUM}, 2)
    desk.trade(ANN, BOB, 1, 80, 1_000)
    at(desk, EXPIRY - MINUTE, 1_000)
    at(desk, EXPIRY + MINUTE, 500)
    assert not desk.happened(events.MARKET_SETTLED)
    desk.withdraw(ANN, USD, 50_000)
    assert desk.happened(events.REJECTED)[0]["reason"] == reject.PRICE_UNCERTAIN


def test_an_account_is_settled_as_a_whole(desk):
    desk.configure(do.FEED, {key.F_STALENESS_NS: STALE_AFTER})
    desk.configure(do.MARKET, USUAL | LINEAR_MARKET | {key.M_FEED: 3, key.M_EXPIRY_NS: desk.start + EXPIRY})
    desk.price({2: 1_000, 3: 1_000})
    desk.trade(ANN, BOB, 1, 3, 1_000)
    desk.trade(BOB, ANN, 2, 3, 1_000)
    desk.now = desk.start + EXPIRY
    desk.price({2: 1_000, 3: 1_000})
    closed = [(each["account"], each["market"]) for each in desk.happened(events.POSITION_SETTLED)]
    assert [market for _, market in closed] == [1, 2, 1, 2]
    assert closed[0][0] == closed[1][0] != closed[2][0] == closed[3][0]


def test_after_a_day_of_silence_the_last_mark_is_taken(desk):
    desk.trade(ANN, BOB, 1, 10, 1_000)
    at(desk, 5 * MINUTE, 1_111)
    at(desk, EXPIRY + DAY - 1)
    assert not desk.happened(events.MARKET_SETTLED)
    at(desk, EXPIRY + DAY)
    assert settled(desk) == (1_111, BY_MARK, 0)
    assert is_over(desk)


def test_a_market_that_never_had_a_price_ends_all_the_same(desk):
    desk.configure(do.FEED, {key.F_STALENESS_NS: STALE_AFTER})
    desk.configure(do.MARKET, USUAL | LINEAR_MARKET | {key.M_FEED: 3, key.M_EXPIRY_NS: desk.now + MINUTE})
    desk.wait(MINUTE + DAY).clock()
    assert (2, 1, BY_MARK) in [
        (told["market"], told["price"], told["reason"]) for told in desk.happened(events.MARKET_SETTLED)
    ]


def test_orders_go_and_none_comes_in(desk):
    desk.order(ANN, 1, 5, 990)
    desk.order(BOB, 1, -5, trigger_kind=STOP, trigger=900, trigger_on=ON_MARK)
    at(desk, EXPIRY - MINUTE, 1_000)
    at(desk, EXPIRY)
    assert [told["reason"] for told in desk.happened(events.ORDER_CLOSED)] == [events.CLOSED_SETTLED] * 2
    assert desk.orders(ANN) == desk.orders(BOB) == []
    for flags in (0, REDUCE_ONLY):
        desk.order(ANN, 1, 5, 990, options=flags)
        assert refusal(desk) == reject.MARKET_SETTLED
    desk.configure(do.MARKET, {key.M_STATE: 0}, row=1)
    assert refusal(desk) == reject.PARAMETERS_DISAGREE
    desk.configure(do.MARKET, {key.M_EXPIRY_NS: desk.now + 2 * DAY}, row=1)
    assert refusal(desk) == reject.PARAMETERS_DISAGREE


def test_roundings_go_against_whoever_is_closed_and_then_to_the_dust(coins):
    for buyer, lots, ticks in ((ANN, 7, 1_000), (BOB, 11, 1_001), (CAT, 13, 997)):
        coins.trade(buyer, DAN, 1, lots, ticks)
    at(coins, EXPIRY - MINUTE, 1_009)
    at(coins, EXPIRY)
    lot = 10**6 + 3
    assert coins.cash(ANN, COIN) == 10**6 + 7 * lot // 1_000 - -(-7 * lot // 1_009)
    held = sum(lots * lot // ticks for lots, ticks in ((7, 1_000), (11, 1_001), (13, 997)))
    assert coins.cash(DAN, COIN) == 10**6 - held + 31 * lot // 1_009
    dust = coins.cash(DUST, COIN)
    assert dust > 0 and sum(told["amount"] for told in coins.happened(events.DUST_SWEPT)) == dust
    assert sum(coins.cash(each, COIN) for each in (ANN, BOB, CAT, DAN, DUST)) == 4 * 10**6
    assert is_over(coins)


def test_funding_is_settled_and_ends(floor):
    begin(floor, LINEAR_MARKET | {key.M_FUNDING_INTERVAL_NS: key.HOUR, key.M_SAMPLE_INTERVAL_NS: key.HOUR})
    floor.trade(ANN, BOB, 1, 7, 1_000)
    for passed in range(5 * MINUTE, EXPIRY, 5 * MINUTE):
        at(floor, passed, 1_001)
    at(floor, EXPIRY)
    assert floor.happened(events.FUNDING_PAID)
    assert is_over(floor)
    at(floor, EXPIRY + DAY)
    assert not floor.happened(events.FUNDING_SET)


def test_legs_are_closed_one_after_the_other_when_a_command_may_do_little(make_floor):
    floor = begin(make_floor(events_per_command=1), LINEAR_MARKET)
    for seller in (BOB, CAT, DAN):
        floor.trade(ANN, seller, 1, 5, 1_000)
    at(floor, EXPIRY - MINUTE, 1_010)
    at(floor, EXPIRY)
    closed = []
    for _ in range(3):
        assert not is_over(floor)
        closed += [told["account"] for told in floor.happened(events.POSITION_SETTLED)]
        state = floor.both.machine.state
        assert state_hash(load(dump(state))[0]) == state_hash(state)  # in the middle of the walk too
        floor.both.machine.rebuild()
        floor.clock()
    closed += [told["account"] for told in floor.happened(events.POSITION_SETTLED)]
    assert sorted(closed) == [ANN, BOB, CAT, DAN]
    assert is_over(floor)
    assert floor.cash(ANN) == 10**6 + 15 * 10 * 10


def test_an_isolated_position_sends_everything_home(desk):
    desk.isolate(ANN, 1)
    desk.order(BOB, 1, -10, 1_000)
    desk.order(ANN, 1, 10, 1_000)
    desk.order(ANN, 1, 1, 900)
    assert desk.cash(desk.child(ANN)) > 0
    at(desk, EXPIRY - MINUTE, 1_050)
    at(desk, EXPIRY)
    assert desk.cash(desk.child(ANN)) == 0
    assert desk.cash(ANN) == 10**6 + 10 * 10 * 50


def test_an_account_in_liquidation_is_settled_and_its_liquidation_goes_on(desk):
    desk.trade(ANN, BOB, 1, 900, 1_000)
    at(desk, EXPIRY - MINUTE, 1_000)
    desk.configure(do.MARKET, {key.M_BACKSTOP_LOTS_MAX: 0}, row=1)
    at(desk, EXPIRY - 1, 830)  # Ann has lost more than all, and nobody is left to close with
    at(desk, EXPIRY)
    assert desk.lots(ANN) == desk.lots(BOB) == 0
    assert is_over(desk)
    desk.wait(2 * DAY).clock()
    assert desk.facts()["account"][ANN]["queued"] in (0, 3)


def test_a_delisted_perpetual_is_left_then_settled(floor):
    begin(floor, LINEAR_MARKET | {key.M_EXPIRY_NS: 0})
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.configure(do.MARKET, {key.M_EXPIRY_NS: floor.now + DAY - 1}, row=1)
    assert refusal(floor) == reject.PARAMETERS_DISAGREE
    floor.configure(do.MARKET, {key.M_EXPIRY_NS: floor.now + DAY}, row=1)
    expiry = floor.now + DAY - floor.start
    floor.order(CAT, 1, 1, 1_000)
    assert refusal(floor) == reject.MARKET_REDUCE_ONLY
    floor.order(BOB, 1, 4, 1_000, options=REDUCE_ONLY)
    floor.order(ANN, 1, -4, 1_000, options=REDUCE_ONLY)
    assert floor.lots(ANN) == 6
    floor.configure(do.MARKET, {key.M_EXPIRY_NS: floor.now + DAY + MINUTE}, row=1)  # later is allowed
    floor.configure(do.MARKET, {key.M_EXPIRY_NS: floor.now + DAY}, row=1)
    at(floor, expiry - MINUTE, 1_100)
    at(floor, expiry)
    assert settled(floor)[:2] == (1_100, BY_AVERAGE) and is_over(floor)
    assert floor.cash(ANN) == 10**6 + 6 * 10 * 100


def test_a_dated_market_keeps_its_date(desk):
    desk.configure(do.MARKET, {key.M_EXPIRY_NS: 0}, row=1)
    assert refusal(desk) == reject.PARAMETERS_DISAGREE
    desk.order(CAT, 1, 1, 1_000)
    assert desk.orders(CAT) == [(1, 1_000)]  # and lets in who wants to


@pytest.mark.parametrize(
    "products, expected", [(PRODUCT_DATED, []), (PRODUCT_PERPETUAL, [reject.TIER_FORBIDS_PRODUCT])]
)
def test_a_tier_says_who_may_hold_what_expires(desk, products, expected):
    desk.configure(do.RISK_TIER, {key.T_PRODUCTS: products}, row=1)
    desk.order(ANN, 1, 1, 1_000)
    assert [told["reason"] for told in desk.happened(events.REJECTED)] == expected
