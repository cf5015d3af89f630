"""What interest is worth, with numbers worked out by hand."""

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.model.keys import HOUR
from steelyard.num.limits import BORROW_SCALE, PPM
from steelyard.rules import interest

YEAR = 365 * 24 * HOUR


@pytest.fixture(scope="module")
def rules():
    """Kernels as Python can call them."""
    utilisation_ppm, index_after, debt_up = interest.utilisation_ppm, interest.borrow_index_after, interest.debt_up
    return {
        "utilisation": numba.njit(lambda owed, loans, lent: utilisation_ppm(owed, loans, lent)),
        "index_after": numba.njit(lambda index, owed, rate, time: index_after(index, owed, rate, time)),
        "debt": numba.njit(lambda settled, index, then: debt_up(settled, index, then)),
    }


@pytest.mark.parametrize(
    ("owed", "loans", "lent", "used"),
    [
        (0, 0, 0, PPM),
        (50, 50, 100, 500_000),
        (60, 50, 90, 600_000),  # ten of interest belong to the lender already
        (100, 100, 100, PPM),
        (150, 150, 100, PPM),
        (1, 1, 3, 333_333),
    ],
)
def test_utilisation(rules, owed, loans, lent, used):
    assert rules["utilisation"](owed, loans, lent) == used


@pytest.mark.parametrize(
    ("index", "owed", "rate", "time", "after"),
    [
        (10**12, 1, 50_000, YEAR, 1_050_000_000_000),
        (10**12, 1, 50_000, YEAR // 2, 1_025_000_000_000),
        (15 * 10**11, 1, 50_000, YEAR, 1_575_000_000_000),
        (10**12, 1, 1, 1, 10**12 + 1),  # up
        (10**12, 1, 0, YEAR, 10**12),
        (999 * 10**12, 1, 100 * PPM, YEAR, 1_000 * 10**12),  # the highest there is
        (10**12, 1 << 55, 3 * PPM, YEAR, 2 * 10**12),  # all debts together would not fit
        (5 * 10**12, 1 << 56, 3 * PPM, YEAR, 5 * 10**12),
    ],
)
def test_an_index_grows_in_a_straight_line_until_it_stops(rules, index, owed, rate, time, after):
    assert rules["index_after"](index, owed, rate, time) == after


def test_a_debt_rounds_up(rules):
    assert rules["debt"](1_000, BORROW_SCALE + 1, BORROW_SCALE) == 1_001
    assert rules["debt"](1_000, BORROW_SCALE, BORROW_SCALE) == 1_000
    assert rules["debt"](1_001, 3 * BORROW_SCALE, 2 * BORROW_SCALE) == 1_502


@given(
    index=st.integers(BORROW_SCALE, 900 * BORROW_SCALE),
    rate=st.integers(0, 100 * PPM),
    times=st.lists(st.integers(0, YEAR // 8), min_size=2, max_size=8),
)
def test_accruing_more_often_never_lowers_a_debt(rules, index, rate, times):
    """At one rate, however a stretch of time is cut."""
    often = index
    for time in times:
        often = rules["index_after"](often, 1, rate, time)
    assert often >= rules["index_after"](index, 1, rate, sum(times))
