"""Positions whose requirement grows faster than their size. Rules: docs/concepts/requirements.md."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, open_venue
from tests.reference.health import leg_requirement

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import MARKET
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN
from steelyard.state.tables import MARKET_0

SLOPE = {  # a hundredth, and a ten-thousandth a lot; twice that to open
    key.M_SIZE_MAINTAIN_PPM: 10_000,
    key.M_SIZE_MAINTAIN_SLOPE: 10**8,
    key.M_SIZE_OPEN_PPM: 20_000,
    key.M_SIZE_OPEN_SLOPE: 2 * 10**8,
}
ROOT = {key.M_SIZE_MAINTAIN_ROOT: 10**14, key.M_SIZE_OPEN_ROOT: 4 * 10**14}  # a hundredth times the root of the lots
SOLO = {key.M_LEVERAGE_DEFAULT: 100}  # size decides


def begin(floor, settings, lots=100):
    open_venue(floor, SOLO | settings, people=3)
    floor.trade(ANN, BOB, 1, lots, 1_000)


def required(floor, question=FOR_MAINTAIN, account=ANN):
    return leg_requirement(floor.twin, floor.twin.leg(account, MARKET_0 + 1), question)


@pytest.mark.parametrize(
    ("settings", "lots", "maintain", "opening"),
    [
        (SLOPE, 1, 101, 202),  # of 10,000
        (SLOPE, 100, 20_000, 40_000),
        (SLOPE, 49, 7_301, 14_602),
        (ROOT, 100, 100_000, 200_000),
        (ROOT, 2, 283, 566),  # the root of two, up
        (SLOPE | ROOT, 4, 800, 1_600),
        (SLOPE | {key.M_BRACKET_MAINTAIN_PPM: 50_000, key.M_BRACKET_OPEN_PPM: 60_000}, 100, 50_000, 60_000),
    ],
)
def test_the_larger_of_bracket_and_size_is_required(floor, settings, lots, maintain, opening):
    begin(floor, settings, lots)
    assert (required(floor), required(floor, FOR_OPEN)) == (maintain, opening)


def test_orders_are_judged_at_the_size_they_would_leave(floor):
    begin(floor, SLOPE, 100)
    floor.configure(MARKET, {key.M_TAKER_PPM: 0, key.M_MAKER_PPM: 0}, row=1)
    # She has 1,000,000 less a fee; L lots ask for L x 10,000 x (0.02 + 0.0002 L), to which 600 more would be too many.
    (refused,) = floor.order(ANN, 1, 600, 1_000)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.order(ANN, 1, 500, 1_000)
    assert floor.happened(events.ORDER_ACCEPTED)
    (refused,) = floor.order(ANN, 1, 60, 1_000)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED


def test_who_grew_is_liquidated_where_size_says(floor):
    """400 lots need a twentieth at any price; by their bracket alone a two-hundredth."""
    begin(floor, SLOPE, 400)
    floor.order(CAT, 1, 400, 770)
    assert required(floor) == 200_000
    floor.price({1: 791})
    assert floor.happened(events.LIQUIDATION_STARTED) == []
    floor.price({1: 789})
    (started,) = floor.happened(events.LIQUIDATION_STARTED)
    assert (started["account"], started["fee"]) == (ANN, 157_800)
    # Closing makes what is left require less by more than its part: fewer lots are needed than by a flat rate.
    (order,) = floor.happened(events.LIQUIDATION_ORDER)
    assert order["lots"] < 100


def test_rates_that_rise_come_by_a_ramp(floor):
    begin(floor, {}, 400)
    floor.configure(MARKET, SLOPE | {key.M_RAMP_NS: HOUR}, row=1)
    assert required(floor) == 20_000
    floor.wait(HOUR // 2).clock()
    assert required(floor) == 100_000
    floor.wait(HOUR // 2).clock()
    assert required(floor) == 200_000
    floor.configure(MARKET, dict.fromkeys(SLOPE, 0), row=1)
    assert required(floor) == 20_000


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({key.M_SIZE_MAINTAIN_PPM: 10_000, key.M_SIZE_OPEN_PPM: 11_999}, key.M_SIZE_OPEN_PPM),
        ({key.M_SIZE_MAINTAIN_PPM: 10_000, key.M_SIZE_OPEN_PPM: 12_000}, None),
        ({key.M_SIZE_MAINTAIN_SLOPE: 100, key.M_SIZE_OPEN_SLOPE: 119}, key.M_SIZE_OPEN_SLOPE),
        ({key.M_SIZE_MAINTAIN_SLOPE: 100, key.M_SIZE_OPEN_SLOPE: 120}, None),
        ({key.M_SIZE_MAINTAIN_ROOT: 10**12, key.M_SIZE_OPEN_ROOT: 144 * 10**10}, key.M_SIZE_OPEN_ROOT),  # roundings
        ({key.M_SIZE_MAINTAIN_ROOT: 10**12, key.M_SIZE_OPEN_ROOT: 1_200_002**2}, None),
        # 5,000 lots, restored 1.2 times: a slope of a 6,000th of a lot is all that fits.
        ({key.M_SIZE_MAINTAIN_SLOPE: 166_666_666, key.M_SIZE_OPEN_SLOPE: 10**9}, None),
        ({key.M_SIZE_MAINTAIN_SLOPE: 166_666_667, key.M_SIZE_OPEN_SLOPE: 10**9}, key.M_SIZE_MAINTAIN_PPM),
        ({key.M_HAS_SIZE: 1}, "unknown"),
    ],
)
def test_what_is_restored_is_never_more_than_what_opens(floor, settings, wrong):
    open_venue(floor, {}, people=1)
    told = floor.configure(MARKET, settings, row=1)
    if wrong is None:
        assert told[0]["kind"] == events.CONFIGURED
    elif wrong == "unknown":
        assert told[0]["reason"] == reject.KEY_UNKNOWN
    else:
        assert (told[0]["reason"], told[0]["order"]) == (reject.PARAMETERS_DISAGREE, wrong)


def test_time_alone_changes_nothing(floor):
    begin(floor, SLOPE)
    floor.wait(60 * SECOND).clock()
    assert required(floor) == 20_000


def test_what_grew_inside_its_box_is_found_there(floor):
    """Ten lots get a wide box; 450 more are bought within it. At a price still inside, size asks for too much."""
    begin(floor, SLOPE | {key.M_TAKER_PPM: 0, key.M_MAKER_PPM: 0}, 10)
    floor.deposit(BOB, 1, 10**8)
    floor.trade(ANN, BOB, 1, 450, 1_000)
    floor.price({1: 801})  # 1,000,000 - 460 x 1,990 = 84,600 against 460 x 8,010 x 0.056
    (started,) = floor.happened(events.LIQUIDATION_STARTED)
    assert (started["account"], started["amount"], started["fee"]) == (ANN, 84_600, 206_338)
