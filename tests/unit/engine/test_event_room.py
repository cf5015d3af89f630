"""More events than their buffer holds: it is read in between, and nothing but the parts tells of it."""

import numpy as np
import pytest
from tests.golden.stories import ANN, BOB, CAT, open_venue
from tests.property.compare import plain_events
from tests.reference.twin import Twin
from tests.telling import Teller

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import GTT
from steelyard.state.tables import L_EVENTS, Limits
from steelyard.venue.machine import Machine

LIMITS = Limits(
    assets=1, feeds=2, markets=2, risk_tiers=1, owners=8, accounts=16, legs=64, orders=32, references=16,
    recent_client_ids=4, ladder_ticks=1 << 14, orders_per_account=16, staged_rows=16, events_per_command=8,
)  # fmt: skip
ROOM = 32  # events that a part may hold before its last command or piece of clock work
HOURLY = {key.M_FUNDING_INTERVAL_NS: HOUR, key.M_SAMPLE_INTERVAL_NS: HOUR}
EACH_SECOND = {key.M_FUNDING_INTERVAL_NS: SECOND, key.M_SAMPLE_INTERVAL_NS: SECOND}


@pytest.fixture
def make_machine(fence):
    return lambda: fence(Machine(LIMITS), ROOM)


def commands_of(story):
    """A list of commands, each an array of rows."""
    told = []
    story(Teller(told.append))
    return told


def parts_of(machine, rows):
    """The events of each part; none has more than there is room for."""
    parts = [plain_events(part) for part in machine.stream(rows)]
    assert max(map(len, parts)) <= machine.state.layout[L_EVENTS]
    return parts


def sizes_of(machine, rows):
    return [len(part) for part in parts_of(machine, rows)]


def joined(parts):
    return [event for part in parts for event in part]


def busy_minutes(teller):
    """Before each of the last commands more falls due than the buffer holds; some are sets, some are refused."""
    often = EACH_SECOND | {key.M_MARK_POLICY: 0, key.M_IMPACT_NOTIONAL: 1}
    intervals = ({key.M_FUNDING_INTERVAL_NS: seconds * SECOND} for seconds in (2, 3))
    open_venue(teller, *(often | each for each in intervals), people=3)
    teller.trade(ANN, BOB, 1, 7, 1_000)
    for lots in range(1, 9):
        teller.order(CAT, 1 + lots % 2, 1, 1_010 - lots, tif=GTT, expires_ns=teller.now + 40 * lots * SECOND)
        teller.order(CAT, 2 - lots % 2, -1, 1_010 + lots)
    teller.cancel_after(CAT, 200 * SECOND)
    teller.wait(300 * SECOND).clock()
    teller.wait(300 * SECOND).price({1: 1_003, 2: 996}, sources=range(8))  # as many rows as the stage has
    teller.wait(300 * SECOND).order(ANN, 1, 1, 5_000)
    teller.wait(300 * SECOND).order(ANN, 2, 2, 990)
    teller.wait(-SECOND).clock()
    teller.wait(300 * SECOND).trade(BOB, CAT, 2, 1, 990)
    teller.wait(300 * SECOND).cancel_all(ANN)


def test_however_a_batch_is_cut_its_events_are_those_of_the_twin(make_machine):
    story = commands_of(busy_minutes)
    rows = np.concatenate(story)
    whole, by_command, by_row, twin = make_machine(), make_machine(), make_machine(), Twin(LIMITS)
    parts = parts_of(whole, rows)
    assert len(parts) > 10
    told = joined(parts)
    assert told == twin.submit(rows)
    assert len({event["amount"] for event in told if event["kind"] == events.FUNDING_SET}) > 2  # the samples count
    assert told == joined(part for command in story for part in parts_of(by_command, command))
    assert told == joined(part for place in range(len(rows)) for part in parts_of(by_row, rows[place : place + 1]))
    assert whole.hash() == by_command.hash() == by_row.hash()


def test_a_pause_takes_no_number(make_machine):
    story = commands_of(busy_minutes)
    machine = make_machine()
    told = machine.submit(np.concatenate(story))
    assert machine.state.machine.seq[0] == len(story)
    assert (np.diff(told["seq"]) >= 0).all()
    refused = {int(each["seq"]): int(each["reason"]) for each in told if each["kind"] == events.REJECTED}
    assert refused == {len(story) - 5: reject.PRICE_EXCEEDS_LIMIT, len(story) - 3: reject.TIME_WENT_BACK}


@pytest.mark.parametrize(("due", "sizes"), [(ROOM, [ROOM + 1]), (ROOM + 1, [ROOM + 1, 1]), (ROOM + 9, [ROOM + 1, 9])])
def test_a_command_waits_only_if_its_clock_work_took_its_room(make_machine, due, sizes):
    """A funding each second, then the mark that the command sets."""
    machine = make_machine()
    teller = Teller(machine.submit)
    open_venue(teller, EACH_SECOND, people=0)
    teller.wait(due * SECOND)
    (clock,) = commands_of(lambda other: other.wait(teller.now - other.now).clock())
    assert sizes_of(machine, clock) == sizes


def test_commands_go_on_until_the_room_is_used_up(make_machine):
    """One event each: a part ends with the first beyond the room."""
    machine = make_machine()
    open_venue(Teller(machine.submit), HOURLY, people=0)
    rows = np.concatenate(commands_of(lambda teller: [teller.clock() for _ in range(2 * ROOM + 5)]))
    assert sizes_of(machine, rows) == [ROOM + 1, ROOM + 1, 3]


def test_three_days_of_fundings_each_second_before_one_command():
    """The buffer in its real size."""
    machine = Machine(LIMITS)
    teller = Teller(machine.submit)
    open_venue(teller, EACH_SECOND, EACH_SECOND, people=0)
    start, seq = teller.now, int(machine.state.machine.seq[0])
    seconds = 3 * 24 * 3600
    told = teller.wait(seconds * SECOND).order(ANN, 1, 1, 1_000)
    assert len(told) == 2 * seconds + 1 > machine.state.layout[L_EVENTS]
    assert (told["seq"] == seq + 1).all()
    assert (told["kind"][:-1] == events.FUNDING_SET).all() and told["kind"][-1] == events.REJECTED
    assert (told["market"][:-1].reshape(-1, 2) == [1, 2]).all()
    assert (told["extra2"][:-1:2] == start + SECOND * np.arange(1, seconds + 1)).all()
