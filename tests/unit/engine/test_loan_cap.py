"""A lowered loan cap is enforced at the end of the command in which its ramp has come so far, or of the next ones."""

from tests.golden.stories import ANN, BOB, CAT, COIN, DAN, USD, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import CONVERTER, LENDER, REDUCE_ONLY
from steelyard.num.limits import ASSET_PRICE_SCALE

DEBTORS = (ANN, BOB, CAT)  # each owes 10,350 dollars, and has coins


def open_town(floor):
    open_venue(floor, {}, people=4, purse=1)
    floor.configure(ASSET, {key.A_LOAN_CAP: 20_000}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    for account in (DAN, LENDER, CONVERTER):
        floor.deposit(account, USD, 1_000_000)
    for account in DEBTORS:
        floor.deposit(account, COIN, 60_000)
    return floor


def lend(floor):
    open_town(floor)
    for account in DEBTORS:
        floor.trade(account, DAN, 1, 50, 1_000)
        floor.trade(DAN, account, 1, 50, 980)
        assert floor.cash(account) == 1 - 10_000 - 100 - 245  # a loss and two fees
    return floor


def lower(floor, cap):
    """To where it is set, in one minute."""
    floor.configure(ASSET, {key.A_LOAN_CAP: cap, key.A_RAMP_NS: 60 * SECOND}, row=USD)
    assert converted(floor) == []
    floor.wait(60 * SECOND).clock()


def converted(floor):
    return [event["account"] for event in floor.happened(events.CONVERTED)]


def test_debts_above_a_lowered_cap_convert_in_the_same_command(floor):
    lower(lend(floor), 10_344)
    assert converted(floor) == []
    lower(floor, 10_343)
    assert converted(floor) == list(DEBTORS)
    assert [floor.cash(account) for account in DEBTORS] == [0, 0, 0]


def test_what_one_command_has_no_room_for_waits_for_the_next(make_floor):
    """Anybody may look: `capping` is the account that is looked at next."""
    floor = lend(make_floor(events_per_command=1))
    lower(floor, 0)
    assert converted(floor) == [ANN]
    assert floor.facts()["machine"][0]["capping"] == BOB
    floor.order(CAT, 1, 1, 980)  # until its turn comes it may not raise its risk
    assert floor.happened(events.REJECTED)[0]["reason"] == reject.LOAN_CAP_EXCEEDED
    assert converted(floor) == [BOB]
    floor.clock()
    assert converted(floor) == [CAT]
    floor.clock()
    assert floor.facts()["machine"][0]["capping"] == 0
    assert [floor.cash(account) for account in DEBTORS] == [0, 0, 0]


def test_a_cap_that_is_raised_again_converts_nobody_else(make_floor):
    floor = lend(make_floor(events_per_command=1))
    lower(floor, 5_000)
    assert converted(floor) == [ANN]
    floor.configure(ASSET, {key.A_LOAN_CAP: 20_000}, row=USD)
    assert floor.facts()["machine"][0]["capping"] == 0
    lower(floor, 4_000)
    assert converted(floor) == [BOB]


def test_a_cap_comes_down_step_by_step(floor):
    """From 20,000 to 5,000 in sixty steps of a second: 10,345 are owed until 250 x 39 have gone."""
    lend(floor).configure(ASSET, {key.A_LOAN_CAP: 5_000, key.A_RAMP_NS: 60 * SECOND}, row=USD)
    floor.wait(38 * SECOND).clock()
    assert floor.facts()["asset_rule"][USD][key.A_LOAN_CAP] == 20_000 - 38 * 250
    assert converted(floor) == []
    floor.wait(SECOND).clock()
    assert converted(floor) == list(DEBTORS)


def test_without_anything_to_buy_with_the_converter_waits_and_so_does_the_debt(floor):
    lend(floor).transfer(CONVERTER, DAN, USD, 1_000_000)
    lower(floor, 0)
    assert converted(floor) == []
    assert floor.facts()["machine"][0]["capping"] == 0


def test_losses_of_many_in_one_command_convert_as_far_as_there_is_room(make_floor):
    """One order closes three positions at a loss: the first account converts at once, the walk finds the others."""
    floor = open_town(make_floor(events_per_command=1))
    for account in DEBTORS:
        floor.deposit(account, USD, 1_000)
        floor.trade(account, DAN, 1, 50, 1_000)
    for account in DEBTORS:
        floor.order(account, 1, -50, 980, options=REDUCE_ONLY)
    lower(floor, 0)
    assert converted(floor) == []
    floor.order(DAN, 1, 150, 980)
    assert converted(floor) == [ANN]
    assert floor.facts()["machine"][0]["capping"] == 1
    rounds = 0
    while floor.facts()["machine"][0]["capping"]:
        rounds += 1
        assert rounds < 5, "the walk over the accounts ends"
        floor.clock()
        assert len(converted(floor)) <= 1
    assert [floor.cash(account) for account in DEBTORS] == [0, 0, 0]
