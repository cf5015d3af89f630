"""Paid-up markets whose risk array says what positions require. Rules: docs/concepts/requirements.md."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, open_venue
from tests.reference.health import equity, requirement

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import MARKET, OWNER, RISK_ARRAY
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import BY_SCENARIO, FOR_MAINTAIN, FOR_OPEN, FOR_RESTORE
from steelyard.num.limits import PPM

OPTION = {key.M_PAID: 1, key.M_BY_ARRAY: 1, key.M_TAKER_PPM: 0, key.M_MAKER_PPM: 0, key.M_LIQUIDATION_FEE_PPM: 0}
# A call worth 1,000 a lot (100 ticks of 10): it loses all below, gains up to 6,000 above.
CALL = (-1_000,) * 4 + (-900, -700, -500, -200, 0, 500, 1_200, 2_000, 3_000, 4_000, 5_000, 6_000)
HEDGE = tuple(500 * step for step in range(-8, 8))


def array(gains, **others):
    named = {getattr(key, f"S_{name.upper()}"): number for name, number in others.items()}
    return {key.S_VALUE + i: gain * PPM for i, gain in enumerate(gains)} | named


def begin(floor, *more, purse=1_000_000, settings=(), **others):
    open_venue(floor, OPTION | {key.M_GROUP: 1} | dict(settings), *more, people=3, purse=purse, price=100)
    return floor.configure(RISK_ARRAY, array(CALL, **others), row=1)


def stands(floor, account, question=FOR_MAINTAIN):
    legs = floor.twin.legs_of(account)
    return equity(floor.twin, legs), requirement(floor.twin, legs, question)


def test_the_premium_changes_hands_and_each_side_requires_what_it_may_lose(floor):
    begin(floor, short=40 * PPM)
    floor.trade(ANN, BOB, 1, 10, 100)
    assert (floor.cash(ANN), floor.cash(BOB)) == (990_000, 1_010_000)
    assert stands(floor, ANN) == (1_000_000, 10_000)  # all that it is worth
    assert stands(floor, BOB) == (1_000_000, 60_000 + 400)  # its rise, and a minimum
    assert stands(floor, BOB, FOR_RESTORE)[1] == 72_480
    assert stands(floor, BOB, FOR_OPEN)[1] == 90_600


def test_the_mark_moves_equity_and_not_the_requirement(floor):
    begin(floor)
    floor.trade(ANN, BOB, 1, 10, 100)
    floor.price({1: 300})
    assert stands(floor, BOB) == (980_000, 60_000)
    assert stands(floor, ANN) == (1_020_000, 10_000)


def test_a_writer_who_cannot_cover_is_refused_and_later_liquidated(floor):
    begin(floor, purse=100_000)
    floor.order(ANN, 1, 30, 100)
    (refused,) = floor.order(BOB, 1, -12, 100)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED  # 12 x 6,000 x 1.5 = 108,000
    floor.order(BOB, 1, -11, 100)
    assert (floor.lots(BOB), floor.spare_to_open(BOB)) == (-11, 1_000)
    floor.order(CAT, 1, -20, 401)
    floor.price({1: 400})  # worth 44,000: 111,000 - 44,000 is 67,000 against 66,000
    assert floor.happened(events.LIQUIDATION_STARTED) == []
    floor.price({1: 420})
    (started,) = floor.happened(events.LIQUIDATION_STARTED)
    assert (started["account"], started["amount"], started["fee"]) == (BOB, 64_800, 66_000)


def test_a_new_array_judges_holders_of_every_kind(floor):
    begin(floor, purse=100_000)
    floor.trade(ANN, BOB, 1, 11, 100)
    floor.configure(RISK_ARRAY, array([2 * gain for gain in CALL]), row=1)
    assert [each["account"] for each in floor.happened(events.LIQUIDATION_STARTED)] == [BOB]


def test_an_option_is_hedged_in_a_portfolio(floor):
    begin(floor, {key.M_GROUP: 1, key.M_TAKER_PPM: 0, key.M_MAKER_PPM: 0})
    floor.configure(RISK_ARRAY, array(HEDGE), row=2)
    floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=3)
    floor.trade(ANN, BOB, 1, 10, 100)
    assert stands(floor, BOB)[1] == 60_000
    floor.trade(BOB, ANN, 2, 1, 100)
    floor.trade(ANN, BOB, 2, 1, 100)
    floor.trade(BOB, CAT, 2, 10, 100)
    assert stands(floor, BOB)[1] == max(gain * 10 - move * 10 for gain, move in zip(CALL, HEDGE, strict=True))


def test_it_expires_at_its_intrinsic_value(floor):
    expiry = floor.now + 48 * HOUR
    begin(floor, settings={key.M_EXPIRY_NS: expiry, key.M_SETTLE_WINDOW_NS: SECOND})
    floor.trade(ANN, BOB, 1, 10, 100)
    floor.now = expiry - SECOND
    floor.price({1: 250})
    floor.wait(2 * SECOND).clock()
    assert (floor.lots(ANN), floor.cash(ANN), floor.cash(BOB)) == (0, 990_000 + 25_000, 1_010_000 - 25_000)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [({key.M_BY_ARRAY: 1}, key.M_BY_ARRAY), (OPTION | {key.M_SIZE_OPEN_PPM: 1}, key.M_SIZE_OPEN_PPM)],
)
def test_what_cannot_be(floor, settings, wrong):
    open_venue(floor, {}, people=1)
    told = floor.configure(MARKET, {key.M_FEED: 1, key.M_FUNDING_INTERVAL_NS: 0} | settings)
    assert told[0]["kind"] == events.REJECTED
    floor.configure(2, {key.F_STALENESS_NS: HOUR})
    told = floor.configure(MARKET, {key.M_FEED: 2, key.M_FUNDING_INTERVAL_NS: 0} | settings)
    assert (told[0]["reason"], told[0]["order"]) == (reject.PARAMETERS_DISAGREE, wrong)


def test_without_an_array_nothing_is_opened(floor):
    open_venue(floor, OPTION, people=2, price=100)
    assert floor.order(ANN, 1, 1, 100)[0]["reason"] == reject.RISK_ARRAY_MISSING


def test_what_was_written_inside_a_box_is_found_there(floor):
    """One lot gets a wide box, 15 more are written within it; a rise inside the box leaves too little."""
    begin(floor, purse=97_000, settings={key.M_RESTORE_PPM: PPM}, open_ppm=PPM)
    floor.trade(ANN, BOB, 1, 1, 100)
    floor.trade(ANN, BOB, 1, 15, 100)
    floor.price({1: 119})  # 97,000 - 16 x 190 = 93,960 against 16 x 6,000
    (started,) = floor.happened(events.LIQUIDATION_STARTED)
    assert (started["account"], started["amount"], started["fee"]) == (BOB, 93_960, 96_000)
