"""Isolated positions: margin comes with an order, and goes back once, when the order has done what it does."""

from random import Random

import pytest
from tests.golden.stories import ANN, BOB, CAT, DAN, LOT, open_venue

from steelyard.model import events
from steelyard.model import keys as key
from steelyard.model.orders import IOC, LIMIT, REDUCE_ONLY, STOP, STP_BOTH, STP_MAKER, STP_NONE, STP_TAKER

MARGIN = LOT // 20  # of one lot at 1,000
FREE_OF_FEES = {key.M_MAKER_PPM: 0, key.M_TAKER_PPM: 0}
STRICT = {key.M_BRACKET_MAINTAIN_PPM: 40_000, key.M_BRACKET_OPEN_PPM: 50_000}


@pytest.fixture
def long_ten(floor):
    """Ann's isolated position of ten lots from 1,000, margin 5,000; its account is `child`."""
    open_venue(floor, FREE_OF_FEES | STRICT, people=4)
    floor.isolate(ANN, 1)
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.annes = floor.child(ANN)
    assert floor.cash(floor.annes) == 10 * MARGIN
    return floor


def moved(floor):
    """Margin to and from the child in the last command."""
    return [event["amount"] for event in floor.happened(events.MARGIN_MOVED)]


def bids(floor, *lots, price=1_000):
    for each in lots:
        floor.order(CAT, 1, each, price)


def asks(floor, *lots, price=1_000):
    bids(floor, *(-each for each in lots), price=price)


@pytest.mark.parametrize(
    ("mode", "position", "margins"),
    [
        # Its bid closes and gives up 20,000, which the short position of fifty lots needs.
        (STP_MAKER, -50, [600]),
        # Its bid closes, and so does the order itself: all that both had brought goes back.
        (STP_BOTH, 10, [600, -20_600]),
        (STP_TAKER, 10, [600, -600]),
    ],
)
def test_margin_of_an_own_order_stays_while_the_next_order_needs_it(long_ten, mode, position, margins):
    long_ten.order(ANN, 1, 40, 1_000)
    assert moved(long_ten) == [40 * MARGIN]
    bids(long_ten, 100, price=999)
    long_ten.order(ANN, 1, -60, 999, stp=mode)  # fifty lots short like fifty long, and 600 for crossing the mark
    assert moved(long_ten) == margins
    assert long_ten.lots(long_ten.annes) == position
    assert long_ten.spare_to_open(long_ten.annes) == 0
    assert not long_ten.happened(events.LIQUIDATION_STARTED)


def test_a_position_turned_round_in_several_fills_keeps_its_margin(long_ten):
    bids(long_ten, 4, 4, 4, 4, 4)
    long_ten.order(ANN, 1, -20, 1_000)
    assert (long_ten.lots(long_ten.annes), moved(long_ten)) == (-10, [])
    assert long_ten.spare_to_open(long_ten.annes) == 0


def test_what_brings_more_lots_than_it_closes_brings_the_difference(long_ten):
    bids(long_ten, 4, 4, 4, 4, 4, 4, 4)
    long_ten.order(ANN, 1, -26, 1_000)
    assert (long_ten.lots(long_ten.annes), moved(long_ten)) == (-16, [6 * MARGIN])
    assert long_ten.spare_to_open(long_ten.annes) == 0


def test_an_amendment_that_trades_keeps_the_margin_too(long_ten):
    long_ten.order(ANN, 1, -20, 1_010)
    (order,) = long_ten.twin.open_orders(long_ten.annes)
    bids(long_ten, 4, 4, 4, 4)
    long_ten.amend(ANN, order.id, price=1_000)
    assert (long_ten.lots(long_ten.annes), moved(long_ten)) == (-6, [])
    assert long_ten.spare_to_open(long_ten.annes) == 0  # four lots rest
    long_ten.cancel(ANN, order.id)
    assert long_ten.spare_to_open(long_ten.annes) == 4 * MARGIN  # it had brought nothing: nothing goes back


def test_a_triggered_order_keeps_the_margin_too(long_ten):
    long_ten.order(ANN, 1, -20, 985, trigger_kind=STOP, trigger=995, order_type=LIMIT)
    bids(long_ten, 4, 4, 4, 4, 4, price=990)
    long_ten.price({1: 995})
    assert long_ten.lots(long_ten.annes) == -10
    assert long_ten.spare_to_open(long_ten.annes) >= 0
    assert not long_ten.happened(events.LIQUIDATION_STARTED)


