"""What lots are worth at a price, with numbers worked out by hand, and what follows from it by substitution."""

from fractions import Fraction
from random import Random

import numba
import pytest

from steelyard.model import keys as key
from steelyard.model.orders import INVERSE, LINEAR
from steelyard.num.limits import INDEX_SCALE
from steelyard.rules import funding, sizing, worth
from steelyard.state.tables import Limits, State

COFFEE, BITCOIN = 1, 2
TINY = Limits(
    assets=1, feeds=1, markets=2, risk_tiers=1, owners=1, accounts=6, legs=2, orders=1, references=1,
    recent_client_ids=1, ladder_ticks=64,
)  # fmt: skip


@pytest.fixture(scope="module")
def state():
    """Coffee: 7 atoms per tick and lot. Bitcoin: a dollar a lot, half-dollar ticks, eight decimals."""
    state = State(TINY)
    for market, kind, scale, low, high in (
        (COFFEE, LINEAR, 7, 1, 5_000),
        (BITCOIN, INVERSE, 2 * 10**8, 1_000, 400_000),
    ):
        rule = state.market_rule[market]
        rule[key.M_KIND], rule[key.M_ATOMS_PER_TICK_LOT] = kind, scale
        rule[key.M_TICKS_MIN], rule[key.M_TICKS_MAX] = low, high
        state.market.scale[market] = -1 if kind == INVERSE else scale
    return state


@pytest.fixture(scope="module")
def rules(state):
    """Kernels as Python can call them."""
    handle = state.handle
    value, locked, lot_up, lot = worth.worth, worth.inverse_locked_in, worth.inverse_lot_up, worth.lot_worth
    lost, gap = worth.lost_at_worse_end, worth.index_gap
    bankrupt, average = sizing.bankruptcy_price, funding.average_price
    calls = {
        "worth": numba.njit(lambda s, market, lots, price: value(s, market, lots, price)),
        "locked_in": numba.njit(lambda s, market, side, price: locked(s, market, side, price)),
        "lot_up": numba.njit(lambda s, market, price: lot_up(s, market, price)),
        "lot_worth": numba.njit(lambda s, market, price: lot(s, market, price)),
        "bankruptcy": numba.njit(lambda s, market, lots, cash: bankrupt(s, market, lots, cash)),
        "lost": numba.njit(lambda s, market, lots: lost(s, market, lots)),
        "gap": numba.njit(lambda s, market: gap(s, market)),
        "average": numba.njit(lambda s, market, lots, atoms, up: average(s, market, lots, atoms, up)),
    }
    return {name: lambda *args, call=call: int(call(handle, *args)) for name, call in calls.items()}


@pytest.mark.parametrize(
    ("market", "lots", "price", "atoms"),
    [
        (COFFEE, 3, 100, 2_100),
        (COFFEE, -3, 100, -2_100),
        (COFFEE, 0, 100, 0),
        (BITCOIN, 1, 120_000, -1_666),  # a dollar at 60,000: 1,666.67 satoshi
        (BITCOIN, -1, 120_000, 1_666),
        (BITCOIN, 3, 120_000, -5_000),
        (BITCOIN, 60_000, 120_000, -100_000_000),
        (BITCOIN, -(1 << 40), 400_000, 549_755_813_888_000),
        (BITCOIN, (1 << 45) + 1, 1_000, -(((1 << 45) + 1) * 200_000)),  # a product of two words
        (BITCOIN, 5, 0, 0),  # before there is a price
    ],
)
def test_worth(rules, market, lots, price, atoms):
    assert rules["worth"](market, lots, price) == atoms


