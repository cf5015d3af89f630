"""Contracts that are paid up, and loans for a fixed term: machine and twin agree with numbers worked out here."""

import pytest

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.orders import BACKSTOP, BY_RULE, INSURANCE, INVERSE, LENDER, POST_ONLY, REDUCE_ONLY, SPOT
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM

ANN, BOB, CAT, DAN = 7, 8, 9, 10
DAY = 24 * key.HOUR
TERM = 30 * DAY
UNIT_PRICE = 1_000  # what a lot pays at maturity, in ticks of ten atoms
LOAN = {
    key.M_FEED: 1, key.M_TICKS_MAX: 4_000, key.M_MARK_POLICY: 1, key.M_PRICE_BAND_PPM: PPM, key.M_MAKER_PPM: 0,
    key.M_TAKER_PPM: 1_000, key.M_FUNDING_INTERVAL_NS: 0, key.M_ATOMS_PER_TICK_LOT: 10, key.M_PAID: 1,
    key.M_SETTLE_PRICE: UNIT_PRICE, key.M_BRACKETS: 1, key.M_BRACKET_UPPER: 10**9, key.M_BRACKET_MAINTAIN_PPM: 50_000,
    key.M_BRACKET_OPEN_PPM: 100_000, key.M_LEVERAGE_DEFAULT: 100, key.M_RESTORE_PPM: PPM, key.M_SLIP_PPM: 20_000,
    key.M_LIQUIDATION_FEE_PPM: 0,
}  # fmt: skip


@pytest.fixture
def desk(floor):
    """Four people with 100,000 atoms each; a loan for 30 days at a mark of 950, and a perpetual beside it."""
    floor.configure(do.ASSET, {key.A_SUPPLY_MAX: 1 << 50, key.A_LOAN_CAP: 0})
    for _ in range(2):
        floor.configure(do.FEED, {key.F_STALENESS_NS: 90 * DAY})
    floor.maturity = floor.now + TERM
    floor.configure(do.MARKET, LOAN | {key.M_EXPIRY_NS: floor.maturity})
    perpetual = {key.M_PAID: 0, key.M_SETTLE_PRICE: 0, key.M_FEED: 2, key.M_TAKER_PPM: 0}
    floor.configure(do.MARKET, LOAN | perpetual)
    floor.price({1: 950, 2: 100})
    for owner in range(2, 6):
        floor.configure(do.OWNER, {key.O_STP: 1})
        floor.open_account(owner)
        floor.deposit(owner + 5, 1, 100_000)
    return floor


def refusal(floor):
    (told,) = floor.happened(events.REJECTED)
    return told["reason"]


def leg(floor, account, market=1):
    found = floor.twin.leg(account, floor.twin.markets[market].thing)
    return found.quantity, found.cost


def test_a_fill_pays_its_price_and_a_position_costs_nothing_afterwards(desk):
    desk.order(ANN, 1, -8, 950)
    desk.order(BOB, 1, 8, 950)
    taker, maker = desk.happened(events.FILL)
    assert (taker["amount"], maker["amount"]) == (-76_000, 76_000)
    assert (desk.cash(BOB), desk.cash(ANN)) == (100_000 - 76_000 - 76, 100_000 + 76_000)
    assert (leg(desk, BOB), leg(desk, ANN)) == ((8, 0), (-8, 0))
    assert desk.facts()["market"][1]["clearing"] == 0
    # A long counts value times its rate, a short its schedule on top of its value.
    assert desk.spare_to_keep(BOB) == 100_000 - 76 - 3_800
    assert desk.spare_to_keep(ANN) == 100_000 - 3_800
    desk.price({1: 900})
    assert desk.spare_to_keep(BOB) == 100_000 - 76 - 4_000 - 3_600
    assert desk.spare_to_keep(ANN) == 100_000 + 4_000 - 3_600


def test_a_loan_of_a_fixed_term_ends_with_the_unit_whatever_the_index_says(desk):
    desk.trade(BOB, ANN, 1, 8, 950)  # Bob lends 76,000 until maturity
    lender, borrower = desk.cash(BOB), desk.cash(ANN)
    desk.wait(TERM - DAY).price({1: 998})
    desk.wait(DAY).clock()
    (told,) = desk.happened(events.MARKET_SETTLED)
    assert (told["price"], told["reason"]) == (UNIT_PRICE, BY_RULE)
    assert (desk.cash(BOB), desk.cash(ANN)) == (lender + 80_000, borrower - 80_000)
    assert (leg(desk, BOB), leg(desk, ANN)) == ((0, 0), (0, 0))
    # (unit - price) / price over 30 days of 365.
    assert (UNIT_PRICE - 950) * 365 * PPM // (950 * 30) == 640_350


