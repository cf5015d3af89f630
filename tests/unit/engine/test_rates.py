"""Adaptive rates and rates by the peg, with numbers worked out by hand. See docs/concepts/borrowing.md."""

from fractions import Fraction
from math import factorial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.golden.stories import ANN, COIN, USD
from tests.unit.engine.test_interest import DAY, DEBT, asset, lend

from steelyard.engine import queries
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import ADAPTIVE, KINK, LENDER, PEG, POWER
from steelyard.num.limits import ASSET_PRICE_SCALE, BORROW_SCALE, PPM

YEAR = 365 * DAY
# 4 % at nine tenths; four times that with all lent; e to the fifty a year.
MOVING = {
    key.A_RATE_KIND: ADAPTIVE,
    key.A_RATE_KINK_PPM: 900_000,
    key.A_RATE_BASE_PPM: 40_000,
    key.A_RATE_SPEED_PPM: 50 * PPM,
    key.A_RATE_CURVE_PPM: 4 * PPM,
    key.A_INTEREST_INTERVAL_NS: 7 * DAY,
}
PEGGED = {key.A_RATE_KIND: PEG, key.A_RATE_BASE_PPM: 100_000, key.A_PEG_SIGMA_PPM: 20_000}


def said(floor, kind=events.INTEREST_SET):
    return [event["amount"] for event in floor.happened(kind)]


def rate_now(floor, row=USD):
    return int(queries.borrow_rate(floor.both.machine.state.handle, row))


def begin(floor, rates, lent):
    return lend(floor, {key.A_RATE_SLOPE_PPM: 0, key.A_RATE_STEEP_PPM: 0, **rates}, lent)


def anew(floor):
    """From base again, where the clock has just struck."""
    floor.wait(7 * DAY - floor.now % (7 * DAY)).clock()
    floor.configure(ASSET, {key.A_RATE_KIND: KINK}, row=USD)
    floor.configure(ASSET, {key.A_RATE_KIND: ADAPTIVE}, row=USD)
    assert asset(floor)["rate_held"] == 40_000_000_000
    return floor


@pytest.mark.parametrize(
    ("lent", "rate"),
    [
        (10_345, 160_000),  # all is lent: four times
        (11_494, 40_040),  # 90.0034 % is lent, 340 millionths of the way from the target to all: 1 + 3 x 0.00034
        (22_988, 25_000),  # half of the target, but for a little: 1 - 3/4 / 2
        (1 << 39, 10_000),  # next to nothing: a quarter
    ],
)
def test_the_curve_around_the_target(floor, lent, rate):
    begin(floor, MOVING, lent)
    assert rate_now(floor) == rate


def test_all_lent_the_rate_doubles_in_five_days(floor):
    """e^(50 t) = 2 after ln 2 / 50 years, which is 5.06 days."""
    anew(begin(floor, MOVING, DEBT))
    floor.wait(5 * DAY + 1 * HOUR + 26 * 60 * SECOND)
    floor.deposit(ANN, USD, 1)
    (target,) = said(floor, events.RATE_SET)
    assert abs(target - 80_000_000_000) < 8_000_000  # a ten thousandth
    # H, M, H' = 4 %, 4 % x sqrt 2, 8 %: (4 + 2 x 5.656854 + 8) / 4 = 5.828427 %, four times that.
    assert abs(said(floor)[0] - 233_137) <= 25
    assert asset(floor)["rate_held"] == target


def test_six_days_to_the_last_digit(floor):
    """z = 50 x 6 / 365."""
    anew(begin(floor, MOVING, DEBT))
    floor.wait(6 * DAY).deposit(ANN, USD, 1)
    z = Fraction(50 * 6, 365)
    exact = sum(z**n / factorial(n) for n in range(30))
    (target,) = said(floor, events.RATE_SET)
    assert 0 <= 40_000_000_000 * exact - target < 2


def test_nothing_lent_it_falls_to_its_floor(floor):
    begin(floor, MOVING, 2 * DEBT)
    floor.deposit(ANN, USD, DEBT)
    assert asset(floor)["owed"] == 0
    for _ in range(4):
        floor.wait(25 * DAY).clock()
    floor.deposit(LENDER, USD, 1)
    assert said(floor, events.RATE_SET) == [1_000_000_000]
    floor.wait(DAY).deposit(LENDER, USD, 1)
    assert said(floor, events.RATE_SET) == []
    assert said(floor) == []


