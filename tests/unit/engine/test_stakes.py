"""Stake pools: what they absorb, who gets what of it, and what ends an epoch."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, DAN, EVE, USD
from tests.unit.engine.test_offers import bid, coins, indebt_ann, later, line, offer, open_bank

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE
from steelyard.model.keys import SECOND
from steelyard.model.orders import (
    ABSORBS,
    FOR_POOL,
    INSURANCE,
    KEEPER,
    OF_LTV,
    OF_TIME,
    TAKE_ALL,
    TAKE_WHOLE,
)

SHARE = 3
KEPT = 12  # the keeper's account: the venue has five people


def begin(floor, keys=None):
    floor.configure(ASSET, {key.A_POOL_OF: USD, key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN} | (keys or {}))


@pytest.fixture
def venue(make_floor):
    """ANN owes 19,000 dollars on 2,000 coins; a pool of dollars takes whole debts, at a bonus of 5 %."""
    floor = make_floor(assets=6)
    open_bank(floor, people=5)
    indebt_ann(floor)
    for who in (BOB, CAT, DAN):
        floor.deposit(who, USD, 50_000)
    begin(floor, {key.A_TIER_OPEN_PPM: 0, key.A_TIER_MAINTAIN_PPM: 0})
    return floor


def whole(floor, curve=None, **terms):
    offer(floor, curve, **({"taker": FOR_POOL, "size": TAKE_WHOLE} | terms))


def absorbed(floor):
    """(repaid, to the pool, fee) of each absorption of the last command."""
    return [(each["lots"], each["amount"], each["fee"]) for each in floor.happened(events.ABSORBED)]


def refused(floor):
    return [(event["reason"], event["order"]) for event in floor.happened(events.REJECTED)]


def test_a_pool_takes_debt_and_collateral_over(venue):
    """D = 19,000 at 10.5: par 1,809 coins, with 5 % 1,899. BOB staked three times what CAT did."""
    whole(venue)
    assert venue.twin.accounts[KEPT].role == KEEPER
    venue.stake(BOB, SHARE, USD, 30_000)
    venue.stake(CAT, SHARE, USD, 10_000)
    assert (venue.cash(BOB, SHARE), venue.cash(CAT, SHARE)) == (3_000_000, 1_000_000)
    coins(venue, 10.5)
    assert absorbed(venue) == [(19_000, 1_899, 0)]
    assert (venue.cash(ANN), venue.cash(ANN, COIN)) == (0, 101)
    assert (venue.cash(KEPT), venue.cash(KEPT, COIN)) == (21_000, 1_899)
    assert venue.happened(events.LIQUIDATION_ENDED) and venue.happened(events.SHARE_PRICE_SET)
    # 1,899 / 4,000,100 shares: the hundred nobody's shares have no part in it.
    venue.claim(BOB, SHARE)
    assert [each["amount"] for each in venue.happened(events.GAIN_PAID)] == [1_424]
    venue.claim(BOB, SHARE)
    assert refused(venue) == [(reject.NOTHING_CHANGES, 0)]
    venue.redeem(CAT, SHARE, 1_000_000)
    assert [each["amount"] for each in venue.happened(events.GAIN_PAID)] == [474]
    assert (venue.cash(CAT), venue.cash(CAT, COIN)) == (40_000 + 5_250, 474)
    assert venue.cash(KEPT, COIN) == 1  # two roundings


def test_nobody_gains_by_splitting(venue):
    """Who claims twice gets no more than who claims once; who stakes later gets nothing of what was before."""
    whole(venue)
    venue.stake(BOB, SHARE, USD, 10_000)
    venue.stake(CAT, SHARE, USD, 10_000)
    coins(venue, 10.5)
    ((repaid, net, _),) = absorbed(venue)
    assert (repaid, net) == (19_000, 1_899)
    venue.claim(BOB, SHARE)
    venue.stake(DAN, SHARE, USD, 10_000)
    venue.claim(DAN, SHARE)
    assert refused(venue) == [(reject.NOTHING_CHANGES, 0)]
    coins(venue, 12)
    venue.deposit(EVE, COIN, 1_000)
    venue.borrow(EVE, USD, 9_000)
    coins(venue, 9.9)
    ((repaid, net, _),) = absorbed(venue)
    assert repaid == 9_000 and net == 954  # 909 and 5 %
    for who in (BOB, CAT, DAN):
        venue.claim(who, SHARE)
    gains = [venue.cash(who, COIN) for who in (BOB, CAT, DAN)]
    assert gains[0] <= gains[1] and sum(gains) <= 1_899 + 954 and gains[2] > 800  # his stake is most of what is left
    assert 0 <= venue.cash(KEPT, COIN) <= 4


def test_a_pool_that_has_less_takes_its_part(venue):
    """4,750 of 19,000: a quarter of the debt for at most a quarter of the collateral; the rest waits, or is sold."""
    whole(venue)
    venue.stake(BOB, SHARE, USD, 4_750)
    coins(venue, 9)  # 2,000 coins are worth 18,000: less than the debt
    assert absorbed(venue) == [(4_750, 500, 0)]  # not 554: 527 and 5 %
    assert (venue.cash(ANN), venue.cash(ANN, COIN)) == (-14_250, 1_500)
    assert venue.cash(KEPT) == 0


def test_a_whole_debt_may_cost_the_stakers(venue):
    whole(venue)
    venue.stake(BOB, SHARE, USD, 40_000)
    coins(venue, 9)
    assert absorbed(venue) == [(19_000, 2_000, 0)]  # 18,000 dollars' worth
    assert (venue.cash(ANN), venue.cash(ANN, COIN)) == (0, 0)


def test_take_all_pays_for_what_the_collateral_is_worth(venue):
    whole(venue, size=TAKE_ALL)
    venue.stake(BOB, SHARE, USD, 40_000)
    coins(venue, 9)
    assert absorbed(venue) == [(18_000, 2_000, 0)]  # who has no equity gives no bonus
    assert venue.cash(ANN) == -1_000


def test_a_step_for_bidders_comes_first(venue):
    """A minute for bidders, then the pool."""
    venue.stake(BOB, SHARE, USD, 40_000)
    pool = line(50_000, 50_000) | {key.C_TAKER: FOR_POOL, key.C_SIZE: TAKE_ALL}
    venue.configure(CURVE, pool)
    offer(venue, lasts_ns=60 * SECOND, then=1, size=TAKE_ALL)
    coins(venue, 10.5)
    assert absorbed(venue) == []
    assert bid(venue, CAT, 1_000) == []
    assert later(venue) == [(CAT, 1_000, 99, 0)]
    venue.wait(30 * SECOND).clock()
    assert absorbed(venue) == []
    venue.wait(40 * SECOND).clock()
    assert absorbed(venue) == [(18_000, 1_799, 0)]


def test_shares_that_move_are_paid_first(venue):
    whole(venue)
    venue.stake(BOB, SHARE, USD, 40_000)
    coins(venue, 10.5)
    venue.transfer(BOB, CAT, SHARE, 1_000_000)
    assert (venue.cash(BOB, COIN), venue.cash(CAT, COIN)) == (1_898, 0)
    venue.claim(CAT, SHARE)
    assert refused(venue) == [(reject.NOTHING_CHANGES, 0)]


def test_an_emptied_pool_ends_its_epoch(venue):
    """What is left of it is worth nothing: its gains are claimed, a new row is a new epoch."""
    whole(venue)
    venue.stake(BOB, SHARE, USD, 4_750)
    begin(venue)
    assert refused(venue) == [(reject.PARAMETERS_DISAGREE, key.A_POOL_OF)]
    coins(venue, 9)
    venue.stake(CAT, SHARE, USD, 1_000)
    assert refused(venue) == [(reject.POOL_SPENT, SHARE)]
    begin(venue)
    assert not refused(venue)
    venue.stake(CAT, SHARE + 1, USD, 30_000)
    assert venue.cash(CAT, SHARE + 1) == 3_000_000
    venue.wait(5 * SECOND).clock()
    assert absorbed(venue) == [(14_250, 1_500, 0)]
    venue.claim(BOB, SHARE)
    assert venue.cash(BOB, COIN) == 499  # of 500: rounded down
    venue.claim(CAT, SHARE + 1)
    assert venue.cash(CAT, COIN) == 1_499


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({key.A_POOL_OF: 0, key.A_FEED: 3}, key.A_POOL_KIND),
        ({key.A_POOL_GAINS: 0}, key.A_POOL_GAINS),
        ({key.A_POOL_KIND: 0}, key.A_POOL_GAINS),
        ({key.A_POOL_GAINS: USD}, key.A_POOL_GAINS),
        ({key.A_POOL_GAINS: SHARE}, key.A_POOL_GAINS),
        ({key.A_POOL_GAINS: 9}, key.A_POOL_GAINS),
        ({}, key.A_POOL_OF),
    ],
)
def test_what_a_share_of_a_stake_pool_must_say(venue, keys, wrong):
    venue.stake(BOB, SHARE, USD, 1_000)
    begin(venue, keys)
    assert refused(venue) == [(reject.PARAMETERS_DISAGREE, wrong)]


@pytest.mark.parametrize(
    ("terms", "wrong"),
    [
        ({"of": OF_TIME}, key.C_OF),
        ({"taker": 0}, key.C_SIZE),
        ({"lasts_ns": SECOND}, key.C_LASTS_NS),
        ({"then": 1}, key.C_THEN),
        ({"of": OF_LTV}, None),
    ],
)
def test_what_a_step_for_a_pool_must_say(venue, terms, wrong):
    whole(venue, **terms)
    # The first of two commands is refused, so is the second, which names a ladder that is not there.
    assert bool(venue.twin.curves) == (wrong is None)
    wanted = line(50_000, 50_000) | {key.C_TAKER: FOR_POOL, key.C_SIZE: TAKE_WHOLE}
    venue.configure(CURVE, wanted | {getattr(key, f"C_{name.upper()}"): value for name, value in terms.items()})
    assert refused(venue) == ([(reject.PARAMETERS_DISAGREE, wrong)] if wrong is not None else [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"options": 1}, reject.FIELD_OUT_OF_RANGE),
        ({"account": 99}, reject.ACCOUNT_UNKNOWN),
        ({"account": KEPT}, reject.ACCOUNT_IS_NOT_TRADABLE),
        ({"market": 9}, reject.ASSET_UNKNOWN),
        ({"market": COIN}, reject.POOL_UNKNOWN),
        ({}, reject.NOTHING_CHANGES),
    ],
)
def test_claims_that_are_refused(venue, line, reason):
    venue.stake(BOB, SHARE, USD, 1_000)
    venue.say(do.CLAIM, {"account": BOB, "market": SHARE} | line)
    assert [each for each, _ in refused(venue)] == [reason]


def test_a_keeper_is_nobodys_account(venue):
    for says in (
        lambda: venue.deposit(KEPT, USD, 5),
        lambda: venue.transfer(BOB, KEPT, USD, 5),
        lambda: venue.withdraw(KEPT, USD, 5),
        lambda: venue.stake(KEPT, SHARE, USD, 5),
        lambda: venue.order(KEPT, 1, 1, 1_000),
    ):
        says()
        assert [each for each, _ in refused(venue)] == [reject.ACCOUNT_IS_NOT_TRADABLE]


def test_a_supply_names_its_pool(venue):
    venue.stake(BOB, COIN, USD, 1_000)
    assert refused(venue) == [(reject.POOL_UNKNOWN, COIN)]
    venue.stake(BOB, SHARE, COIN, 1_000)
    assert refused(venue) == [(reject.POOL_UNKNOWN, SHARE)]
    venue.stake(BOB, 0, USD, 1_000)
    assert refused(venue) == [(reject.POOL_UNKNOWN, 0)]


def test_the_fee_of_an_absorption(venue):
    """A tenth of the bonus of 90 coins."""
    whole(venue, fee_ppm=100_000)
    venue.stake(BOB, SHARE, USD, 40_000)
    coins(venue, 10.5)
    assert absorbed(venue) == [(19_000, 1_890, 9)]
    assert venue.cash(INSURANCE, COIN) == 9
