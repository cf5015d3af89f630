"""What compiled code reads and writes through a view is what the tables hold."""

import numba
import numpy as np
import pytest

from steelyard.num import warm
from steelyard.state.tables import BITS, LEG, LEG_OPEN, MARKET_RULE, ORDER, Limits, State

NUMBERS = (0, 1, -1, 127, -128)


@pytest.fixture
def state():
    warm()
    return State(Limits())


@numba.njit
def copy_side(s, row, other):
    order = ORDER(s)
    order.side[other] = order.side[row]
    order.remaining[other] = order.side[row]
    return order.side[other]


@numba.njit
def add(s, row, amount):
    LEG(s).quantity[row] += amount
    LEG_OPEN(s).bid_lots[row] -= amount
    MARKET_RULE(s)[1, 3] = MARKET_RULE(s)[1, 3] + amount
    BITS(s)[2] = amount
    return len(LEG(s)) + len(LEG_OPEN(s))


@pytest.mark.parametrize("number", NUMBERS)
def test_narrow_columns_keep_their_sign(state, number):
    state.order.side[5] = number
    assert copy_side(state.handle, 5, 6) == number
    assert state.order.side[6] == state.order.remaining[6] == number
    rows = np.asarray(state.order)[[4, 7]]
    assert not any(rows[name].any() for name in rows.dtype.names), "the rows beside were not touched"


def test_rows_that_lie_side_by_side_are_apart(state):
    rows = len(state.leg)
    assert add(state.handle, 9, 1 << 40) == 2 * rows
    assert state.leg.quantity[9] == 1 << 40
    assert state.leg_open.bid_lots[9] == -(1 << 40)
    assert state.market_rule[1, 3] == state.bits[2] == 1 << 40
    assert np.asarray(state.leg)["quantity"].sum() == 1 << 40
    assert np.asarray(state.leg_open)["bid_lots"].sum() == -(1 << 40)
