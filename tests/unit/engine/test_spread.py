"""Debts that other borrowers take over: who owes how much more, and gets what for it."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, DAN, EVE, USD, open_venue
from tests.unit.engine.test_offers import coins, line

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE, FEED
from steelyard.model.keys import SECOND
from steelyard.model.orders import (
    ABSORBS,
    FOR_BORROWERS,
    FOR_POOL,
    INSURANCE,
    KEEPER,
    LENDER,
    OF_TIME,
    TAKE_ALL,
    TAKE_WHOLE,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, BORROW_SCALE

NOTE = 3  # what is owed: worth a dollar
KEPT = 12  # the keeper's account: the venue has five people


@pytest.fixture
def venue(make_floor):
    """ANN owes 19,000 notes on 2,000 coins, BOB 30,000 on 6,000, CAT 10,000 on 4,000. A coin is 12 dollars."""
    floor = make_floor(assets=6)
    open_venue(floor, {}, people=5, purse=0)
    for _ in range(2):
        floor.configure(FEED, {key.F_STALENESS_NS: 600 * SECOND})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    owed = {key.A_FEED: 3, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 100_000, key.A_POOL_GAINS: COIN}
    floor.configure(ASSET, owed)
    floor.price({3: ASSET_PRICE_SCALE})
    coins(floor, 12)
    floor.deposit(LENDER, NOTE, 500_000)
    for who, debt, collateral in ((ANN, 19_000, 2_000), (BOB, 30_000, 6_000), (CAT, 10_000, 4_000)):
        floor.deposit(who, COIN, collateral)
        floor.borrow(who, NOTE, debt)
    return floor


def spread(floor, terms=None):
    wanted = {key.C_TAKER: FOR_BORROWERS, key.C_SIZE: TAKE_WHOLE} | (terms or {})
    floor.configure(CURVE, line(50_000, 50_000) | wanted)
    floor.configure(ASSET, {key.A_OFFER: len(floor.twin.curves)}, row=COIN)


def told(floor):
    return [(each["lots"], each["amount"], each["fee"]) for each in floor.happened(events.DEBT_SPREAD)]


def refused(floor):
    return [(event["reason"], event["order"]) for event in floor.happened(events.REJECTED)]


def debt(floor, account):
    asset, leg = floor.twin.assets[NOTE], floor.twin.leg(account, NOTE)
    return -(leg.quantity * asset.borrow_index // leg.index_at_touch)


def test_debt_and_collateral_go_to_those_who_owe_by_what_they_owe(venue):
    """D = 19,000 at 10.5: par 1,809 coins, with 5 % 1,899. BOB owes three quarters of the rest, CAT a quarter."""
    spread(venue)
    assert venue.twin.accounts[KEPT].role == KEEPER
    coins(venue, 10.5)
    assert told(venue) == [(19_000, 1_899, 0)]
    assert (venue.cash(ANN, NOTE), venue.cash(ANN, COIN), venue.cash(KEPT, COIN)) == (0, 101, 1_899)
    # 40,000 owed become 59,000; nobody was touched, yet everybody owes it.
    assert venue.twin.assets[NOTE].borrow_index == BORROW_SCALE * 59 // 40
    assert (debt(venue, BOB), debt(venue, CAT)) == (44_250, 14_750)
    assert (venue.cash(BOB, NOTE), venue.twin.assets[NOTE].owed) == (-30_000, 59_000)
    venue.claim(BOB, NOTE)
    venue.claim(CAT, NOTE)
    assert (venue.cash(BOB, COIN), venue.cash(CAT, COIN)) == (6_000 + 1_424, 4_000 + 474)
    assert venue.cash(KEPT, COIN) == 1  # what roundings left
    venue.claim(CAT, NOTE)
    assert refused(venue) == [(reject.NOTHING_CHANGES, 0)]


def test_the_lender_has_it_again_when_debts_are_repaid(venue):
    spread(venue)
    coins(venue, 10.5)
    assert venue.cash(LENDER, NOTE) == 500_000 - 19_000
    for who, amount in ((BOB, 44_250), (CAT, 14_750)):
        venue.deposit(who, NOTE, amount)
        assert venue.cash(who, NOTE) == 0
    assert venue.cash(LENDER, NOTE) == 500_000
    assert (venue.twin.assets[NOTE].owed, venue.cash(BOB, COIN)) == (0, 6_000 + 1_424)


def test_part_and_price_do_not_depend_on_when_one_borrowed(venue):
    """After the first debt is spread DAN borrows as much as CAT owes by then: of the second both get the same."""
    spread(venue)
    coins(venue, 10.5)
    venue.deposit(DAN, COIN, 4_000)
    venue.borrow(DAN, NOTE, 14_750)
    venue.deposit(EVE, COIN, 1_000)
    venue.borrow(EVE, NOTE, 8_000)
    coins(venue, 8.8)
    assert [each[0] for each in told(venue)] == [8_000]
    assert abs(debt(venue, CAT) - debt(venue, DAN)) <= 1
    before = {who: venue.cash(who, COIN) for who in (CAT, DAN)}
    for who in (CAT, DAN):
        venue.claim(who, NOTE)
    gains = [venue.cash(who, COIN) - before[who] for who in (CAT, DAN)]
    assert gains[0] - 474 in (gains[1], gains[1] - 1, gains[1] + 1)


def test_a_loss_is_shared(venue):
    """At 9 dollars 2,000 coins are worth 18,000: others take 19,000 over for them."""
    spread(venue)
    coins(venue, 9)
    assert told(venue) == [(19_000, 2_000, 0)]
    (event,) = venue.happened(events.DEBT_SPREAD)
    assert (event["extra"], event["extra2"]) == (-1_000, -1_000)
    assert venue.cash(ANN, COIN) == venue.cash(ANN, NOTE) == 0


def test_who_is_healthy_with_his_gain_keeps_his_orders(venue):
    """CAT's debt grows by 4,750 and pushes CAT below; 474 coins lift CAT again, before any order is cancelled."""
    spread(venue)
    venue.borrow(CAT, NOTE, 20_000)  # 30,000 on 4,000 coins
    venue.deposit(CAT, USD, 500)
    venue.order(CAT, 1, 1, 900)
    coins(venue, 10.5)
    (event,) = venue.happened(events.GAIN_PAID)
    assert (event["account"], event["other"]) == (CAT, NOTE)
    assert [each["account"] for each in venue.happened(events.LIQUIDATION_STARTED)] == [ANN]
    assert venue.orders(CAT) and not venue.twin.accounts[CAT].queued


