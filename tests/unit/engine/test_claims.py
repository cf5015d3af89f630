"""Claims that the house issues and sells for debts which nobody pays."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, DAN, USD, open_venue
from tests.unit.engine.test_offers import bid, coins, line

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE, FEED
from steelyard.model.keys import SECOND
from steelyard.model.orders import AS_ASKED, INSURANCE, LENDER, MAY_BORROW, OF_TIME, TAKE_ALL
from steelyard.num.limits import ASSET_PRICE_SCALE

CLAIM = 3  # worth two dollars
MINUTE = 60 * SECOND


@pytest.fixture
def venue(make_floor):
    """ANN owes 19,000 dollars on 2,000 coins that are sold at once; the auction gives 0 to 100 % in a minute, twice."""
    floor = make_floor(assets=6)
    open_venue(floor, {}, people=5, purse=0)
    floor.configure(ASSET, {key.A_LOAN_CAP: 30_000, key.A_LENDER_BEARS: 1}, row=USD)
    for _ in range(2):
        floor.configure(FEED, {key.F_STALENESS_NS: 600 * MINUTE})
    auction = {key.C_OF: OF_TIME, key.C_TO: MINUTE, key.C_SIZE: TAKE_ALL, key.C_LASTS_NS: MINUTE, key.C_BEYOND: 1}
    floor.configure(CURVE, line(2_000_000, 3_000_000) | auction)
    floor.configure(CURVE, line(0, 1_000_000) | auction | {key.C_THEN: 1, key.C_FEE_PPM: 100_000})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    floor.configure(ASSET, {key.A_FEED: 3, key.A_SUPPLY_MAX: 40_000, key.A_OFFER: 2})
    floor.configure(ASSET, {key.A_ISSUES: CLAIM}, row=USD)
    floor.price({3: 2 * ASSET_PRICE_SCALE})
    coins(floor, 12)
    floor.deposit(ANN, COIN, 2_000)
    floor.deposit(LENDER, USD, 60_000)
    floor.deposit(5, USD, 16_000)  # the converter
    floor.borrow(ANN, USD, 19_000)
    for who in (BOB, CAT, DAN):
        floor.deposit(who, USD, 50_000)
    floor.deposit(DAN, CLAIM, 10_000)
    return floor


def issued(floor):
    return [(each["other"], each["lots"], each["amount"]) for each in floor.happened(events.CLAIMS_ISSUED)]


def later(floor):
    floor.wait(SECOND).clock()
    return issued(floor)


def claim_bid(floor, who, lots, **more):
    return bid(floor, who, lots, collateral=CLAIM, **more)


def test_what_nobody_pays_is_sold_for_claims(venue):
    """At 8 dollars 2,000 coins bring 16,000; the fund has 500; 2,500 are left, at two dollars 1,250 claims."""
    venue.deposit(INSURANCE, USD, 500)
    assert claim_bid(venue, BOB, 9_000) == [reject.NOT_IN_LIQUIDATION]
    coins(venue, 8)
    assert [each["amount"] for each in venue.happened(events.FUND_PAID)] == [500]
    assert not venue.happened(events.DEBT_WRITTEN_OFF)
    assert venue.cash(ANN) == -2_500 and venue.twin.leg(ANN, CLAIM).cost == USD
    venue.wait(29 * SECOND).clock()
    assert claim_bid(venue, BOB, 1_000) == [] and claim_bid(venue, CAT, 9_000) == []
    # 30 seconds on a claim and a half for two dollars: of 1,000 dollars 750, of the rest 1,125.
    assert later(venue) == [(BOB, 1_000, 741), (CAT, 1_500, 1_112)]
    assert (venue.cash(BOB, CLAIM), venue.cash(CAT, CLAIM), venue.cash(INSURANCE, CLAIM)) == (741, 1_112, 0)
    assert (venue.cash(BOB), venue.cash(CAT), venue.cash(ANN)) == (49_000, 48_500, 0)
    assert venue.twin.assets[CLAIM].deposited == 10_000 + 741 + 1_112
    assert not venue.twin.accounts[ANN].queued and venue.twin.leg(ANN, CLAIM).cost == 0
    assert venue.cash(LENDER) == 60_000


def test_the_amount_rises_and_lenders_bear_what_nobody_bought(venue):
    coins(venue, 8)
    venue.wait(59 * SECOND).clock()
    claim_bid(venue, BOB, 100)
    assert later(venue) == [(BOB, 100, 99)]
    claim_bid(venue, BOB, 100)
    assert later(venue) == [(BOB, 100, 150)]  # the second step: twice as much again
    venue.wait(50 * SECOND).clock()
    assert not venue.happened(events.DEBT_WRITTEN_OFF)
    venue.wait(15 * SECOND).clock()
    venue.wait(5 * SECOND).clock()
    assert venue.cash(ANN) == 0 and not venue.twin.accounts[ANN].queued
    assert venue.cash(LENDER) == 60_000 - 2_800
    assert claim_bid(venue, BOB, 100) == [reject.NOT_IN_LIQUIDATION]


def test_no_more_than_may_be_issued(venue):
    """30,000 may come; the curve gives 7,500 for the debt at first."""
    venue.deposit(DAN, CLAIM, 29_000)
    coins(venue, 8)
    claim_bid(venue, BOB, 9_000)
    assert later(venue) == [(BOB, 2_000, 1_000)]
    assert claim_bid(venue, BOB, 9_000) == [reject.NO_OFFER]
    venue.wait(5 * SECOND).clock()
    assert [each["amount"] for each in venue.happened(events.DEBT_WRITTEN_OFF)] == [1_000]


def test_who_asks_for_less_comes_first(venue):
    coins(venue, 8)
    claim_bid(venue, CAT, 3_000)
    claim_bid(venue, BOB, 1_000, least=400, options=AS_ASKED)
    assert later(venue) == [(BOB, 1_000, 400), (CAT, 2_000, 1_000)]


def test_what_it_holds_goes_first(venue):
    """With 24 dollars' worth of coins beside its debt nothing is issued; nor while it holds claims itself."""
    coins(venue, 8)
    venue.deposit(DAN, COIN, 3)
    venue.transfer(DAN, ANN, COIN, 3)
    assert claim_bid(venue, BOB, 100) == [reject.NO_OFFER]
    venue.transfer(DAN, ANN, CLAIM, 1)
    claim_bid(venue, BOB, 100)
    assert later(venue) == []


def test_the_price_must_be_good(venue):
    coins(venue, 8)
    venue.wait(601 * MINUTE)
    assert claim_bid(venue, BOB, 100) == [reject.PRICE_STALE]
    venue.configure(ASSET, {key.A_ISSUES: 0}, row=USD)
    coins(venue, 8)
    venue.price({3: 2 * ASSET_PRICE_SCALE})
    assert claim_bid(venue, BOB, 100, options=MAY_BORROW) in ([reject.NO_OFFER], [reject.NOT_IN_LIQUIDATION])


@pytest.mark.parametrize("claims", [USD, COIN, 9, 4])
def test_what_may_not_be_issued(venue, claims):
    venue.configure(ASSET, {key.A_POOL_OF: USD})
    venue.configure(ASSET, {key.A_ISSUES: claims}, row=COIN)
    (event,) = venue.happened(events.REJECTED)
    assert (event["reason"], event["order"]) == (reject.PARAMETERS_DISAGREE, key.A_ISSUES)