@pytest.mark.parametrize(("lots", "price", "options"), [(10, 1_000, 0), (10, 1_000, POST_ONLY), (11, 950, 0)])
def test_a_buy_needs_the_cash_and_not_only_the_margin(desk, lots, price, options):
    """10 x 1,000 x 10 are 100,000: with a fee too much, without one all there is."""
    desk.order(BOB, 1, lots, price, options=options)
    if options:
        assert desk.orders(BOB) == [(10, 1_000)]
        desk.withdraw(BOB, 1, 1)  # all of it is going to be spent
    assert refusal(desk) == reject.BALANCE_TOO_LOW


def test_all_resting_buys_spend_together(desk):
    desk.order(BOB, 1, 5, 1_000)
    desk.order(BOB, 1, 4, 1_000)
    desk.order(BOB, 1, 1, 1_000)
    assert refusal(desk) == reject.BALANCE_TOO_LOW  # 100,000 are held, 100,100 would be spent
    desk.order(BOB, 1, 1, 950)
    assert desk.orders(BOB) == [(5, 1_000), (4, 1_000), (1, 950)]
    desk.order(BOB, 1, -5, 1_100)  # a sale spends nothing
    assert desk.orders(BOB)[-1] == (-5, 1_100)


def test_a_resting_buy_whose_money_is_gone_is_closed_when_it_is_met(desk):
    desk.trade(BOB, CAT, 2, 50, 100)  # a perpetual
    desk.order(BOB, 1, 10, 950)
    desk.price({2: 80})
    desk.order(BOB, 2, -50, 80)
    desk.order(CAT, 2, 50, 80)  # Bob has realised a loss of 10,000
    assert desk.cash(BOB) == 90_000
    desk.order(ANN, 1, -10, 950)
    (closed,) = desk.happened(events.ORDER_CLOSED)
    assert (closed["account"], closed["reason"]) == (BOB, events.CLOSED_MAINTENANCE)
    assert desk.happened(events.FILL) == []


def test_buying_back_by_a_reduce_only_order_may_use_what_is_not_there(desk):
    """Like a realised loss: the account is healthy, a profit is worth what its cash is short of."""
    desk.configure(do.ASSET, {key.A_LOAN_CAP: 10**6}, 1)
    desk.trade(ANN, CAT, 2, 50, 100)
    desk.trade(BOB, ANN, 1, 8, 950)
    desk.price({1: 1_080, 2: 140})
    desk.withdraw(ANN, 1, 92_000)
    assert desk.cash(ANN) == 83_924
    desk.order(CAT, 1, -1, 1_080)
    desk.order(BOB, 1, -7, 1_080)
    desk.order(ANN, 1, 8, 1_080)
    assert refusal(desk) == reject.BALANCE_TOO_LOW
    desk.order(ANN, 1, 8, 1_080, options=REDUCE_ONLY)
    assert desk.cash(ANN) == 83_924 - 86_400 - 87 and leg(desk, ANN) == (0, 0)


def test_a_borrower_in_default_is_closed_and_the_holders_bear_what_nobody_pays(desk):
    desk.trade(BOB, ANN, 1, 8, 950)
    desk.withdraw(ANN, 1, 176_000 - 76_000 - 8_000)
    assert desk.spare_to_keep(ANN) > 0
    assert not desk.facts()["account"][ANN]["queued"]
    owned = desk.cash(ANN)
    desk.price({1: 1_100})  # the claims are worth 88,000, Ann has 84,000
    assert desk.happened(events.LIQUIDATION_STARTED)
    (told,) = desk.happened(events.DELEVERAGED)
    assert (told["other"], told["amount"]) == (BOB, -owned)
    assert desk.cash(ANN) == 0 and leg(desk, ANN) == (0, 0)
    assert desk.cash(BOB) == 100_000 - 76_000 + owned  # he lent 76,000, and is paid all there is