def test_trading_with_itself_gives_nothing_back_between_the_sides(long_ten):
    long_ten.order(ANN, 1, 5, 1_000)
    bids(long_ten, 4, 4, 4, 4)
    long_ten.order(ANN, 1, -20, 1_000, stp=STP_NONE)
    assert (long_ten.lots(long_ten.annes), moved(long_ten)) == (-5, [])
    # Five lots of margin for the bid, ten for the position; what is left of the order needs none.
    assert long_ten.cash(long_ten.annes) == 15 * MARGIN


def test_reduce_only_orders_that_shrink_meanwhile_give_nothing_back(long_ten):
    long_ten.order(ANN, 1, -6, 1_020, options=REDUCE_ONLY)
    bids(long_ten, 3, 3, 3, 3, 3)
    long_ten.order(ANN, 1, -15, 1_000)
    assert (long_ten.lots(long_ten.annes), long_ten.orders(long_ten.annes), moved(long_ten)) == (-5, [], [])
    assert long_ten.cash(long_ten.annes) == 10 * MARGIN


def test_several_closing_fills_return_their_share_once(long_ten):
    long_ten.move_margin(ANN, 1, 1_003)
    bids(long_ten, 1, 2)
    long_ten.order(ANN, 1, -3, 1_000)
    assert moved(long_ten) == [-(6_003 * 3 // 10)]


def test_the_share_is_of_the_cash_after_all_fills(long_ten):
    bids(long_ten, 2, price=1_010)
    bids(long_ten, 2, price=1_005)
    long_ten.order(ANN, 1, -4, 1_000, tif=IOC)
    cash = 10 * MARGIN + 2 * 10 * 10 + 2 * 5 * 10
    assert moved(long_ten) == [-(cash * 4 // 10)]


def test_an_order_that_fills_in_part_returns_the_rest_of_its_margin(long_ten):
    asks(long_ten, 2, 3)
    long_ten.order(ANN, 1, 20, 1_000, tif=IOC)
    assert moved(long_ten) == [20 * MARGIN, -15 * MARGIN]
    assert long_ten.spare_to_open(long_ten.annes) == 0


def test_an_order_that_closes_everything_returns_everything(long_ten):
    bids(long_ten, 3, 3, 3, 3)
    long_ten.order(ANN, 1, -10, 1_000)
    assert (moved(long_ten), long_ten.cash(long_ten.annes)) == ([-10 * MARGIN], 0)


def test_fills_of_its_resting_orders_return_their_share_at_once(long_ten):
    long_ten.order(ANN, 1, -4, 1_000)
    bids(long_ten, 1)
    assert moved(long_ten) == [-1 * MARGIN]
    bids(long_ten, 3)
    assert moved(long_ten) == [-3 * MARGIN]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_at_a_price_that_stands_still_no_order_makes_a_position_unhealthy(floor, seed):
    """Orders of every kind against each other and itself: the insurance fund is never needed."""
    random = Random(seed)
    open_venue(floor, STRICT | {key.M_PRICE_BAND_PPM: 20_000}, people=4, purse=300_000)
    floor.isolate(ANN, 1)
    for _ in range(250):
        account, side = random.choice((ANN, ANN, ANN, BOB, CAT, DAN)), random.choice((1, -1))
        price = 1_000 + random.randint(-6, 6)
        lots = side * random.choice((1, 3, 10, 25, 60))
        orders = floor.twin.open_orders(floor.child(ANN)) if floor.twin.leg_or_none(ANN, 257) else []
        if account == ANN and orders and random.random() < 0.3:
            order = random.choice(orders)
            floor.amend(ANN, order.id, price=price, lots=order.filled + abs(lots))
        else:
            columns = {"tif": random.choice((0, 0, 0, IOC)), "stp": random.choice((1, 2, 3, 4))}
            columns["options"] = random.choice((0, 0, 0, 0, 0, REDUCE_ONLY))
            floor.order(account, 1, lots, price, **columns)
        assert not floor.happened(events.LIQUIDATION_STARTED)
        for row in floor.twin.accounts:
            assert floor.spare_to_keep(row) >= 0
