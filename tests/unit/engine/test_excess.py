"""Opening asks for more where too much of an account is one thing. Rules: docs/concepts/requirements.md."""

import pytest
from tests.golden.stories import ANN, BOB, USD, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED, MARKET
from steelyard.model.orders import FOR_OPEN
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from steelyard.state.tables import MARKET_0

COIN = 2
FREE = {key.M_TAKER_PPM: 0, key.M_MAKER_PPM: 0, key.M_LEVERAGE_DEFAULT: 100, key.M_GROUP: 7}
SPARE = 1_000_000


def crowded(above, rate):
    return FREE | {key.M_EXCESS_FROM: above, key.M_EXCESS_PPM: rate}


def part(floor, market=0):
    """What is asked beside the brackets' part of 1 percent."""
    legs = floor.twin.legs_of(ANN)
    held = sum(abs(legs[MARKET_0 + each].quantity) * 10_000 for each in (1, 2) if MARKET_0 + each in legs)
    return SPARE - floor.spare_to_open(ANN) - held // 100


def test_positions_of_a_group_above_its_limit(floor):
    """Two markets of a group: 600,000 and 400,000, above 500,000 a tenth of each one's part of the excess."""
    open_venue(floor, crowded(500_000, 100_000), crowded(800_000, 500_000), people=2)
    floor.trade(ANN, BOB, 1, 50, 1_000)
    assert part(floor) == 0
    floor.trade(ANN, BOB, 1, 10, 1_000)
    assert part(floor) == 10_000  # a tenth of 100,000
    floor.trade(BOB, ANN, 2, 40, 1_000)  # short: it is size that counts
    # Of 1,000,000 the first, six tenths, answers for six tenths of 500,000; the second for four tenths of 200,000.
    assert part(floor) == 30_000 + 40_000
    assert floor.spare_to_keep(ANN) == SPARE - 5_000  # nobody is liquidated for it


def test_orders_count_as_filled(floor):
    open_venue(floor, crowded(500_000, PPM), FREE, people=2)
    (refused,) = floor.order(ANN, 1, 200, 1_000)  # 2,000,000: 20,000 by its bracket, 1,500,000 above the limit
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.order(ANN, 1, 148, 1_000)
    assert floor.spare_to_open(ANN) == SPARE - 14_800 - 980_000
    (refused,) = floor.order(ANN, 1, 1, 1_000)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    # The other market has no limit, but is of the group: its size leaves the first less room.
    (refused,) = floor.order(ANN, 2, 10, 1_000)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.order(BOB, 1, -148, 1_000)
    assert floor.lots(ANN) == 148
    # What only reduces always passes.
    floor.order(ANN, 1, -50, 1_000)
    assert floor.happened(events.ORDER_ACCEPTED)


def test_a_limit_that_is_set_later_binds_the_next_action(floor):
    open_venue(floor, FREE, people=2)
    floor.trade(ANN, BOB, 1, 100, 1_000)
    floor.configure(MARKET, {key.M_EXCESS_FROM: 0, key.M_EXCESS_PPM: PPM}, row=1)
    assert floor.happened(events.LIQUIDATION_STARTED) == []
    assert floor.order(ANN, 1, 1, 1_000)[0]["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.configure(MARKET, {key.M_EXCESS_PPM: 0}, row=1)
    floor.order(ANN, 1, 1, 1_000)
    assert floor.happened(events.ORDER_ACCEPTED)


def coins(floor, *settings):
    """Coins worth a dollar each, with these limits."""
    for row, others in enumerate(settings, start=2):
        floor.configure(FEED, {key.F_QUORUM: 1})
        floor.configure(ASSET, {key.A_FEED: row, key.A_SUPPLY_MAX: 1 << 40} | others)
        floor.price({row: ASSET_PRICE_SCALE})


def excess(share=PPM, above=1 << 56, rate=500_000, group=0):
    return {key.A_EXCESS_SHARE_PPM: share, key.A_EXCESS_FROM: above, key.A_EXCESS_PPM: rate, key.A_GROUP: group}


def spare(floor):
    legs = floor.twin.legs_of(ANN)
    held = sum(leg.quantity for thing, leg in legs.items() if thing < MARKET_0)
    return held - floor.spare(ANN, FOR_OPEN)


def test_collateral_above_its_share(floor):
    open_venue(floor, FREE, people=2, purse=100_000)
    coins(floor, excess(share=250_000))
    floor.deposit(ANN, COIN, 20_000)
    assert spare(floor) == 0
    floor.deposit(ANN, COIN, 80_000)  # a half: a quarter of all too much
    assert spare(floor) == 25_000
    floor.withdraw(ANN, USD, 100_000)  # all of it: three quarters
    assert floor.happened(events.WITHDRAWAL_RESERVED)
    assert spare(floor) == 37_500


def test_collateral_of_a_group_above_an_amount(floor):
    open_venue(floor, FREE, people=2, purse=100_000)
    coins(floor, excess(above=50_000, rate=PPM, group=4), excess(above=80_000, group=4))
    floor.deposit(ANN, COIN, 60_000)
    assert spare(floor) == 10_000
    floor.deposit(ANN, COIN + 1, 30_000)
    # 90,000 of the group: of 40,000 too much two thirds are the first's, of 10,000 one third the second's, at a half.
    assert spare(floor) == 26_667 + 1_667


@pytest.mark.parametrize(("first", "share", "asks"), [(100_000, 300_000, 0), (0, 100_000, 1), (0, PPM, 0)])
def test_what_comes_hardly_asks_for_more_than_it_adds(floor, first, share, asks):
    """By one limit never; by several it may make the rest answer for more, by no more than it counts for itself."""
    open_venue(floor, FREE, people=2, purse=10_000)
    coins(floor, excess(share=first, rate=PPM, group=4), excess(share=share, rate=300_000, group=4))
    before, worse = floor.spare_to_open(ANN), 0
    for asset, amount in ((3, 50_000), (2, 1), (3, 7), (2, 70_000), (USD, 13), (3, 900_000)):
        floor.deposit(ANN, asset, amount)
        assert floor.spare_to_open(ANN) >= before - asks * amount - 2  # two parts are rounded up
        worse += int(floor.spare_to_open(ANN) < before - 2)
        before = floor.spare_to_open(ANN)
    assert bool(worse) == bool(asks)


def test_leaving_with_what_was_beside_it(floor):
    """Dollars that leave make what stays a larger share."""
    open_venue(floor, FREE, people=2, purse=100_000)
    coins(floor, excess(share=500_000, rate=PPM))
    floor.deposit(ANN, COIN, 100_000)
    floor.trade(ANN, BOB, 1, 900, 1_000)  # 90,000 to open
    assert floor.spare_to_open(ANN) == 110_000
    # Each dollar less is one less, and makes half a coin too many.
    (refused,) = floor.withdraw(ANN, USD, 73_334)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.withdraw(ANN, USD, 73_333)
    assert floor.happened(events.WITHDRAWAL_RESERVED)


@pytest.mark.parametrize("rate", [1, PPM])
def test_the_unit_of_account_is_never_too_much(floor, rate):
    told = floor.configure(ASSET, {key.A_EXCESS_PPM: rate})[0]
    assert (told["reason"], told["order"]) == (reject.PARAMETERS_DISAGREE, key.A_EXCESS_PPM)