def test_both_sides_of_a_trade_book_the_same_and_more_lots_are_never_worth_less(rules):
    random = Random(5)
    for _ in range(500):
        lots, price = random.randint(1, 1 << random.randint(1, 40)), random.randint(1_000, 400_000)
        paid = rules["worth"](BITCOIN, lots, price)
        assert paid == -rules["worth"](BITCOIN, -lots, price) == -(lots * 2 * 10**8 // price)
        assert rules["worth"](BITCOIN, lots + 1, price) <= paid
        # The worth of a lot, in index units, is that of all to an atom and a unit for each.
        by_lot = lots * rules["lot_worth"](BITCOIN, price)
        assert by_lot <= lots * 2 * 10**8 * INDEX_SCALE // price <= by_lot + lots


def unrounded(market, lots, price):
    return Fraction(-lots * 2 * 10**8, price) if market == BITCOIN else lots * price * 7


@pytest.mark.parametrize("market", [COFFEE, BITCOIN])
def test_at_the_bankruptcy_price_closing_brings_what_it_must_and_a_tick_beyond_it_does_not(state, rules, market):
    low, high = (int(state.market_rule[market, each]) for each in (key.M_TICKS_MIN, key.M_TICKS_MAX))
    random, inside = Random(7), 0
    for _ in range(2_000):
        lots = random.choice((1, -1)) * random.randint(1, 1 << random.randint(1, 36))
        mark = random.randint(low, high)
        cash = rules["worth"](market, lots, mark) - random.randint(0, abs(rules["worth"](market, lots, mark)))
        price, beyond = rules["bankruptcy"](market, lots, cash), -1 if lots > 0 else 1
        assert low <= price <= high
        if low < price < high:
            inside += 1
            assert rules["worth"](market, lots, price) >= cash > unrounded(market, lots, price + beyond)
    assert inside > 500


def test_no_price_is_too_high_for_a_short_that_owns_more_than_it_owes(rules):
    assert rules["bankruptcy"](BITCOIN, -60_000, 100_000_000) == 120_000
    assert rules["bankruptcy"](BITCOIN, -60_000, 0) == 400_000
    assert rules["bankruptcy"](BITCOIN, -60_000, -1) == 400_000
    assert rules["bankruptcy"](BITCOIN, 60_000, -100_000_000) == 120_000
    assert rules["bankruptcy"](BITCOIN, 60_000, 0) == 400_000  # nor for a long whose debt exceeds its position


def test_what_an_order_locks_in_covers_its_fills_however_they_come(state, rules):
    """Reserved per lot and rounded up: against the mark, no fill loses more."""
    random = Random(11)
    for _ in range(500):
        mark, price, side = random.randint(1_000, 400_000), random.randint(1_000, 400_000), random.choice((1, -1))
        state.market.mark[BITCOIN] = mark
        lots, reserve = random.randint(1, 10**6), rules["locked_in"](BITCOIN, side, price)
        lost = rules["worth"](BITCOIN, side * lots, price) - rules["worth"](BITCOIN, side * lots, mark)
        assert lost <= lots * reserve
        assert reserve == max(0, -(-side * (price - mark) * 2 * 10**8 // (price * mark)))
        assert rules["lot_up"](BITCOIN, price) == -(-2 * 10**8 // price)
    state.market.mark[BITCOIN] = 0


def test_the_average_price_of_a_sample(rules):
    """Half the dollars at 60,000 and half at 30,000 are at 40,000 together."""
    atoms = abs(rules["worth"](BITCOIN, 600, 120_000)) + abs(rules["worth"](BITCOIN, 600, 60_000))
    assert rules["average"](BITCOIN, 1_200, atoms, 1) == 80_000 * INDEX_SCALE
    assert rules["average"](BITCOIN, 1_200, atoms + 1, 0) < 80_000 * INDEX_SCALE
    assert rules["average"](COFFEE, 2, 7 * 201, 0) == 201 * INDEX_SCALE // 2


def set_interval(state, market, index, below, above):
    table = state.market
    table.index[market], table.below[market], table.above[market] = index, below, above


@pytest.mark.parametrize(
    ("market", "lots", "atoms", "a_lot"),
    [
        (COFFEE, 3, 3 * 20_000 * 7, 60_000 * 7),
        (COFFEE, -3, 3 * 60_000 * 7, 60_000 * 7),
        (BITCOIN, 60_000, 20_000_000, 556),  # from one bitcoin owed to 1.2: 333.33 satoshi a lot ...
        (BITCOIN, -60_000, 33_333_334, 556),  # ... and from one to 0.67, rounded down when it is owed to the short
        (BITCOIN, 1, 334, 556),
        (BITCOIN, -1, 555, 556),
    ],
)
def test_what_lots_lose_at_the_worse_end_of_an_interval(state, rules, market, lots, atoms, a_lot):
    set_interval(state, market, 120_000, 20_000, 60_000)
    assert (rules["lost"](market, lots), rules["gap"](market)) == (atoms, a_lot)
    set_interval(state, market, 120_000, 0, 0)
    assert (rules["lost"](market, lots), rules["gap"](market)) == (0, 0)


def test_no_lots_lose_more_than_the_gap_of_each(state, rules):
    random = Random(13)
    for _ in range(1_000):
        index = random.randint(1_000, 400_000)
        below, above = random.randint(0, index - 1_000), random.randint(0, index)
        set_interval(state, BITCOIN, index, below, above)
        lots, gap = random.choice((1, -1)) * random.randint(1, 10 ** random.randint(1, 9)), rules["gap"](BITCOIN)
        worse = index - below if lots > 0 else index + above
        lost = unrounded(BITCOIN, lots, index) - unrounded(BITCOIN, lots, worse)
        assert -1 < rules["lost"](BITCOIN, lots) - lost < 1
        assert 0 <= rules["lost"](BITCOIN, lots) <= abs(lots) * gap
        largest = max(
            2 * 10**8 * Fraction(away, index * end) for away, end in ((below, index - below), (above, index + above))
        )
        assert 0 <= gap - largest < 1
    set_interval(state, BITCOIN, 0, 0, 0)