def test_who_has_something_else_gives_it_first(venue):
    spread(venue)
    venue.deposit(ANN, USD, 20)
    coins(venue, 9)
    assert told(venue) == []  # 20 dollars are more than a thousandth of 19,000


def test_the_pool_comes_first(venue):
    """Its 4,000 notes go for 399 coins; others take what is left of the debt over."""
    venue.configure(ASSET, {key.A_POOL_OF: NOTE, key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN})
    venue.deposit(DAN, NOTE, 4_000)
    venue.stake(DAN, 4, NOTE, 4_000)
    venue.configure(CURVE, line(50_000, 50_000) | {key.C_TAKER: FOR_BORROWERS, key.C_SIZE: TAKE_WHOLE})
    pool = {key.C_TAKER: FOR_POOL, key.C_SIZE: TAKE_ALL, key.C_THEN: 1}
    venue.configure(CURVE, line(50_000, 50_000) | pool)
    assert refused(venue) == []
    venue.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    coins(venue, 9.4)
    assert [each["lots"] for each in venue.happened(events.ABSORBED)] == [4_000]
    assert [each[0] for each in told(venue)] == [15_000]


@pytest.mark.parametrize(
    ("change", "happens"),
    [
        ({}, True),
        ({"owed": 18_999}, False),  # nobody's debt more than doubles
        ({"owed": 19_000}, True),
        ({"frozen": 1}, False),
    ],
)
def test_when_nothing_happens(venue, change, happens):
    if "owed" in change:
        venue.deposit(CAT, NOTE, 10_000)
        venue.deposit(BOB, NOTE, 30_000 - change["owed"])
    venue.configure(ASSET, {key.A_FROZEN: change.get("frozen", 0)}, row=NOTE)
    spread(venue)
    coins(venue, 10.5)
    assert bool(told(venue)) is happens


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({key.A_POOL_GAINS: 4}, key.A_POOL_GAINS),
        ({key.A_POOL_GAINS: 9}, key.A_POOL_GAINS),
        ({key.A_POOL_GAINS: NOTE}, key.A_POOL_GAINS),
        ({key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN}, key.A_POOL_KIND),
    ],
)
def test_what_an_asset_may_not_gain(venue, settings, named):
    venue.configure(FEED, {})
    venue.configure(ASSET, {key.A_FEED: 4} | settings)
    assert refused(venue) == [(reject.PARAMETERS_DISAGREE, named)]


@pytest.mark.parametrize(
    ("terms", "named"),
    [
        ({key.C_SIZE: TAKE_ALL}, key.C_SIZE),
        ({key.C_OF: OF_TIME}, key.C_OF),
        ({key.C_LASTS_NS: SECOND}, key.C_LASTS_NS),
    ],
)
def test_what_a_step_for_borrowers_may_not_say(venue, terms, named):
    wanted = {key.C_TAKER: FOR_BORROWERS, key.C_SIZE: TAKE_WHOLE} | (terms or {})
    venue.configure(CURVE, line(50_000, 50_000) | wanted)
    assert refused(venue) == [(reject.PARAMETERS_DISAGREE, named)]


def test_the_fee_is_the_house_s(venue):
    spread(venue, {key.C_FEE_PPM: 100_000})
    coins(venue, 10.5)
    assert told(venue) == [(19_000, 1_890, 9)]
    assert venue.cash(INSURANCE, COIN) == 9
