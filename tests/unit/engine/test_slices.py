"""Liquidation in the least slices: how small they may be, and that they come to an end."""

import pytest
from tests.golden.stories import ANN, BOB, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import MARKET
from steelyard.model.keys import SECOND

LEAST = 50_000  # a twentieth of the position
SETTINGS = {
    key.M_SLICE_PPM: LEAST,
    key.M_SLICE_NOTIONAL: 0,
    key.M_COOLDOWN_NS: SECOND,
    key.M_TAKEOVER_PPM: 0,
    key.M_BRACKET_MAINTAIN_PPM: 50_000,
    key.M_BRACKET_OPEN_PPM: 100_000,
    key.M_POSITION_LOTS_MAX: 1 << 24,
    key.M_ORDER_LOTS_MAX: 1 << 24,
}
MARK, BANKRUPT = 940, 900  # after the fall, and where a closing costs Ann just what is hers


def fall(floor, lots, **settings):
    """Ann is long with a tenth of margin; the mark falls below her maintenance, and bids lie at her bankruptcy price.

    What she closes there leaves her no healthier.
    """
    open_venue(floor, SETTINGS | {getattr(key, name): value for name, value in settings.items()}, people=2, purse=0)
    for account in (ANN, BOB):
        floor.deposit(account, 1, 1_010 * lots)
    floor.trade(ANN, BOB, 1, lots, 1_000)
    floor.order(BOB, 1, lots, BANKRUPT)
    return floor.price({1: MARK})


def orders(told):
    return [event["lots"] for event in told if event["kind"] == events.LIQUIDATION_ORDER]


def slices(held):
    """A twentieth of what is held, a lot at least, until nothing is."""
    while held:
        part = max(1, held // 20)
        yield part
        held -= part


@pytest.mark.parametrize(("lots", "turns"), [(1, 1), (39, 39), (40, 39), (1_000, 107), (1 << 20, 243)])
def test_a_turn_closes_a_slice_until_nothing_is_left(floor, lots, turns):
    told = fall(floor, lots)
    closed = orders(told)
    while floor.lots(ANN):
        assert len(closed) < turns
        (one,) = orders(floor.wait(SECOND).clock())
        closed.append(one)
    assert closed == [*slices(lots)]
    assert len(closed) == turns
    (ended,) = floor.happened(events.LIQUIDATION_ENDED)
    assert ended["reason"] == events.ENDED_HEALTHY


def test_between_slices_it_cools_down(floor):
    fall(floor, 100)
    assert floor.lots(ANN) == 95
    floor.wait(SECOND - 1).clock()
    assert floor.lots(ANN) == 95
    floor.wait(1).clock()
    assert floor.lots(ANN) == 91


def test_below_the_takeover_requirement_slices_follow_at_once_within_the_budget_of_a_command(make_floor):
    """The backstop owns nothing and takes nothing over."""
    floor = make_floor(liquidations_per_command=10)
    told = [orders(fall(floor, 100, M_TAKEOVER_PPM=1_000_000))]
    while floor.lots(ANN):
        told.append(orders(floor.clock()))
    assert [len(each) for each in told] == [10, 10, 10, 10, 10, 10]
    assert [lots for each in told for lots in each] == [*slices(100)]


@pytest.mark.parametrize(("notional", "lots"), [(MARK * 10_000, 287), (MARK * 10_000 - 1, 50)])
def test_a_position_of_at_most_the_slice_notional_is_not_sliced(floor, notional, lots):
    """It closes what restores it."""
    assert orders(fall(floor, 1_000, M_SLICE_NOTIONAL=notional)) == [lots]


@pytest.mark.parametrize(
    ("slice_ppm", "reason"),
    [
        (-LEAST, reject.PARAMETER_OUT_OF_RANGE),
        (0, reject.PARAMETER_OUT_OF_RANGE),
        (LEAST - 1, reject.PARAMETER_OUT_OF_RANGE),
        (LEAST, None),
        (1_000_000, None),
        (1_000_001, reject.PARAMETER_OUT_OF_RANGE),
    ],
)
def test_the_range_of_a_slice(floor, slice_ppm, reason):
    open_venue(floor, {}, people=0)
    before = floor.twin.markets[1].rule[key.M_SLICE_PPM]
    (told,) = floor.configure(MARKET, {key.M_SLICE_PPM: slice_ppm}, row=1)
    if reason is None:
        assert told["kind"] == events.CONFIGURED
    else:
        assert (told["kind"], told["reason"], told["order"]) == (events.REJECTED, reason, key.M_SLICE_PPM)
    assert floor.twin.markets[1].rule[key.M_SLICE_PPM] == (slice_ppm if reason is None else before)
