"""Rates by size, with numbers worked out by hand, and against exact fractions."""

from fractions import Fraction
from random import Random

import numba
import pytest

from steelyard.num import rounding
from steelyard.num.limits import SIZE_SCALE
from steelyard.rules import size_rates

MILLIONTH = SIZE_SCALE // 10**6


@pytest.fixture(scope="module")
def rate_of():
    rate = size_rates.rate_of
    return numba.njit(lambda lots, base, slope, root: rate(lots, base, slope, root))


@pytest.fixture(scope="module")
def root_up():
    root = rounding.root_up
    return numba.njit(lambda square: root(square))


@pytest.mark.parametrize(
    ("lots", "base", "slope", "root", "rate"),
    [
        (0, 0, 0, 0, 0),
        (0, 10_000, 5, 7, 10_000 * MILLIONTH),
        (25, 10_000, 50 * MILLIONTH, 0, 11_250 * MILLIONTH),  # one percent, and half a basis point a unit
        (6_000, 40_000, 5 * MILLIONTH, 0, 70_000 * MILLIONTH),
        (4, 0, 0, 10**14, 20_000 * MILLIONTH),  # a hundredth a unit: the root of four of them
        (2, 0, 0, 10**14, 14_142_136 * 1_000),  # the root of two, up to a billionth
        (4, 30_000, 0, 10**14, 30_000 * MILLIONTH),  # the larger of the two
        (10**15, 0, 1, 0, SIZE_SCALE),  # never above one
        (1 << 53, 0, SIZE_SCALE, 0, SIZE_SCALE),
        (1 << 53, 0, 0, 10**18, SIZE_SCALE),
        (1, 1_000_000, 10, 0, SIZE_SCALE),
    ],
)
def test_rates(rate_of, lots, base, slope, root, rate):
    assert rate_of(lots, base, slope, root) == rate


def test_a_root_is_the_smallest_number_whose_square_suffices(root_up):
    random = Random(1)
    squares = [0, 1, 2, 3, 4, 10**18, 10**18 - 1, (10**9 - 1) ** 2, (10**9 - 1) ** 2 + 1]
    for square in squares + [random.randrange(1 << random.randint(1, 59)) for _ in range(2_000)]:
        root = root_up(square)
        assert root * root >= square
        assert root == 0 or (root - 1) ** 2 < square


def test_more_lots_never_have_a_lower_rate_and_none_is_too_low(rate_of):
    random = Random(2)
    for _ in range(2_000):
        base, slope, root = random.randrange(200_000), random.randrange(10**6), random.randrange(10**14)
        lots = random.randrange(1, 10**6)
        less, more = rate_of(lots, base, slope, root), rate_of(lots + random.randrange(100), base, slope, root)
        assert less <= more <= SIZE_SCALE
        exact = max(Fraction(base, 10**6) + Fraction(slope * lots, SIZE_SCALE), 0)
        assert Fraction(less, SIZE_SCALE) >= min(1, exact)
        assert less == SIZE_SCALE or Fraction(less, SIZE_SCALE) ** 2 >= Fraction(root * lots, 10**18)