def test_a_claim_of_a_bankrupt_account_is_sold_at_the_market_and_owes_nothing(desk):
    desk.deposit(INSURANCE, 1, 5_000)
    desk.trade(BOB, ANN, 1, 8, 950)
    desk.trade(BOB, CAT, 2, 100, 100)
    desk.order(DAN, 1, 8, 940)
    paid = desk.cash(INSURANCE)
    desk.price({2: 10})  # Bob has 24,000 in cash, a claim of 76,000, and lost 90,000 with the perpetual
    desk.price({1: 600, 2: 1})  # now he is bankrupt
    for _ in range(4):
        desk.wait(60 * key.SECOND).clock()
    assert leg(desk, BOB) == (0, 0)
    assert leg(desk, DAN)[0] in (0, 8)
    assert desk.cash(INSURANCE) <= paid


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({key.M_KIND: INVERSE, key.M_ATOMS_PER_TICK_LOT: 10**6}, key.M_PAID),
        ({key.M_FUNDING_INTERVAL_NS: key.HOUR}, key.M_FUNDING_INTERVAL_NS),
        ({key.M_EXPIRY_NS: 0}, key.M_SETTLE_PRICE),
        ({key.M_SETTLE_PRICE: 4_001}, key.M_SETTLE_PRICE),
        ({key.M_SETTLE_PRICE: 9, key.M_TICKS_MIN: 10}, key.M_SETTLE_PRICE),
    ],
)
def test_what_disagrees(desk, settings, wrong):
    desk.configure(do.FEED, {key.F_QUORUM: 1})
    desk.configure(do.MARKET, LOAN | {key.M_FEED: 3, key.M_EXPIRY_NS: desk.maturity} | settings)
    (told,) = desk.happened(events.REJECTED)
    assert (told["reason"], told["order"]) == (reject.PARAMETERS_DISAGREE, wrong)


def test_what_is_paid_up_settles_in_the_unit_of_account(desk):
    """Cash that counts for less than it is worth would take the place of a claim that counts for more."""
    desk.configure(do.FEED, {key.F_QUORUM: 1})
    desk.configure(do.ASSET, {key.A_FEED: 3, key.A_SUPPLY_MAX: 1 << 40})
    desk.configure(do.MARKET, LOAN | {key.M_FEED: 3, key.M_SETTLE: 2, key.M_EXPIRY_NS: desk.maturity})
    (told,) = desk.happened(events.REJECTED)
    assert (told["reason"], told["order"]) == (reject.PARAMETERS_DISAGREE, key.M_PAID)


def test_a_pair_is_not_paid_up(desk):
    desk.configure(do.FEED, {key.F_QUORUM: 1})
    desk.configure(do.ASSET, {key.A_FEED: 3, key.A_SUPPLY_MAX: 1 << 40})
    pair = {key.M_KIND: SPOT, key.M_BASE: 2, key.M_FEED: 0, key.M_EXPIRY_NS: 0, key.M_SETTLE_PRICE: 0}
    desk.configure(do.MARKET, LOAN | pair)
    (told,) = desk.happened(events.REJECTED)
    assert (told["reason"], told["order"]) == (reject.PARAMETERS_DISAGREE, key.M_PAID)


def test_nobody_holds_it_alone(desk):
    desk.isolate(ANN, 1)
    assert refusal(desk) == reject.MARKET_IS_NOT_ISOLATED


def test_the_backstop_pays_for_a_claim_what_it_takes_it_over_for(desk):
    """Without bids a bankrupt account's claim goes to the backstop at the mark."""
    desk.configure(do.MARKET, {key.M_BACKSTOP_LOTS_MAX: 100}, 1)
    desk.deposit(BACKSTOP, 1, 10**6)
    desk.trade(BOB, ANN, 1, 8, 950)
    desk.trade(BOB, CAT, 2, 100, 100)
    desk.price({1: 900, 2: 1})  # 23,924 in cash and 72,000 in the claim do not pay for 99,000
    taken = [each for each in desk.happened(events.TAKEN_OVER) if each["market"] == 1]
    assert [(each["account"], each["lots"], each["amount"]) for each in taken] == [(BOB, 8, 72_000)]
    assert desk.cash(BACKSTOP) == 10**6 - 72_000


def test_what_a_first_sale_brings_is_counted_once_where_it_repays_a_debt(desk):
    """Cash that meets a debt makes certificates anew, with it in them: after each command they are compared."""
    coin = {key.A_FEED: 3, key.A_SUPPLY_MAX: 1 << 40}
    desk.configure(do.FEED, {key.F_QUORUM: 1})
    desk.configure(do.ASSET, coin)
    desk.configure(do.ASSET, {key.A_LOAN_CAP: 1_000}, row=1)
    desk.price({3: ASSET_PRICE_SCALE})
    desk.deposit(LENDER, 1, 10_000)
    desk.configure(do.OWNER, {key.O_STP: 1})
    desk.open_account(6)
    eve = 11
    desk.deposit(eve, 2, 2_000)
    desk.borrow(eve, 1, 1)
    desk.price({1: 951})
    desk.order(BOB, 1, 8, 950)
    desk.order(eve, 1, -1, 950)
    assert (desk.cash(eve), leg(desk, eve)) == (9_500 - 1 - 10, (-1, 0))
