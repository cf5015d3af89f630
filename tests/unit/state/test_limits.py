"""Limits that no machine could keep are refused when they are named."""

import pytest

from steelyard import Limits
from steelyard.state.tables import State

SMALL = {"owners": 8, "accounts": 16, "legs": 300, "orders": 64, "references": 8, "recent_client_ids": 8}
SMALL |= {"ladder_ticks": 256}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"markets": 256}, "limit markets is 256, must be a whole number from 1 to 255"),
        ({"markets": 0}, "limit markets is 0, must be a whole number from 1 to 255"),
        ({"assets": 101}, "limit assets is 101, must be a whole number from 1 to 100"),
        ({"accounts": 5}, "limit accounts is 5, must be a whole number from 6 to 1073741824"),
        ({"orders": 1 << 24}, "limit orders is 16777216, must be a whole number from 1 to 16777215"),
        ({"recent_client_ids": 0}, "limit recent_client_ids is 0, must be a whole number from 1 to 1073741824"),
        ({"references": -1}, "limit references is -1, must be a whole number from 1 to 1073741824"),
        ({"staged_rows": 0}, "limit staged_rows is 0, must be a whole number from 1 to 1048576"),
        ({"orders_per_account": 2.5}, "limit orders_per_account is 2.5, must be a whole number from 1 to 1073741824"),
        ({"triggers_per_command": True}, "limit triggers_per_command is True, must be a whole number from 0 to"),
        ({"assets": 11, "markets": 9, "legs": 68}, "limit legs is 68, must be a whole number from 69 to 1073741824"),
        ({"legs": 1 << 30}, "limit legs is 1073741824, must be a whole number from 0 to"),
    ],
)
def test_a_limit_out_of_range_is_named(given, told):
    with pytest.raises(ValueError, match=told):
        Limits(**given)


def test_no_alarm_has_a_number_beyond_32_bits():
    most = Limits(accounts=1 << 20, orders=(1 << 24) - 1, legs=1_064_304_638)
    with pytest.raises(ValueError, match="limit legs"):
        Limits(accounts=1 << 20, orders=(1 << 24) - 1, legs=most.legs + 1)
    assert 2 * (most.accounts + most.legs + 1) + most.orders + 1 < 1 << 31


def test_the_events_of_the_largest_command_have_room():
    """A hundred isolated positions with as many orders as an account may have, cancelled at once."""
    many = Limits(**{**SMALL, "orders": 500_000, "orders_per_account": 5_000})
    state = State(many)
    assert len(state.event) > 2 * 500_000 + many.events_per_command
    assert len(State(Limits(**SMALL)).event) < 1 << 18
