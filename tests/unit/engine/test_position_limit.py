"""No owner's position ever exceeds the limit, whatever fills in whatever order."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.orders import IOC, REDUCE_ONLY

LIMIT = 100


@pytest.fixture
def limited(floor):
    open_venue(floor, {key.M_POSITION_LOTS_MAX: LIMIT, key.M_ORDER_LOTS_MAX: LIMIT}, people=4, purse=10_000_000)
    return floor


def refusals(floor):
    return [event["reason"] for event in floor.happened(events.REJECTED)]


def test_asks_beside_a_long_position_may_not_exceed_the_limit_by_themselves(limited):
    """A reduce-only order could close the position first, and the asks sell all the same."""
    limited.trade(ANN, BOB, 1, LIMIT, 1_000)
    limited.order(ANN, 1, -LIMIT, 1_010)
    assert refusals(limited) == []
    limited.order(ANN, 1, -1, 1_010)
    assert refusals(limited) == [reject.POSITION_LIMIT]
    limited.order(BOB, 1, LIMIT, 1_000)
    limited.order(ANN, 1, -LIMIT, 1_000, tif=IOC, options=REDUCE_ONLY)
    assert limited.lots(ANN) == 0
    limited.order(CAT, 1, LIMIT, 1_010)
    assert limited.lots(ANN) == -LIMIT


def test_a_resting_reduce_only_order_leaves_no_room_either(limited):
    limited.trade(ANN, BOB, 1, 60, 1_000)
    limited.order(ANN, 1, -60, 1_005, options=REDUCE_ONLY)
    limited.order(ANN, 1, -LIMIT, 1_010)
    assert refusals(limited) == []
    limited.order(CAT, 1, LIMIT, 1_005)
    limited.cancel_all(CAT)
    limited.order(BOB, 1, LIMIT, 1_010)
    assert limited.lots(ANN) == -LIMIT
    limited.order(ANN, 1, -1, 1_010)
    assert refusals(limited) == [reject.POSITION_LIMIT]


def test_all_accounts_of_an_owner_share_the_limit(limited):
    limited.open_account(2)
    second = BOB + 3
    limited.deposit(second, 1, 10_000_000)
    limited.trade(ANN, BOB, 1, 50, 1_000)
    limited.order(ANN, 1, -60, 1_010)
    limited.order(second, 1, 41, 990)
    assert refusals(limited) == [reject.POSITION_LIMIT]
    limited.order(second, 1, 40, 990)
    assert refusals(limited) == []


def test_a_position_may_be_turned_round(limited):
    """What closes a position counts like what opens one: an order may be as large as the limit."""
    limited.trade(ANN, BOB, 1, 40, 1_000)
    limited.order(BOB, 1, LIMIT, 1_000)
    limited.order(ANN, 1, -LIMIT, 1_000, tif=IOC)
    assert limited.lots(ANN) == 40 - LIMIT
