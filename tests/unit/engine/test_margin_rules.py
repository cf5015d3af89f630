"""Values that rules of margin and liquidation may have: machine and twin agree with numbers worked out here."""

import pytest

from steelyard.model import commands as do
from steelyard.model import events
from steelyard.model import keys as key
from steelyard.model.orders import FOR_OPEN, INSURANCE
from steelyard.num.limits import PPM

ANN, BOB, CAT = 7, 8, 9
HOUR = key.HOUR
USUAL = {
    key.M_FEED: 1, key.M_TICKS_MAX: 8_000, key.M_ATOMS_PER_TICK_LOT: 10, key.M_MARK_POLICY: 1, key.M_MAKER_PPM: 0,
    key.M_TAKER_PPM: 0, key.M_PRICE_BAND_PPM: PPM, key.M_FUNDING_INTERVAL_NS: 0, key.M_BRACKETS: 1,
    key.M_BRACKET_UPPER: 1 << 50, key.M_BRACKET_MAINTAIN_PPM: 100_000, key.M_BRACKET_OPEN_PPM: 150_000,
    key.M_RESTORE_PPM: PPM, key.M_SLIP_PPM: 500_000, key.M_LIQUIDATION_FEE_PPM: 0, key.M_BACKSTOP_LOTS_MAX: 0,
    key.M_TAKEOVER_PPM: 0, key.M_LEVERAGE_DEFAULT: 10,
}  # fmt: skip


def open_market(floor, purse, **settings):
    """One market at 5,000 ticks; three people, Ann with a purse of her own."""
    floor.configure(do.ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    floor.configure(do.FEED, {key.F_STALENESS_NS: 48 * HOUR})
    floor.configure(do.MARKET, USUAL | {getattr(key, f"M_{name.upper()}"): value for name, value in settings.items()})
    floor.price({1: 5_000})
    for owner, atoms in enumerate((purse, 10**9, 10**9), 2):
        floor.configure(do.OWNER, {key.O_STP: 1})
        floor.open_account(owner)
        floor.deposit(owner + 5, 1, atoms)
    return floor


@pytest.mark.parametrize(
    ("side", "spread", "urgency", "ticks", "limit"),
    [
        # Ann holds 100 lots of 50,000 atoms and 750,000 atoms. At 4,700 she owns 450,000, required are 470,000.
        (1, 200_000, PPM, 4_700, 4_700 - (470_000 * 200_000 // PPM * 42_553 // PPM) // 1_000),
        (1, 200_000, 3 * PPM, 4_700, 4_700 - (470_000 * 200_000 // PPM * 127_659 // PPM) // 1_000),
        (1, PPM, 100 * PPM, 4_700, 4_250),  # all of it, which is more than she owns: the bankruptcy price
        (-1, 200_000, PPM, 5_300, 5_300 + (530_000 * 200_000 // PPM * 150_943 // PPM) // 1_000),
        (1, 0, PPM, 4_700, 4_250),  # without one, the whole way
    ],
)
def test_a_spread_on_what_is_required(floor, side, spread, urgency, ticks, limit):
    open_market(floor, 750_000, spread_ppm=spread, urgency_ppm=urgency, reach_ppm=PPM)
    floor.order(BOB, 1, -side * 100, 5_000)
    floor.order(ANN, 1, side * 100, 5_000)
    floor.price({1: ticks})
    (told,) = floor.happened(events.LIQUIDATION_ORDER)
    assert told["price"] == limit


@pytest.mark.parametrize(("side", "fee"), [(1, 27_000), (-1, 33_000)])
def test_the_fee_of_closing_is_part_of_the_opening_requirement(floor, side, fee):
    """1,000 lots are worth 50 millions, at a tenth of that: closed where it is gone, at 45 or at 55 millions."""
    open_market(floor, 10**9, closing_ppm=600, bracket_open_ppm=100_000)
    floor.order(ANN, 1, side * 1_000, 5_000)
    assert 10**9 - floor.spare_to_open(ANN) == 5 * 10**6 + fee
    floor.order(BOB, 1, -side * 1_000, 5_000)
    assert floor.cash(ANN) - floor.spare_to_open(ANN) == 5 * 10**6 + fee
    assert floor.spare(ANN, FOR_OPEN) < floor.spare_to_keep(ANN)


def test_it_never_asks_for_more_than_all(floor):
    open_market(floor, 10**9, closing_ppm=100_000, leverage_default=1)
    floor.order(ANN, 1, -1_000, 5_000)
    assert 10**9 - floor.spare_to_open(ANN) == 50 * 10**6


@pytest.mark.parametrize(("divisor", "rate"), [(1, 24_000_000), (24, 1_000_000), (7, 24_000_000 // 7)])
def test_a_premium_is_paid_over_some_intervals(floor, divisor, rate):
    hourly = {"funding_interval_ns": HOUR, "sample_interval_ns": HOUR, "interest_ppb": 0, "funding_clamp_ppb": 0}
    open_market(floor, 10**9, **hourly, funding_cap_ppb=100_000_000, impact_notional=1, premium_divisor=divisor)
    floor.order(BOB, 1, 10, 5_120)
    floor.order(BOB, 1, -10, 5_121)
    floor.now += HOUR - floor.now % HOUR
    floor.clock()
    (told,) = floor.happened(events.FUNDING_SET)
    assert told["amount"] == rate


@pytest.mark.parametrize(("fee", "paid"), [(5_000, 22_050), (25_000, 110_250), (99_999, 440_996)])
def test_a_bankrupt_account_whose_fill_was_better_pays_the_penalty(floor, fee, paid):
    """Short 100 lots, 100,000 atoms short of them at the mark: filled at 4,410 it owns 490,000."""
    open_market(floor, 900_000, liquidation_fee_ppm=fee)
    floor.deposit(INSURANCE, 1, 10**7)
    floor.price({1: 4_000})
    floor.order(BOB, 1, 100, 4_000)
    floor.order(ANN, 1, -100, 4_000)
    floor.order(CAT, 1, -100, 4_410)
    floor.price({1: 5_000})
    (order,) = floor.happened(events.LIQUIDATION_ORDER)
    assert order["extra"] == -100_000
    (told,) = floor.happened(events.LIQUIDATION_FEE)
    assert told["amount"] == paid == floor.cash(INSURANCE) - 10**7
    assert floor.cash(ANN) == 490_000 - paid


def test_nothing_is_taken_of_what_other_legs_owe(floor):
    """Its fill was better, and yet it owns nothing: no penalty."""
    open_market(floor, 900_000, liquidation_fee_ppm=5_000, bracket_maintain_ppm=1, bracket_open_ppm=2)
    floor.configure(do.FEED, {key.F_STALENESS_NS: 48 * HOUR})
    second = {key.M_FEED: 2, key.M_BRACKET_MAINTAIN_PPM: 1, key.M_BRACKET_OPEN_PPM: 2}
    floor.configure(do.MARKET, USUAL | second)
    floor.price({1: 4_000, 2: 4_000})
    for market in (1, 2):
        floor.order(BOB, market, 100, 4_000)
        floor.order(ANN, market, -100, 4_000)
    floor.order(CAT, 1, -100, 4_990)
    floor.deposit(INSURANCE, 1, 10**7)
    floor.price({1: 5_000, 2: 5_000})
    first = floor.happened(events.LIQUIDATION_ORDER)[0]
    assert first["market"] == 1 and first["extra"] < 0
    assert floor.happened(events.LIQUIDATION_FEE) == []
