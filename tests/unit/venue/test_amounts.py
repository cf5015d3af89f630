"""Exact conversions: what is accepted, what is refused, and in which words."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.venue import amounts as A
from steelyard.venue.amounts import Step


@pytest.mark.parametrize(
    ("size", "coefficient", "places"),
    [("1", 1, 0), ("0.1", 1, 1), ("0.25", 25, 2), ("5", 5, 0), ("100", 100, 0), ("1e-8", 1, 8), ("2.50", 25, 1)],
)
def test_a_step_is_a_coefficient_and_a_number_of_decimals(size, coefficient, places):
    assert Step.of(size) == Step(coefficient, places)
    assert Step.of(size).size == Decimal(size)


@pytest.mark.parametrize(
    ("step", "value", "count"),
    [
        ("0.1", "50000", 500_000),
        ("0.1", Decimal("50000.1"), 500_001),
        ("0.1", 50_000, 500_000),
        ("0.25", "1.75", 7),
        ("0.001", "-0.5", -500),
        ("1e-8", "0.00000001", 1),
        ("100", "1200", 12),
        ("0.1", "1_000.0", 10_000),
        ("0.1", " 7 ", 70),
        ("1", "1E3", 1_000),
    ],
)
def test_values_become_whole_numbers_of_steps_and_return(step, value, count):
    grid = Step.of(step)
    assert grid.count(value) == count
    assert grid.back(count) == Decimal(str(value).replace("_", ""))


@pytest.mark.parametrize(
    ("step", "value", "message"),
    [
        ("0.1", "50000.05", "price 50000.05 is not a whole number of ticks of 0.1; nearest are 50000.0 and 50000.1"),
        ("0.25", "-0.1", "price -0.1 is not a whole number of ticks of 0.25; nearest are -0.25 and 0.00"),
        (
            "1",
            "1e-30",
            "price 0.000000000000000000000000000001 is not a whole number of ticks of 1; nearest are 0 and 1",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_its_neighbours(step, value, message):
    with pytest.raises(ValueError) as refusal:
        Step.of(step).count(value, "price", "ticks")
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("value", "error", "part"),
    [
        (0.1, TypeError, "price 0.1 is a float, which stands for 0.1000000000000000055511...; write Decimal('0.1')"),
        (float("nan"), TypeError, "is a float"),
        (True, TypeError, "price is True (bool)"),
        (None, TypeError, "price is None (NoneType)"),
        ("a lot", ValueError, "price 'a lot' is not a number"),
        ("NaN", ValueError, "not a finite number"),
        (Decimal("Infinity"), ValueError, "not a finite number"),
        (10**30, ValueError, "beyond what the machine can hold"),
    ],
)
def test_what_is_no_exact_number_is_refused(value, error, part):
    with pytest.raises(error) as refusal:
        Step(1, 0).count(value, "price")
    assert part in str(refusal.value)


def test_the_caller_s_decimal_context_changes_nothing():
    with localcontext() as context:
        context.prec = 3
        assert Step.of("0.001").count("123456.789") == 123_456_789
        assert str(Step.of("0.001").back(123_456_789)) == "123456.789"


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.integers(1, 1000), st.integers(0, 12))
def test_there_and_back_is_the_same_number(count, coefficient, places):
    step = Step(coefficient, places)
    assert step.count(step.back(count)) == count


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        (3, 3 * A.SECOND),
        (Decimal("0.25"), 250_000_000),
        ("8h", 8 * 3600 * A.SECOND),
        ("1h30m", 5400 * A.SECOND),
        ("250ms", 250_000_000),
        ("1.5 s", 1_500_000_000),
        ("2d", 172_800 * A.SECOND),
        ("7ns", 7),
        (timedelta(microseconds=1), 1_000),
        (0, 0),
    ],
)
def test_durations(written, ns):
    assert A.duration_ns(written) == ns


@pytest.mark.parametrize("written", ["", "8", "8 hours", "h", "0.1ns", "1h x", "-1h"])
def test_text_that_is_no_duration_is_refused(written):
    with pytest.raises(ValueError):
        A.duration_ns(written)


@pytest.mark.parametrize(
    ("written", "ns"),
    [
        (10, 10 * A.SECOND),
        ("10s", 110 * A.SECOND),
        (timedelta(seconds=1), 101 * A.SECOND),
        (datetime(1970, 1, 2, tzinfo=UTC), 86_400 * A.SECOND),
    ],
)
def test_an_instant_is_absolute_as_a_number_and_relative_as_a_duration(written, ns):
    assert A.instant_ns(written, 100 * A.SECOND) == ns


@pytest.mark.parametrize("written", [datetime(2026, 1, 1), -1, 2**62])
def test_instants_without_zone_or_off_the_clock_are_refused(written):
    with pytest.raises(ValueError):
        A.instant_ns(written, 0)


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "00:00:00"),
        (3_661 * A.SECOND, "01:01:01"),
        (90_000 * A.SECOND + 5_000_000, "day 1 01:00:00.005"),
        (1_767_225_600 * A.SECOND, "2026-01-01 00:00:00"),
    ],
)
def test_clocks_for_people(ns, text):
    assert A.clock_text(ns) == text


def test_clocks_for_clients():
    assert A.iso8601(1_767_225_600_123_456_789) == "2026-01-01T00:00:00.123Z"
    assert A.milliseconds(1_767_225_600_123_456_789) == 1_767_225_600_123
    assert A.duration_text(8 * 3600 * A.SECOND) == "8h"
    assert A.duration_text(90 * A.SECOND + 5) == "1m30s5ns"


@pytest.mark.parametrize(
    ("value", "least", "text"),
    [("1234567.500000", 2, "1,234,567.50"), ("0.000001", 2, "0.000001"), ("-12.0", 0, "-12"), ("100", 0, "100")],
)
def test_numbers_for_people_keep_every_digit_that_matters(value, least, text):
    assert A.trimmed(Decimal(value), least) == text


def test_ratios_round_the_way_their_name_says():
    assert A.ratio_up(1, 3) == Decimal("0.333334")
    assert A.ratio_down(1, 3) == Decimal("0.333333")
    assert A.ratio_down(-1, 3) == Decimal("-0.333334")
    assert A.ratio_up(1, 0) is None
