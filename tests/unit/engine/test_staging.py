"""Sets of rows that are too long for the stage: refused whole, however they are cut into batches."""

import pytest
from tests.telling import START_NS, Teller, command

from steelyard.model import commands as do
from steelyard.model.events import MARK_SET, REJECTED
from steelyard.model.keys import A_TIERS, F_QUORUM, M_ATOMS_PER_TICK_LOT, M_FEED, M_TICKS_MAX
from steelyard.model.reject import Reject
from steelyard.state.tables import Limits
from steelyard.venue.machine import Machine

LIMITS = Limits(
    assets=2,
    feeds=4,
    markets=4,
    owners=8,
    accounts=8,
    legs=32,
    orders=8,
    references=8,
    recent_client_ids=8,
    ladder_ticks=512,
    staged_rows=3,
)


def report(feed, price):
    return {"market": feed, "price": price, "trigger": START_NS}


@pytest.fixture
def machine():
    """Two markets with prices; a set may have three rows."""
    machine = Machine(LIMITS)
    teller = Teller(machine.submit)
    teller.configure(do.ASSET, {A_TIERS: 1})
    for feed in (1, 2):
        teller.configure(do.FEED, {F_QUORUM: 1})
        teller.configure(do.MARKET, {M_ATOMS_PER_TICK_LOT: 1, M_TICKS_MAX: 100, M_FEED: feed})
    machine.submit(command(do.PRICE, START_NS, report(1, 50), report(2, 50)))
    return machine


def prices(*rows):
    return command(do.PRICE, START_NS, *(report(*row) for row in rows))


def test_a_set_that_fills_the_stage_passes(machine):
    machine.submit(prices((1, 51), (1, 52), (2, 53)))
    assert machine.state.market.mark[1:3].tolist() == [52, 53]


@pytest.mark.parametrize("size", [4, 5, 9])
@pytest.mark.parametrize("cut", [1, 2, 3, 100])
def test_the_end_of_a_set_that_is_too_long_does_not_act(machine, size, cut):
    rows = prices(*((1 + i % 2, 60 + i) for i in range(size)))
    told = [each for i in range(0, size, cut) for each in machine.submit(rows[i : i + cut])]
    assert [(each["kind"], each["reason"]) for each in told] == [(REJECTED, Reject.INCOMPLETE_COMMAND)]
    assert machine.state.market.mark[1:3].tolist() == [50, 50]
    seq = int(machine.state.machine.seq[0])
    (set_1, set_2) = (each for each in machine.submit(prices((1, 51), (2, 52))) if each["kind"] == MARK_SET)
    assert (set_1["price"], set_2["price"]) == (51, 52)
    assert machine.state.machine.seq[0] == seq + 1


def test_a_snapshot_remembers_that_rows_are_passed_over(machine):
    rows = prices(*((1, 60 + i) for i in range(6)))
    machine.submit(rows[:4])
    restored = Machine.restore(machine.snapshot())
    assert len(restored.submit(rows[4:])) == 0
    assert restored.state.market.mark[1] == 50


def test_a_row_of_another_kind_ends_it(machine):
    rows = prices(*((1, 60 + i) for i in range(5)))
    machine.submit(rows[:4])
    told = machine.submit(command(do.OPEN_ACCOUNT, START_NS, {"account": 1}))
    assert [each["reason"] for each in told] == [Reject.OWNER_UNKNOWN]
    machine.submit(prices((1, 51)))
    assert machine.state.market.mark[1] == 51
