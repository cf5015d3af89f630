"""Cells of exact widths, and numbers a person can read."""

from decimal import Decimal

import pytest

from steelyard.cli import drawing as D


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00"),
        (99.999, "100.00"),
        (812, "812"),
        (-812, "-812"),
        (9_999, "9,999"),
        (9_999.7, "10.0k"),
        (12_345, "12.3k"),
        (1_204_000, "1.20m"),
        (-2_500_000_000, "-2.50b"),
    ],
)
def test_short_numbers(value, text):
    assert D.short(value) == text


@pytest.mark.parametrize("width", [0, 1, 2, 5, 12])
def test_cells_never_overflow(width):
    assert len(D.left("liquidation", width)) == width
    assert len(D.right("liquidation", width)) == width
    assert D.line(width, ("liquidation", "")).cell_len == width
    assert D.title(width, "book", "by 5").cell_len == width


@pytest.mark.parametrize(
    ("share", "cells"), [(0.0, "    "), (0.5, "██  "), (1.0, "████"), (2.0, "████"), (0.28, "█▏  ")]
)
def test_bars_are_exact_to_an_eighth(share, cells):
    assert D.bar(share, 4) == cells


@pytest.mark.parametrize(("share", "cells"), [(0.0, "╸"), (0.3, "━"), (0.5, "━━"), (0.6, "━━╸"), (3.0, "━━━━")])
def test_a_gauge_shows_even_little(share, cells):
    assert D.gauge(share, 4) == cells


def test_a_curve_reaches_from_bottom_to_top():
    above, below = D.curve([1.0, 2.0, 3.0], 5, 2)
    assert (above, below) == ("    █", "  ▁██") or (above[-1], below[-1], below[2]) == ("█", "█", "▁")
    assert D.curve([], 5, 2) == ["     ", "     "]
    assert [len(row) for row in D.curve([5.0] * 50, 7, 2)] == [7, 7]


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "00:00"), (59 * 10**9, "00:59"), (3_600 * 10**9, "1:00:00"), (-5, "00:00")]
)
def test_countdowns(ns, text):
    assert D.countdown(ns) == text


@pytest.mark.parametrize(("step", "decimals"), [("0.1", 1), ("0.10", 1), ("5", 0), ("10", 0), ("0.001", 3)])
def test_decimals_of_a_step(step, decimals):
    assert D.places(Decimal(step)) == decimals