def test_it_never_passes_its_ceiling(floor):
    begin(floor, MOVING | {key.A_RATE_MAX_PPM: 100_000}, DEBT)
    for _ in range(3):
        floor.wait(20 * DAY).clock()
    assert asset(floor)["rate_held"] == 100_000_000_000
    assert rate_now(floor) == 400_000


def test_new_parameters_go_on_from_where_it_is(floor):
    begin(floor, MOVING, DEBT).wait(5 * DAY)
    floor.configure(ASSET, {key.A_RATE_BASE_PPM: 50_000}, row=USD)
    moved = asset(floor)["rate_held"]
    assert 79_000_000_000 < moved < 80_000_000_000
    floor.configure(ASSET, {key.A_RATE_MAX_PPM: 60_000}, row=USD)
    assert said(floor, events.RATE_SET) == [60_000_000_000]
    floor.configure(ASSET, {key.A_RATE_KIND: KINK}, row=USD)
    assert said(floor, events.RATE_SET) == [0]
    floor.configure(ASSET, {key.A_RATE_KIND: ADAPTIVE}, row=USD)
    assert said(floor, events.RATE_SET) == [50_000_000_000]


@pytest.mark.parametrize(
    ("price", "rate"),
    [
        (ASSET_PRICE_SCALE, 100_000),
        (ASSET_PRICE_SCALE * 98 // 100, 271_828),  # two hundredths below, one sigma: e times
        (ASSET_PRICE_SCALE * 102 // 100, 36_787),
        (ASSET_PRICE_SCALE * 99 // 100, 164_872),
        (ASSET_PRICE_SCALE // 2, 2 * PPM),  # e^25, but for the ceiling
        (2 * ASSET_PRICE_SCALE, 1_000),
    ],
)
def test_a_rate_by_the_peg(floor, price, rate):
    """10 % x e^((1 - p) / 2 %)."""
    lend(floor, {key.A_RATE_BASE_PPM: 0})
    floor.price({2: price})
    floor.configure(ASSET, PEGGED, row=COIN)
    assert rate_now(floor, COIN) == rate
    assert said(floor, events.RATE_SET)[0] // PPM == rate


def test_a_price_that_moves_counts_from_the_next_accrual(floor):
    lend(floor, {key.A_RATE_BASE_PPM: 0})
    floor.configure(ASSET, PEGGED | {key.A_PEG: 12 * ASSET_PRICE_SCALE, key.A_LOAN_CAP: 1 << 40}, row=COIN)
    floor.deposit(LENDER, COIN, 1 << 39)
    floor.deposit(ANN, USD, 100 * DEBT)
    floor.borrow(ANN, COIN, 60_000 + 1_000)
    assert asset(floor)["loans"] == 0
    assert floor.facts()["asset"][COIN]["loans"] == 1_000
    assert rate_now(floor, COIN) == 100_000
    floor.price({2: 12 * ASSET_PRICE_SCALE * 98 // 100})
    assert rate_now(floor, COIN) == 100_000
    floor.wait(HOUR).clock()
    assert said(floor) == [100_000]  # of the hour that has gone
    assert rate_now(floor, COIN) == 271_828
    floor.wait(HOUR).clock()
    assert said(floor) == [271_828]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({key.A_RATE_MIN_PPM: 30_000, key.A_RATE_MAX_PPM: 29_999}, key.A_RATE_MIN_PPM),
        ({key.A_RATE_BASE_PPM: 999}, key.A_RATE_BASE_PPM),
        ({key.A_RATE_BASE_PPM: 2 * PPM + 1}, key.A_RATE_BASE_PPM),
        ({key.A_RATE_KINK_PPM: PPM}, key.A_RATE_KINK_PPM),
        ({key.A_RATE_SPEED_PPM: 52_142_858}, key.A_RATE_SPEED_PPM),  # 365 / 7 is 52.142857...
        ({key.A_RATE_SPEED_PPM: 52_142_857}, None),
        ({key.A_RATE_KIND: PEG, key.A_RATE_KINK_PPM: PPM, key.A_RATE_SPEED_PPM: 1000 * PPM}, None),
        ({key.A_RATE_KIND: KINK, key.A_RATE_BASE_PPM: 0, key.A_RATE_MIN_PPM: 9, key.A_RATE_MAX_PPM: 8}, None),
    ],
)
def test_parameters_that_disagree(floor, change, wrong):
    lend(floor)
    floor.configure(ASSET, MOVING | change, row=USD)
    refused = [(event["reason"], event["order"]) for event in floor.happened(events.REJECTED)]
    assert refused == ([] if wrong is None else [(reject.PARAMETERS_DISAGREE, wrong)])


@given(
    st.integers(DEBT, 4 * DEBT),
    st.integers(60, 6 * 24 * 3600),
    st.lists(st.integers(1, 99), max_size=6, unique=True),
    st.integers(0, 50 * PPM),
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cutting_a_time_changes_little(make_floor, lent, seconds, cuts, speed):
    """The bound of the page: R T (R T + z^2 / 24), 10^-12 for each piece and 10^-6 T; H 10^-12 and a unit each."""

    def run(instants):
        floor = begin(make_floor(), MOVING | {key.A_RATE_SPEED_PPM: speed}, lent)
        now, rates = 0, []
        for instant in [*instants, seconds * SECOND]:
            floor.wait(instant - now)
            # Parameters that stay as they are: it accrues, and nothing is settled, so that utilisation stays.
            floor.configure(ASSET, {key.A_RATE_SPEED_PPM: speed}, row=USD)
            now = instant
            rates += said(floor)
        row = asset(floor)
        return row["borrow_index"], row["rate_held"], rates

    instants = sorted({seconds * SECOND * cut // 100 for cut in cuts})
    index, held, rates = run([])
    cut_index, cut_held, cut_rates = run(instants)
    pieces, time = len(instants) + 1, Fraction(seconds * SECOND, YEAR)
    power = min(Fraction(1), time * speed / PPM)
    if len(cut_rates) < pieces or not rates:
        return  # so short a piece is left to the next accrual
    highest = 2 * Fraction(max(rates + cut_rates), PPM)  # at the end no more than e^(z / 2) times the average
    bound = highest * time * (highest * time + power**2 / 24) + Fraction(pieces, 10**12) + time / 10**6
    assert abs(cut_index - index) <= bound * max(index, BORROW_SCALE)
    # Utilisation moves a little from piece to piece, with the interest in it.
    drift = power * highest * time * 12 + Fraction(12 * pieces, PPM) * power
    assert abs(cut_held - held) <= held * (drift + Fraction(pieces, 10**12)) + pieces


@given(st.lists(st.integers(1, 6 * DEBT), min_size=2, max_size=5, unique=True), st.sampled_from((ADAPTIVE, PEG)))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_within_its_bounds_and_rising_with_use(make_floor, lents, kind):
    low, high, curve = 5_000, 90_000, 3 * PPM
    bounds = {key.A_RATE_MIN_PPM: low, key.A_RATE_MAX_PPM: high, key.A_RATE_CURVE_PPM: curve, key.A_RATE_KIND: kind}
    floor = begin(make_floor(), MOVING | bounds, lents[0])
    rates = {}
    for more in lents:
        floor.deposit(LENDER, USD, more)  # at one instant
        rates[floor.cash(LENDER)] = rate_now(floor)
    ordered = [rates[cash] for cash in sorted(rates)]
    assert ordered == sorted(ordered, reverse=True)
    floor.wait(9 * DAY).clock()
    for rate in (*ordered, *said(floor), rate_now(floor)):
        assert low * PPM // curve <= rate <= high * curve // PPM
    assert low * PPM <= asset(floor)["rate_held"] <= high * PPM


# --- By a power, and near a ceiling -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("power", "lent", "rate"),
    [
        (2, 2 * DEBT, 15_000),  # half is lent: 0.5 % x (2 x 2 - 1)
        (1, 2 * DEBT, 5_000),
        (1, 4 * DEBT, 1_666),  # a quarter: 0.5 % x (4/3 - 1), down
        (2, DEBT, 2 * PPM),  # all of it: the highest
        (8, DEBT + 1, 2 * PPM),
        (2, 1 << 45, 0),
    ],
)
def test_a_power_of_what_is_lent(floor, power, lent, rate):
    begin(floor, {key.A_RATE_KIND: POWER, key.A_RATE_BASE_PPM: 5_000, key.A_RATE_POWER: power}, lent)
    assert rate_now(floor) == rate
    assert asset(floor)["rate_held"] == 0


@pytest.mark.parametrize(
    ("most", "rate"),
    [
        (2 * DEBT, 110_000),  # half of the most: 0.9 + 0.1 x 2
        (DEBT + 1_000, 203_449),  # 0.9 + 0.1 / 0.088145
        (DEBT, 10**9),  # as high as rates get
    ],
)
def test_a_rate_rises_near_the_most_that_may_be_lent(floor, most, rate):
    begin(floor, {key.A_RATE_BASE_PPM: 100_000}, 1 << 40)
    floor.configure(ASSET, {key.A_CEILING_PPM: 100_000, key.A_LOANS_MAX: most}, row=USD)
    assert rate_now(floor) == rate
