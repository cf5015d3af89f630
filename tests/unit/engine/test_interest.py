"""Interest on loans, with numbers worked out by hand. See docs/concepts/borrowing.md."""

from tests.golden.stories import ANN, BOB, COIN, USD, open_venue

from steelyard.model import events
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import CONVERTER, LENDER
from steelyard.num.limits import ASSET_PRICE_SCALE, BORROW_SCALE

DAY = 24 * HOUR
RATES = {key.A_RATE_BASE_PPM: 20_000, key.A_RATE_SLOPE_PPM: 40_000, key.A_RATE_STEEP_PPM: 2_000_000}
DEBT = 10_345  # a loss and two fees


def lend(floor, rates=None, lent=2 * DEBT):
    """ANN owes dollars and has coins."""
    open_venue(floor, {}, people=2, purse=0)
    rates = {key.A_INTEREST_INTERVAL_NS: 30 * DAY, **RATES, **(rates or {})}
    floor.configure(ASSET, {key.A_LOAN_CAP: 1 << 40, **rates}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: 365 * DAY})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    floor.deposit(BOB, USD, 1_000_000)
    floor.deposit(ANN, COIN, 60_000)
    if lent:
        floor.deposit(LENDER, USD, lent)
    floor.trade(ANN, BOB, 1, 50, 1_000)
    floor.trade(BOB, ANN, 1, 50, 980)
    assert floor.cash(ANN) == -DEBT
    return floor


def asset(floor):
    return floor.facts()["asset"][USD]


def test_without_a_loan_nothing_accrues(floor):
    open_venue(floor, {}, people=2)
    floor.configure(ASSET, RATES, row=USD)
    floor.wait(10 * DAY).clock()
    assert asset(floor)["borrow_index"] == BORROW_SCALE
    assert floor.happened(events.INTEREST_SET) == []


def test_a_touch_settles_up_to_now(floor):
    """Half is lent, so the rate is 2 % + 4 % x 5/8 = 4.5 % a year: 1.28 dollars a day, rounded up."""
    lend(floor).wait(DAY)
    floor.deposit(ANN, USD, 1)
    (told,) = floor.happened(events.INTEREST_SET)
    assert (told["amount"], told["extra"], told["extra2"]) == (45_000, 1_000_123_287_672, DEBT)
    (paid,) = floor.happened(events.INTEREST_PAID)
    assert (paid["account"], paid["amount"], paid["other"]) == (ANN, 2, 1_000_123_287_672)
    assert floor.cash(ANN) == -DEBT - 2 + 1
    assert floor.cash(LENDER) == 2 * DEBT + 2
    floor.deposit(ANN, USD, 1)  # at the same instant once more
    assert floor.happened(events.INTEREST_PAID) == []
    assert floor.cash(ANN) == -DEBT - 2 + 2


def test_equity_counts_interest_once_it_has_accrued(floor):
    before = lend(floor, {key.A_INTEREST_INTERVAL_NS: HOUR}).spare_to_keep(ANN)
    floor.wait(30 * DAY).clock()
    assert floor.happened(events.INTEREST_PAID) == []
    assert floor.cash(ANN) == -DEBT
    assert before - floor.spare_to_keep(ANN) == 39  # 10,345 x 4.5 % x 30 / 365, a little more for its own interest, up


def test_all_that_is_lent_costs_the_steep_rate(floor):
    lend(floor, lent=0).wait(DAY)
    floor.deposit(ANN, USD, DEBT)
    assert [event["amount"] for event in floor.happened(events.INTEREST_SET)] == [2_060_000]
    assert floor.cash(ANN) == -floor.happened(events.INTEREST_PAID)[0]["amount"]


def test_new_rates_hold_from_now_on(floor):
    lend(floor).wait(DAY)
    floor.configure(ASSET, {key.A_RATE_BASE_PPM: 0, key.A_RATE_SLOPE_PPM: 0, key.A_RATE_STEEP_PPM: 0}, row=USD)
    assert [event["amount"] for event in floor.happened(events.INTEREST_SET)] == [45_000]
    floor.wait(DAY).deposit(ANN, USD, 1)
    assert floor.happened(events.INTEREST_SET) == []
    assert floor.happened(events.INTEREST_PAID)[0]["amount"] == 2


def test_a_debt_that_is_paid_back_is_forgotten(floor):
    lend(floor).wait(DAY)
    floor.deposit(ANN, USD, DEBT + 2)
    assert floor.cash(ANN) == 0
    row = asset(floor)
    assert (row["loans"], row["owed"]) == (0, 0)
    floor.wait(DAY).clock()
    assert asset(floor)["borrow_index"] == row["borrow_index"]


