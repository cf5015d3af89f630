"""References: each acts once; ended ones are forgotten, the oldest first, so that money can always move."""

from tests.golden.stories import ANN, BOB, USD, open_venue

from steelyard.model import commands as do
from steelyard.model import events, reject


def three(make_floor):
    """A table of three references."""
    floor = make_floor(references=3)
    open_venue(floor, {}, people=2, purse=0)
    return floor


def reasons(floor):
    return [event["reason"] for event in floor.happened(events.REJECTED)]


def again(floor, reference, amount=1):
    floor.say(do.DEPOSIT, {"account": ANN, "market": USD, "lots": amount, "client0": reference})
    return reasons(floor)


def test_the_last_ones_are_refused_and_older_ones_forgotten(make_floor):
    floor = three(make_floor)
    known = []
    for _ in range(3):
        floor.deposit(ANN, USD, 10)
        known.append(floor.references)
    assert [again(floor, reference) for reference in known] == [[reject.REFERENCE_REPEATED]] * 3
    floor.deposit(ANN, USD, 10)
    assert again(floor, known[1]) == [reject.REFERENCE_REPEATED]
    assert again(floor, known[0]) == []
    assert again(floor, known[1]) == []
    assert floor.cash(ANN) == 42


def test_a_withdrawal_that_waits_is_never_forgotten(make_floor):
    floor = three(make_floor)
    floor.deposit(ANN, USD, 100)
    floor.withdraw(ANN, USD, 5)
    waiting = floor.references
    for _ in range(7):
        floor.transfer(ANN, BOB, USD, 1)
        assert reasons(floor) == []
    assert again(floor, waiting) == [reject.REFERENCE_REPEATED]
    floor.confirm(waiting)
    assert floor.happened(events.WITHDRAWAL_CONFIRMED)
    floor.confirm(waiting)
    assert reasons(floor) == [reject.REFERENCE_NOT_PENDING]
    for _ in range(3):
        floor.transfer(ANN, BOB, USD, 1)
    floor.confirm(waiting)
    assert reasons(floor) == [reject.REFERENCE_UNKNOWN]


def test_only_withdrawals_that_wait_can_fill_the_table(make_floor):
    floor = three(make_floor)
    floor.deposit(ANN, USD, 100)
    floor.deposit(ANN, USD, 0)
    assert reasons(floor) == [reject.AMOUNT_MUST_BE_POSITIVE]
    for _ in range(3):
        floor.withdraw(ANN, USD, 5)
        assert reasons(floor) == []
    for refused in (floor.deposit, floor.withdraw):
        refused(ANN, USD, 5)
        assert reasons(floor) == [reject.REFERENCES_FULL]
    floor.transfer(ANN, BOB, USD, 5)
    assert reasons(floor) == [reject.REFERENCES_FULL]
    floor.return_back(floor.references - 3)
    floor.transfer(ANN, BOB, USD, 5)
    assert reasons(floor) == []
    assert floor.cash(ANN) == 85


def test_an_index_made_anew_forgets_the_same_ones(make_floor):
    floor = three(make_floor)
    floor.deposit(ANN, USD, 100)
    floor.withdraw(ANN, USD, 5)
    for _ in range(4):
        floor.transfer(ANN, BOB, USD, 1)
    floor.both.machine.rebuild()
    newest = floor.references
    assert again(floor, newest) == [reject.REFERENCE_REPEATED]
    floor.transfer(ANN, BOB, USD, 1)
    floor.transfer(ANN, BOB, USD, 1)
    assert again(floor, newest) == []
