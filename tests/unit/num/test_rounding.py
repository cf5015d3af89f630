"""Exact multiply-then-divide against plain integers, on both sides of every width."""

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.num import rounding
from steelyard.num.limits import INT64_MAX, PPM

TRILLION = 10**12


def saturated(number):
    return max(-INT64_MAX, min(INT64_MAX, number))


def integers(low, high):
    """Any size, with the edges of words and of powers of two more often than chance would have it."""
    edges = {edge + by for power in range(63) for edge in (1 << power, -(1 << power)) for by in (-1, 0, 1)}
    return st.integers(low, high) | st.sampled_from(sorted(edge for edge in edges if low <= edge <= high))


WIDE = integers(-INT64_MAX, INT64_MAX)
POSITIVE = integers(1, INT64_MAX)
NOT_NEGATIVE = integers(0, INT64_MAX)


@pytest.fixture(scope="module")
def compiled():
    """Kernels as Python can call them."""
    mul_div_down, mul_div_up = rounding.mul_div_down, rounding.mul_div_up
    ppm_down, ppm_up, trillionth_down = rounding.ppm_down, rounding.ppm_up, rounding.trillionth_down
    return {
        "mul_div_down": numba.njit(lambda a, b, c: mul_div_down(a, b, c)),
        "mul_div_up": numba.njit(lambda a, b, c: mul_div_up(a, b, c)),
        "ppm_down": numba.njit(lambda a, b: ppm_down(a, b)),
        "ppm_up": numba.njit(lambda a, b: ppm_up(a, b)),
        "trillionth_down": numba.njit(lambda a, b: trillionth_down(a, b)),
    }


@given(WIDE, WIDE, POSITIVE)
def test_mul_div(compiled, amount, numer, denom):
    assert compiled["mul_div_down"](amount, numer, denom) == saturated(amount * numer // denom)
    assert compiled["mul_div_up"](amount, numer, denom) == saturated(-(-amount * numer // denom))


@given(WIDE, WIDE)
def test_millionths(compiled, amount, rate):
    assert compiled["ppm_down"](amount, rate) == saturated(amount * rate // PPM)
    assert compiled["ppm_up"](amount, rate) == saturated(-(-amount * rate // PPM))


@given(WIDE, NOT_NEGATIVE)
def test_a_division_by_a_trillion_in_two_digits(compiled, amount, numer):
    assert compiled["trillionth_down"](amount, numer) == saturated(amount * numer // TRILLION)


@given(integers(-(1 << 56), 1 << 56), st.integers(1, 1 << 20))
def test_whole_quotients_are_not_rounded(compiled, quotient, times):
    """A product that divides without rest, and its neighbours on both sides."""
    assert compiled["trillionth_down"](quotient, TRILLION) == quotient
    amount = quotient // times
    assert compiled["trillionth_down"](amount, times * TRILLION) == saturated(amount * times)
