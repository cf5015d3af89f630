"""Who is deleveraged first, and what the insurance fund pays before."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, DAN, EVE, USD, open_venue

from steelyard.model import events
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, MARKET
from steelyard.model.keys import HOUR
from steelyard.model.orders import BACKSTOP, BY_PROFIT, BY_SIZE, HEDGES_LAST, INSURANCE, PRO_RATA

WINNERS = (BOB, CAT, DAN)


def crash(floor, settings=(), fund=0, hedge=False):
    """Ann is long 60 lots at 1,000 and loses everything; three others are short, each in another way.

    Bob: 30 lots at 1,000, a fat purse. Cat: 20 lots at 1,050, a fat purse. Dan: 10 lots at 1,000, a thin purse.
    """
    open_venue(floor, {**dict(settings), key.M_GROUP: 1}, {key.M_GROUP: 1}, people=5, purse=1)
    for person, purse in ((ANN, 60_000), (BOB, 400_000), (CAT, 400_000), (DAN, 12_000), (EVE, 900_000)):
        floor.deposit(person, USD, purse)
    if fund:
        floor.deposit(INSURANCE, USD, fund)
    floor.trade(ANN, BOB, 1, 30, 1_000)
    floor.trade(ANN, DAN, 1, 10, 1_000)
    floor.price({1: 1_050})
    floor.trade(ANN, CAT, 1, 20, 1_050)
    if hedge:
        floor.price({2: 1_000})
        floor.trade(BOB, EVE, 2, 30, 1_000)
    floor.price({1: 850})
    return floor


def deleveraged(floor):
    return [(event["other"], event["lots"]) for event in floor.happened(events.DELEVERAGED)]


def test_by_profit_and_leverage_the_thin_purse_comes_first(floor):
    crash(floor)
    assert [who for who, _ in deleveraged(floor)] == [DAN, BOB, CAT]
    assert sum(lots for _, lots in deleveraged(floor)) == 60


@pytest.mark.parametrize(
    ("ranking", "order"),
    [(BY_PROFIT, [CAT, BOB, DAN]), (BY_SIZE, [BOB, CAT, DAN]), (PRO_RATA, [BOB, CAT, DAN])],
)
def test_other_rankings(floor, ranking, order):
    crash(floor, {key.M_RANKING: ranking})
    assert [who for who, _ in deleveraged(floor)] == order


def test_hedges_come_last(floor):
    """Bob is long 30 lots of another market of the group: his short is no bet. Without that he comes before Cat."""
    crash(floor, {key.M_RANKING: HEDGES_LAST}, hedge=True)
    assert [who for who, _ in deleveraged(floor)] == [DAN, CAT, BOB]
    assert floor.happened(events.DELEVERAGED)[-1]["extra"] < floor.happened(events.DELEVERAGED)[0]["extra"] // 10


def test_pro_rata_takes_from_each_by_its_size(floor):
    """The backstop takes over 30 of the 60 lots, the other 30 are half of what the three hold."""
    crash_with_backstop(floor, {key.M_RANKING: PRO_RATA, key.M_BACKSTOP_LOTS_MAX: 30})
    taken = dict(deleveraged(floor))
    assert sum(taken.values()) == 30
    assert taken == {BOB: 15, CAT: 10, DAN: 5}


def crash_with_backstop(floor, settings):
    open_venue(floor, settings, people=5, purse=1)
    for person, purse in ((ANN, 60_000), (BOB, 400_000), (CAT, 400_000), (DAN, 400_000), (BACKSTOP, 900_000)):
        floor.deposit(person, USD, purse)
    floor.deposit(INSURANCE, USD, 45_000)
    for person, lots in ((BOB, 30), (DAN, 10), (CAT, 20)):
        floor.trade(ANN, person, 1, lots, 1_000)
    floor.price({1: 850})


def paid(floor):
    return sum(event["amount"] for event in floor.happened(events.FUND_PAID)) + sum(
        event["fee"] for event in floor.happened(events.DELEVERAGED)
    )


def test_the_fund_pays_at_most_its_step(floor):
    open_and_cap(floor, {key.A_FUND_STEP_MAX: 1_000})
    assert paid(floor) == 1_000
    assert floor.cash(INSURANCE) == 500_000 - 1_000


def test_the_fund_pays_at_most_its_day_and_a_new_day_counts_from_nothing(floor):
    open_and_cap(floor, {key.A_FUND_DAY_MAX: 3_000})
    assert paid(floor) == 3_000
    assert floor.facts()["asset"][USD]["fund_paid"] == 3_000
    floor.deposit(ANN, USD, 60_000)
    floor.price({1: 1_000})
    floor.trade(ANN, BOB, 1, 60, 1_000)
    floor.wait(24 * HOUR).price({1: 850})
    told = floor.happened(events.FUND_DAY)
    assert [(event["market"], event["amount"]) for event in told] == [(USD, 3_000)]
    assert paid(floor) <= 3_000


def open_and_cap(floor, caps):
    open_venue(floor, {}, people=5, purse=1)
    floor.configure(ASSET, caps, row=USD)
    floor.configure(MARKET, {key.M_BACKSTOP_LOTS_MAX: 0}, row=1)
    for person, purse in ((ANN, 60_000), (BOB, 900_000), (INSURANCE, 500_000)):
        floor.deposit(person, USD, purse)
    floor.trade(ANN, BOB, 1, 60, 1_000)
    floor.price({1: 850})
