"""Rates that move by themselves, by hand and against e itself. See docs/concepts/borrowing.md."""

from fractions import Fraction
from math import factorial, isqrt

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.num.limits import POWER_MAX, PPM, RATE_FINE, RATE_SCALE
from steelyard.rules import interest

LN2 = 693_147_180_560  # in 10**-12, up
LOW, HIGH = 1 * RATE_FINE, 10 * PPM * RATE_FINE


@pytest.fixture(scope="module")
def rules():
    """Kernels as Python can call them."""
    grown_by, off_target = interest.grown_by, interest.off_target_ppm
    return {
        "grown": numba.njit(lambda amount, power, low, high: grown_by(amount, power, low, high)),
        "off": numba.njit(lambda used, target: off_target(used, target)),
    }


def e_to(power):
    """e to a power in 10**-12, from below, by less than 10**-30 of itself: a series for a 64th of it, squared again."""
    z = Fraction(power, 64 * RATE_SCALE)
    total = sum(z**n / factorial(n) for n in range(24))
    return total**64


@pytest.mark.parametrize(
    ("amount", "power", "after"),
    [
        (40_000 * RATE_FINE, 0, 40_000 * RATE_FINE),
        (10**12, RATE_SCALE // 10, 1_105_170_918_075),  # e to the tenth is 1.105170918075647624
        (10**12, -RATE_SCALE // 10, 904_837_418_036),  # 0.904837418035959573, up
        (10**12, LN2, 2 * 10**12),
        (10**12, -LN2, 5 * 10**11),
        (10**12, LN2 - 1, 1_999_999_999_998),  # below twice
        (10**12, RATE_SCALE, 2_718_281_828_459),
        (HIGH, POWER_MAX, HIGH),
        (LOW, -POWER_MAX, LOW),
        (LOW, POWER_MAX, HIGH),
        (HIGH, -POWER_MAX, LOW),
        (0, POWER_MAX, LOW),
    ],
)
def test_a_rate_moves_by_a_power_of_e(rules, amount, power, after):
    assert rules["grown"](amount, power, LOW, HIGH) == after


@given(st.integers(LOW, HIGH), st.integers(-POWER_MAX, POWER_MAX))
def test_it_is_e_within_what_is_promised(rules, amount, power):
    found = rules["grown"](amount, power, 0, 1 << 62)
    exact = amount * e_to(power)
    if exact < 1 << 61:
        slack = exact / 10**16 + 1
        assert abs(found - exact) <= slack
        assert min(amount, amount * e_to(power)) - slack <= found <= max(amount, exact) + slack


@given(st.integers(LOW, HIGH), st.integers(-POWER_MAX, POWER_MAX - 1), st.integers(1, 3))
def test_it_never_falls_as_the_power_rises(rules, amount, power, more):
    for first in (power, power // LN2 * LN2 - 1):
        if -POWER_MAX <= first:
            assert rules["grown"](amount, first, LOW, HIGH) <= rules["grown"](amount, first + more, LOW, HIGH)


@pytest.mark.parametrize(
    ("used", "target", "off"),
    [
        (0, 900_000, -PPM),
        (450_000, 900_000, -500_000),
        (900_000, 900_000, 0),
        (950_000, 900_000, 500_000),
        (PPM, 900_000, PPM),
        (899_999, 900_000, -1),
        (1, 3, -666_666),
        (PPM, PPM - 1, PPM),
        (0, 1, -PPM),
    ],
)
def test_the_distance_from_the_target(rules, used, target, off):
    assert rules["off"](used, target) == off


def test_the_yardstick():
    """e squared, to thirty places, by its own square root."""
    e = e_to(RATE_SCALE)
    assert int(e * 10**18) == 2_718_281_828_459_045_235
    assert isqrt(int(e_to(2 * RATE_SCALE) * 10**36)) == int(e * 10**18)