def test_whom_interest_alone_makes_unhealthy_is_found(floor):
    """Nobody touches the account: the debt grows by a hundredth a day until the coins are worth less."""
    lend(floor, {key.A_RATE_BASE_PPM: 3_650_000, key.A_INTEREST_INTERVAL_NS: HOUR})
    floor.withdraw(ANN, COIN, 60_000 - 1_100)
    assert floor.happened(events.WITHDRAWAL_RESERVED)
    for _ in range(40):
        floor.wait(DAY).clock()
        assert floor.both.machine.unhealthy() == []
        if floor.happened(events.LIQUIDATION_STARTED):
            break
    else:
        raise AssertionError("interest made nobody unhealthy")
    assert 0 < floor.both.machine.state.account.queued[ANN]


def test_who_asks_often_does_not_stop_the_interest(floor):
    """A touch each centisecond for two seconds: no growth is rounded away, and hardly any is rounded up."""
    lend(floor, {key.A_RATE_BASE_PPM: 1_000_000})
    for _ in range(200):
        floor.wait(SECOND // 100)
        floor.transfer(BOB, LENDER, USD, 1)
    grown = asset(floor)["borrow_index"] - BORROW_SCALE
    whole = BORROW_SCALE * 1_025_000 * 2 // (10**6 * 365 * 86_400)
    assert whole <= grown < whole * 1_001 // 1_000


def test_small_debts_are_not_rounded_away_by_accruing_often(make_floor):
    """30 dollars at 500 % a year for ten days, of which the house keeps half: 4 dollars, hour by hour or at once."""
    told = []
    for interval in (HOUR, 30 * DAY):
        floor = make_floor()
        floor.wait(30 * DAY - floor.now % (30 * DAY))
        open_venue(floor, {}, people=1, purse=0)
        rates = {key.A_RATE_BASE_PPM: 5_000_000, key.A_INTEREST_INTERVAL_NS: interval, key.A_RESERVE_PPM: 500_000}
        floor.configure(ASSET, {key.A_LOAN_CAP: 1_000, **rates}, row=USD)
        floor.configure(FEED, {key.F_STALENESS_NS: 365 * DAY})
        tier = {key.A_TIER_OPEN_PPM: 900_000, key.A_TIER_MAINTAIN_PPM: 950_000}
        floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **tier})
        floor.price({2: 12 * ASSET_PRICE_SCALE})
        floor.deposit(ANN, COIN, 1_000)
        floor.deposit(LENDER, USD, 1_000)
        floor.borrow(ANN, USD, 30)
        floor.wait(10 * DAY).clock()
        floor.transfer(ANN, LENDER, COIN, 1)  # nothing of what is owed
        row = asset(floor)
        floor.configure(ASSET, {key.A_RESERVE_PPM: 0}, row=USD)  # accrues
        told.append((asset(floor)["borrow_index"], asset(floor)["owed"], asset(floor)["reserve"]))
        assert row["loans"] == 30
    often, once = told
    assert once == (BORROW_SCALE + -(-BORROW_SCALE * 50 // 365), 34, 2)
    assert often[0] > once[0] and often[1:] >= once[1:]


def test_interest_above_the_cap_looks_for_collateral(floor):
    lend(floor, {key.A_RATE_BASE_PPM: 10_000_000})
    floor.configure(ASSET, {key.A_LOAN_CAP: DEBT}, row=USD)
    floor.deposit(CONVERTER, USD, 100_000)
    floor.wait(2 * DAY)
    floor.deposit(ANN, USD, 1)
    assert [event["account"] for event in floor.happened(events.CONVERTED)] == [ANN]
    assert floor.cash(ANN) == 0


def test_collateral_that_waits_costs_nothing_each_time_it_is_looked_at(floor):
    """The converter has nothing: nobody is charged the rounding of a settlement that brings nothing."""
    lend(floor)
    floor.configure(ASSET, {key.A_LOAN_CAP: 0, key.A_RAMP_NS: 60 * SECOND}, row=USD)
    floor.wait(60 * SECOND).clock()
    floor.configure(FEED, {key.F_STALENESS_NS: SECOND}, row=2)
    for _ in range(20):
        floor.wait(2 * SECOND).price({2: 12 * ASSET_PRICE_SCALE})
    assert floor.cash(ANN) == -DEBT
    assert floor.both.machine.unhealthy() == []
