"""Leverage and margin mode."""

from tests.golden.stories import ANN, BOB, open_venue

from steelyard.model import reject
from steelyard.model.events import LEVERAGE_SET, REJECTED


def test_in_cross_mode_the_account_itself_pays_for_lower_leverage(floor):
    """Its isolated position of another day is gone; what is left of it must not answer for the account."""
    open_venue(floor, {}, people=2, purse=30_000)
    floor.isolate(ANN, 1)
    floor.trade(ANN, BOB, 1, 3, 1_000)
    floor.trade(BOB, ANN, 1, 3, 1_000)
    floor.cross(ANN, 1)
    floor.trade(ANN, BOB, 1, 25, 1_000)  # 250,000 at 20 to 1: 12,500 of 30,000
    floor.leverage(ANN, 1, 5)  # would be 50,000
    (refused,) = floor.happened(REJECTED)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.leverage(ANN, 1, 10)
    assert floor.happened(LEVERAGE_SET)
    assert floor.spare_to_open(ANN) >= 0
