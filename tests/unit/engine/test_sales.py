"""Collateral sold through a spot book: limit, size, slices, fee, both ways round, and what leaves it alone."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, USD
from tests.unit.engine.test_offers import bank, bid, coins, line, offer  # noqa: F401

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE, MARKET
from steelyard.model.keys import SECOND
from steelyard.model.orders import (
    CONVERTER,
    FOR_BOOK,
    GIVES_PRICE,
    HALTED,
    INSURANCE,
    OF_LTV,
    OF_TIME,
    SPOT,
    TAKE_ALL,
    TAKE_WHOLE,
)

MINUTE = 60 * SECOND
COINS = 2  # the market
LOT = 10  # coins
PAIR = {key.M_KIND: SPOT, key.M_FEED: 0, key.M_SETTLE: USD, key.M_BASE: COIN}
PAIR |= {key.M_LOT_ATOMS: LOT, key.M_ATOMS_PER_TICK_LOT: 1}
PAIR |= {key.M_TICKS_MAX: 4_000, key.M_ORDER_LOTS_MAX: 5_000, key.M_POSITION_LOTS_MAX: 5_000}
PAIR |= {key.M_FUNDING_INTERVAL_NS: 0, key.M_MARK_POLICY: 1, key.M_SLICE_NOTIONAL: 1 << 40}
PAIR |= {key.M_PRICE_BAND_PPM: 500_000, key.M_COOLDOWN_NS: 7 * SECOND}


@pytest.fixture
def market(bank):  # noqa: F811
    """ANN owes 19,000 dollars on 2,000 coins; ten coins are a lot, a dollar a tick."""
    bank.configure(MARKET, PAIR)
    coins(bank, 12)
    return bank


def through_book(floor, curve=None, **terms):
    offer(floor, curve, **({"taker": FOR_BOOK, "lasts_ns": MINUTE} | terms))


def bids(floor, *levels):
    """BOB wants so many lots at each price."""
    for price, lots in levels:
        floor.order(BOB, COINS, lots, price)


def orders(floor):
    """(side, lots, limit) of each order of the last command."""
    return [(each["side"], each["lots"], each["price"]) for each in floor.happened(events.COLLATERAL_ORDER)]


def fills(floor):
    """(lots, price) of what the account in liquidation sold or bought."""
    flag = events.FILL_LIQUIDATION
    mine = [each for each in floor.happened(events.FILL) if each["account"] == ANN and each["options"] & flag]
    return [(each["lots"], each["price"]) for each in mine]


def test_it_sells_what_restores_at_no_less_than_the_curve(market):
    """A bonus of 5 % asks for 1,905 coins' worth for 2,000: up(20,003 / 200) = 101 dollars a lot.

    d lots at 101 free 10.5 d of requirement, and cost 4 d and a fee of 0.2 %: 100 / 6.3 is 16.
    """
    through_book(market)
    bids(market, (104, 10), (102, 3), (100, 50))
    coins(market, 10.5)
    assert orders(market) == [(-1, 16, 101)]
    assert fills(market) == [(10, 104), (3, 102)]
    (order,) = market.happened(events.COLLATERAL_ORDER)
    told = [order[each] for each in ("extra", "fee", "amount", "extra2", "other", "reason")]
    assert told == [2_000, 2_100, 50_000, 189, 105, 1]  # all: 189 lots pay the debt at 101
    # 1,346 dollars, and 2.69 of them to the insurance fund, rounded up.
    assert [each["amount"] for each in market.happened(events.LIQUIDATION_FEE)] == [3]
    assert (market.cash(ANN), market.cash(ANN, COIN)) == (-19_000 + 1_346 - 3, 2_000 - 130)
    assert market.cash(BOB, COIN) == 130
    assert market.cash(INSURANCE) == 3
    assert market.spare_to_keep(ANN) >= 0  # the better prices were enough
    assert market.happened(events.LIQUIDATION_ENDED)


def test_what_is_not_sold_waits_for_the_next_slice(market):
    """It cools down for M_COOLDOWN_NS; bidders get no offer meanwhile."""
    through_book(market)
    coins(market, 10.5)
    assert orders(market) == [(-1, 16, 101)] and fills(market) == []
    assert bid(market, CAT, 1_000) == [reject.NO_OFFER]
    bids(market, (101, 50))
    market.wait(7 * SECOND - 1).clock()
    assert orders(market) == []
    market.wait(1).clock()
    assert orders(market) == [(-1, 16, 101)] and fills(market) == [(16, 101)]
    assert market.spare_to_keep(ANN) >= 0


def test_large_sales_are_sliced(market):
    """A tenth of 189 lots, of a notional above 19,000."""
    market.configure(MARKET, {key.M_SLICE_NOTIONAL: 19_000, key.M_SLICE_PPM: 100_000}, row=COINS)
    through_book(market, size=TAKE_ALL)
    bids(market, (101, 450))
    coins(market, 10.5)
    assert orders(market) == [(-1, 18, 101)]
    assert market.happened(events.LIQUIDATION_ENDED)


def test_a_sale_that_takes_all_pays_the_debt(market):
    market.configure(MARKET, {key.M_LIQUIDATION_FEE_PPM: 0}, row=COINS)
    through_book(market, size=TAKE_ALL)
    bids(market, (101, 450))
    coins(market, 10.5)
    assert fills(market) == [(189, 101)]  # 188 lots bring 18,988
    assert (market.cash(ANN), market.cash(ANN, COIN)) == (89, 110)


def test_after_its_time_the_converter_comes(market):
    through_book(market)
    market.deposit(CONVERTER, USD, 50_000)
    coins(market, 10.5)
    market.wait(50 * SECOND).clock()
    assert not market.happened(events.CONVERTED)
    market.wait(11 * SECOND).clock()
    assert market.happened(events.CONVERTED) and not orders(market)


def test_a_pool_step_comes_before_the_book_and_bids_after(market):
    """A minute through the book, then bids."""
    market.configure(CURVE, line(50_000, 50_000))
    through_book(market, then=1)
    coins(market, 10.5)
    assert orders(market)
    market.wait(MINUTE).clock()
    assert not orders(market)
    assert bid(market, CAT, 1_000) == []


def test_it_buys_where_the_debt_is_the_base(market):
    """Coins owed on dollars: at a bonus of 5 % ten coins cost at most 157 dollars."""
    heavy = {key.A_LOAN_CAP: 30_000, key.A_BORROW_WEIGHT_PPM: 1_100_000, key.A_RAMP_NS: MINUTE}
    market.configure(ASSET, heavy, row=COIN)
    market.wait(2 * MINUTE).clock()
    market.deposit(ANN, USD, 19_000 + 16_000)
    market.withdraw(ANN, COIN, 2_000)
    market.deposit(4, COIN, 50_000)
    market.borrow(ANN, COIN, 1_000)
    step = {key.C_TAKER: FOR_BOOK, key.C_LASTS_NS: MINUTE, key.C_SIZE: TAKE_ALL}
    market.configure(CURVE, line(50_000, 50_000) | step)
    market.configure(ASSET, {key.A_OFFER: 1}, row=USD)
    market.deposit(BOB, COIN, 3_000)
    market.order(BOB, COINS, -50, 150)
    market.order(BOB, COINS, -200, 156)
    coins(market, 15)
    # E = 16,000 - 15,000 = 1,000 < 1,500; y = 5 %: 15,750 for a hundred lots, 157 ticks.
    assert orders(market) == [(1, 100, 157)]
    assert fills(market) == [(50, 150), (50, 156)]
    assert market.cash(ANN, COIN) == 0
    assert market.cash(ANN) == 16_000 - 50 * 150 - 50 * 156 - 31  # up(15,300 x 0.002)


def test_without_equity_nothing_is_sold_below_the_index(market):
    """E < 0: no bonus, and no fee."""
    through_book(market, size=TAKE_ALL)
    bids(market, (89, 50), (90, 50))
    coins(market, 9)
    assert orders(market) == [(-1, 200, 90)]
    assert fills(market) == [(50, 90)]
    assert not market.happened(events.LIQUIDATION_FEE)


def test_beyond_equity_the_curve_is_followed(market):
    through_book(market, size=TAKE_ALL, beyond=1)
    bids(market, (86, 50))
    coins(market, 9)
    assert orders(market) == [(-1, 200, 86)]  # up(1,905 x 9 / 200)
    assert fills(market) == [(50, 86)]


def test_a_price_curve_sets_the_limit(market):
    """The bidder pays 0.98: at least 103 a lot of 105."""
    through_book(market, line(980_000, 980_000), gives=GIVES_PRICE)
    coins(market, 10.5)
    ((side, _, limit),) = orders(market)
    assert (side, limit) == (-1, 103)  # up(0.98 x 105 = 102.9)


def test_the_fee_ends_where_equity_does(market):
    """All coins bring 10 dollars more than the debt, of which 0.49 % of 19,000 would leave nothing."""
    market.configure(MARKET, {key.M_LIQUIDATION_FEE_PPM: 4_900}, row=COINS)
    market.deposit(ANN, USD, 10)
    through_book(market, line(5_000, 5_000), size=TAKE_ALL, beyond=1)
    bids(market, (95, 450))
    coins(market, 9.54)
    assert fills(market) == [(200, 95)]
    (fee,) = market.happened(events.LIQUIDATION_FEE)
    assert fee["amount"] == 10
    assert (market.cash(ANN), market.cash(ANN, COIN)) == (0, 0)


@pytest.mark.parametrize("state", [HALTED, 0])
def test_a_halted_market_sells_nothing(market, state):
    through_book(market)
    market.configure(MARKET, {key.M_STATE: state}, row=COINS)
    coins(market, 10.5)
    assert bool(orders(market)) == (state == 0)


def test_frozen_coins_are_not_sold(market):
    through_book(market)
    market.configure(ASSET, {key.A_FROZEN: 1}, row=COIN)
    coins(market, 10.5)
    assert market.happened(events.LIQUIDATION_STARTED) and not orders(market)


def test_less_than_a_lot_is_left(market):
    market.configure(MARKET, PAIR | {key.M_LOT_ATOMS: 3_000})
    market.configure(MARKET, {key.M_STATE: HALTED}, row=COINS)
    through_book(market)
    coins(market, 10.5)
    assert market.happened(events.LIQUIDATION_STARTED) and not orders(market)


def test_an_owner_does_not_trade_with_himself(market):
    through_book(market)
    owner = market.twin.accounts[ANN].owner
    market.open_account(owner)
    other = len(market.twin.accounts)
    market.deposit(other, USD, 5_000)
    market.order(other, COINS, 10, 104)
    bids(market, (101, 50))
    coins(market, 10.5)
    assert fills(market) == [(16, 101)]
    assert [each["reason"] for each in market.happened(events.ORDER_CLOSED)] == [events.CLOSED_SELF_TRADE]


@pytest.mark.parametrize(
    ("terms", "wrong"),
    [
        ({}, None),
        ({"of": OF_TIME, "to": 10**9, "size": TAKE_ALL}, None),
        ({"of": OF_LTV}, None),
        ({"size": TAKE_WHOLE}, key.C_SIZE),
        ({"lasts_ns": 0}, key.C_LASTS_NS),
        ({"fee_ppm": 1}, key.C_FEE_PPM),
        ({"part": 1}, key.C_PART),
        ({"then": 2}, None),
        ({"then": 3}, key.C_THEN),
    ],
)
def test_what_a_step_for_the_book_must_say(market, terms, wrong):
    market.configure(CURVE, line(50_000, 50_000))
    wanted = line(50_000, 50_000) | {key.C_TAKER: FOR_BOOK, key.C_LASTS_NS: MINUTE}
    market.configure(CURVE, wanted | {getattr(key, f"C_{name.upper()}"): value for name, value in terms.items()})
    told = [(each["reason"], each["order"]) for each in market.happened(events.REJECTED)]
    assert told == ([(reject.PARAMETERS_DISAGREE, wrong)] if wrong is not None else [])
