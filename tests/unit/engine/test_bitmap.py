"""The four-level bitmap against a plain set."""

import numba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.engine import bitmap
from steelyard.num import warm
from steelyard.state.tables import L_BITS_ORDER, Limits, State

SIZE = 70_000  # three levels and a part of the fourth
POSITIONS = st.integers(0, SIZE - 1) | st.sampled_from((0, 1, 63, 64, 65, 4_095, 4_096, SIZE - 1))
STEPS = st.lists(st.tuples(st.sampled_from(("set", "clear")), POSITIONS), max_size=60)


@pytest.fixture(scope="module")
def board():
    """Compiled functions over the bits of a state's free order rows."""
    warm()
    state = State(Limits(orders=SIZE - 1))
    base = int(state.layout[L_BITS_ORDER])
    bit_set, bit_clear, bit_next, bit_previous = (
        bitmap.bit_set,
        bitmap.bit_clear,
        bitmap.bit_next,
        bitmap.bit_previous,
    )
    calls = {
        "set": numba.njit(lambda s, base, size, at: bit_set(s, base, size, at)),
        "clear": numba.njit(lambda s, base, size, at: bit_clear(s, base, size, at)),
        "next": numba.njit(lambda s, base, size, at: bit_next(s, base, size, at)),
        "previous": numba.njit(lambda s, base, size, at: bit_previous(s, base, size, at)),
    }
    return state, lambda name, at: calls[name](state.handle, base, SIZE, at)


@given(STEPS, st.lists(POSITIONS, min_size=1, max_size=8))
def test_it_finds_what_a_set_finds(board, steps, looks):
    state, call = board
    state.bits[:] = 0
    held = set()
    for what, at in steps:
        call(what, at)
        held = held | {at} if what == "set" else held - {at}
    for at in looks:
        assert call("next", at) == min((each for each in held if each >= at), default=-1)
        assert call("previous", at) == max((each for each in held if each <= at), default=-1)
    assert call("next", SIZE) == -1
    assert call("previous", -1) == -1
