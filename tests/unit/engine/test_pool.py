"""Lending pools, with numbers worked out by hand. See docs/concepts/pools.md."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, USD, open_venue

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED, MARKET
from steelyard.model.keys import HOUR
from steelyard.model.orders import AT_MOST, CONVERTER, INSURANCE, LENDER, MAY_BORROW, SPOT
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM

DAY = 24 * HOUR
COIN, SHARE = 2, 3
RATES = {key.A_RATE_BASE_PPM: 100_000, key.A_INTEREST_INTERVAL_NS: 30 * DAY, key.A_LOAN_CAP: 1 << 50}
PLEDGE = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}


def align(floor):
    """So that for thirty days nothing accrues of itself."""
    floor.wait(30 * DAY - floor.now % (30 * DAY))


def open_pool(floor, rates=RATES, share=PLEDGE):
    """Dollars are lent against coins at 12; ANN and BOB have 100,000 dollars each, CAT has 100,000 coins."""
    align(floor)
    open_venue(floor, {}, people=3, purse=0)
    floor.configure(ASSET, rates, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: 4_000 * DAY})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **PLEDGE})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    floor.configure(ASSET, {key.A_POOL_OF: USD, **share})
    assert not reasons(floor)
    for person in (ANN, BOB):
        floor.deposit(person, USD, 100_000)
    floor.deposit(CAT, COIN, 100_000)
    return floor


@pytest.fixture
def pool(floor):
    return open_pool(floor)


def reasons(floor):
    return [event["reason"] for event in floor.happened(events.REJECTED)]


def price(floor):
    return floor.facts()["asset"][SHARE]["price"]


# --- Supply and redeem ------------------------------------------------------------------------------------------------


def test_the_first_lender_gets_a_hundred_shares_for_an_atom(pool):
    pool.supply(ANN, USD, 60_000)
    (told,) = pool.happened(events.POOL_SUPPLIED)
    assert (told["account"], told["market"], told["other"]) == (ANN, USD, SHARE)
    assert (told["amount"], told["lots"]) == (60_000, 6_000_000)
    assert (pool.cash(ANN), pool.cash(ANN, SHARE), pool.cash(LENDER)) == (40_000, 6_000_000, 60_000)
    assert price(pool) == ASSET_PRICE_SCALE // 100
    # They count as collateral by weights of their own: 40,000 + 0.8 x 60,000.
    assert pool.spare_to_open(ANN) == 88_000


def test_who_supplied_may_redeem_all(pool):
    pool.supply(ANN, USD, 60_000)
    pool.redeem(ANN, SHARE, 2_000_001)
    (told,) = pool.happened(events.POOL_REDEEMED)
    assert (told["amount"], told["lots"]) == (20_000, 2_000_001)  # 20,000.01, down
    pool.redeem_all(ANN, SHARE)
    assert pool.happened(events.POOL_REDEEMED)[0]["lots"] == 3_999_999
    assert (pool.cash(ANN), pool.cash(ANN, SHARE), pool.cash(LENDER)) == (99_999, 0, 1)


def test_interest_is_the_lenders_by_their_shares(pool):
    """ANN lends 60,000 and BOB 20,000; CAT owes 40,000 for 36.5 days at 10 %: 400, of which ANN gets three quarters."""
    pool.supply(ANN, USD, 60_000)
    pool.supply(BOB, USD, 20_000)
    pool.borrow(CAT, USD, 40_000)
    assert not reasons(pool)
    pool.wait(30 * DAY).clock()
    pool.wait(6 * DAY + 12 * HOUR)
    pool.deposit(CAT, USD, 50_000)
    paid = sum(event["amount"] for event in pool.happened(events.INTEREST_PAID))
    assert paid == 401  # 400 and a little of its own interest, up
    pool.redeem_all(ANN, SHARE)
    assert pool.happened(events.POOL_REDEEMED)[0]["amount"] == 60_300  # 60,300.74
    pool.redeem_all(BOB, SHARE)
    assert pool.happened(events.POOL_REDEEMED)[0]["amount"] == 20_100
    assert pool.cash(LENDER) == 1  # nobody's


def test_interest_not_settled_yet_counts(pool):
    pool.supply(ANN, USD, 60_000)
    pool.borrow(CAT, USD, 30_000)
    pool.wait(29 * DAY)  # nothing has accrued when the next lender comes
    pool.supply(BOB, USD, 60_000)
    (told,) = pool.happened(events.POOL_SUPPLIED)
    grown = 30_000 * 100_000 // PPM * 29 // 365
    assert told["lots"] == 60_000 * (6_000_000 + 100) // (60_000 + grown + 1) == 5_976_294
    assert pool.happened(events.SHARE_PRICE_SET)


def test_parts_never_get_more_than_the_whole(make_floor):
    """And there and back is no gain."""
    floors = [open_pool(make_floor()) for _ in range(2)]
    for floor in floors:
        floor.supply(ANN, USD, 10_007)
        floor.borrow(CAT, USD, 9_999)
        floor.wait(20 * DAY).clock()
        floor.deposit(CAT, USD, 20_000)
    whole, parts = floors
    whole.supply(BOB, USD, 1_000)
    for _ in range(10):
        parts.supply(BOB, USD, 100)
    assert 0 < parts.cash(BOB, SHARE) <= whole.cash(BOB, SHARE)
    held = whole.cash(BOB, SHARE)
    whole.redeem(BOB, SHARE, held)
    for _ in range(9):
        parts.redeem(BOB, SHARE, parts.cash(BOB, SHARE) // 2)
    parts.redeem_all(BOB, SHARE)
    assert parts.cash(BOB) <= whole.cash(BOB) <= 100_000


def test_robbing_the_next_lender_costs_a_hundred_times_as_much(pool):
    """ANN lends 45, and pays the pool 39,000 of interest herself; then all her shares but a hundred go."""
    pool.configure(ASSET, {key.A_RATE_BASE_PPM: 10 * PPM, key.A_LOAN_CAP: 1 << 50}, row=USD)
    pool.supply(ANN, USD, 45)
    before = pool.cash(BOB)
    pool.borrow(CAT, USD, 45)  # CAT is hers too
    for _ in range(18):
        pool.wait(30 * DAY).clock()
    pool.transfer(ANN, CAT, USD, 99_000)
    assert pool.cash(LENDER) - 45 > 39_000
    pool.redeem(ANN, SHARE, 4_400)
    assert not reasons(pool) and pool.cash(ANN, SHARE) == 100
    left = pool.cash(LENDER)
    assert left > 1_900
    pool.supply(BOB, USD, 30_000)
    pool.redeem_all(BOB, SHARE)
    robbed = before - pool.cash(BOB)
    pool.redeem_all(ANN, SHARE)
    assert 0 <= robbed <= left // 100
    assert pool.cash(LENDER) >= left // 2 - robbed  # what is nobody's now was hers who made the shares dear


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"client0": 0}, reject.FIELD_OUT_OF_RANGE),
        ({"options": 1}, reject.FIELD_OUT_OF_RANGE),
        ({"account": 99}, reject.ACCOUNT_UNKNOWN),
        ({"account": LENDER}, reject.SAME_ACCOUNT),
        ({"market": 9}, reject.ASSET_UNKNOWN),
        ({"lots": 0}, reject.AMOUNT_MUST_BE_POSITIVE),
        ({"client0": 4}, reject.REFERENCE_REPEATED),
        ({"market": COIN}, reject.POOL_UNKNOWN),
        ({"market": SHARE}, reject.POOL_UNKNOWN),
        ({"lots": 70_001}, reject.POOL_CAP_EXCEEDED),
        ({"lots": 50_001}, reject.AMOUNT_EXCEEDS_LIMIT),
        ({"account": CAT}, reject.BALANCE_TOO_LOW),
        ({"lots": 50_000}, None),
    ],
)
def test_what_is_wrong_with_a_supply(floor, line, reason):
    open_pool(floor, share={key.A_SUPPLY_MAX: 5_000_000, **PLEDGE})
    floor.configure(ASSET, {key.A_POOL_MAX: 70_000}, row=USD)
    floor.say(do.SUPPLY, {"account": ANN, "market": USD, "lots": 100, "client0": 77} | line)
    assert reasons(floor) == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"client0": 0}, reject.FIELD_OUT_OF_RANGE),
        ({"options": AT_MOST + 1}, reject.FIELD_OUT_OF_RANGE),
        ({"account": LENDER}, reject.SAME_ACCOUNT),
        ({"market": 9}, reject.ASSET_UNKNOWN),
        ({"lots": -1}, reject.AMOUNT_MUST_BE_POSITIVE),
        ({"client0": 4}, reject.REFERENCE_REPEATED),
        ({"market": USD}, reject.POOL_UNKNOWN),
        ({"account": BOB}, reject.BALANCE_TOO_LOW),
        ({"account": BOB, "options": AT_MOST}, reject.BALANCE_TOO_LOW),
        ({"lots": 6_000_001}, reject.BALANCE_TOO_LOW),
        ({"lots": 99}, reject.AMOUNT_MUST_BE_POSITIVE),
        ({"lots": 2_000_100}, reject.COINS_ARE_LENT),
        ({"lots": 2_000_099}, None),
    ],
)
def test_what_is_wrong_with_a_redemption(pool, line, reason):
    pool.supply(ANN, USD, 60_000)
    pool.borrow(CAT, USD, 40_000)
    pool.say(do.REDEEM, {"account": ANN, "market": SHARE, "lots": 100, "client0": 77} | line)
    assert reasons(pool) == ([reason] if reason else [])


def test_shares_and_the_lenders_cash_move_by_supply_and_redeem_alone(pool):
    pool.supply(ANN, USD, 60_000)
    for say in (
        lambda: pool.deposit(ANN, SHARE, 1),
        lambda: pool.withdraw(ANN, SHARE, 1),
        lambda: pool.deposit(LENDER, USD, 1),
        lambda: pool.withdraw(LENDER, USD, 1),
        lambda: pool.transfer(LENDER, ANN, USD, 1),
        lambda: pool.transfer(ANN, LENDER, USD, 1),
    ):
        say()
        assert reasons(pool) == [reject.ONLY_BY_SUPPLY_OR_REDEEM]
    pool.transfer(ANN, BOB, SHARE, 1_000)
    pool.deposit(LENDER, COIN, 1)
    assert not reasons(pool)


def test_supply_and_redeem_keep_the_opening_requirement(floor):
    """Shares count for nothing here: who needs the dollars cannot lend them."""
    open_pool(floor, share={key.A_TIER_OPEN_PPM: 0, key.A_TIER_MAINTAIN_PPM: 0})
    floor.trade(ANN, BOB, 1, 50, 1_000)
    spare = floor.spare_to_open(ANN)
    assert 0 < spare < 99_000
    floor.supply(ANN, USD, spare + 1)
    assert reasons(floor) == [reject.OPENING_MARGIN_EXCEEDED]
    floor.supply(ANN, USD, spare)
    assert not reasons(floor)
    assert floor.spare_to_open(ANN) == 0


def test_coins_that_meet_a_debt_repay_it(pool):
    pool.supply(BOB, USD, 50_000)
    pool.transfer(BOB, CAT, SHARE, 2_500_000)
    pool.trade(CAT, BOB, 1, 50, 1_000)
    pool.trade(BOB, CAT, 1, 50, 980)
    debt = -pool.cash(CAT)  # of a loss: nobody asked for it
    pool.wait(DAY)
    pool.redeem_all(CAT, SHARE)
    (told,) = pool.happened(events.POOL_REDEEMED)
    (paid,) = pool.happened(events.INTEREST_PAID)
    assert pool.cash(CAT) == told["amount"] - debt - paid["amount"] > 0
    assert pool.facts()["asset"][USD]["loans"] == 0


# --- The row of shares ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({key.A_POOL_OF: 9}, key.A_POOL_OF),
        ({key.A_POOL_OF: 4}, key.A_POOL_OF),
        ({key.A_POOL_OF: SHARE}, key.A_POOL_OF),
        ({key.A_POOL_OF: USD}, key.A_POOL_OF),  # it has one
        ({key.A_POOL_OF: COIN, key.A_LOAN_CAP: 1}, key.A_LOAN_CAP),
        ({key.A_POOL_OF: COIN, key.A_FEED: 1}, key.A_FEED),
        ({key.A_FEED: 0}, key.A_FEED),
        ({key.A_POOL_OF: COIN}, None),
    ],
)
def test_what_a_share_may_be(make_floor, settings, wrong):
    floor = open_pool(make_floor(assets=4))
    floor.configure(ASSET, settings)
    refused = floor.happened(events.REJECTED)
    assert [event["order"] for event in refused] == ([] if wrong is None else [wrong])
    assert all(event["reason"] == reject.PARAMETERS_DISAGREE for event in refused)


def test_no_pair_has_shares(pool):
    pair = {key.M_KIND: SPOT, key.M_BASE: SHARE, key.M_FEED: 0, key.M_FUNDING_INTERVAL_NS: 0}
    pool.configure(MARKET, pair)
    assert [event["order"] for event in pool.happened(events.REJECTED)] == [key.M_BASE]


def test_nothing_settles_in_shares(pool):
    pool.configure(FEED, {key.F_QUORUM: 1})
    pool.configure(MARKET, {key.M_SETTLE: SHARE, key.M_FEED: 3})
    assert [event["order"] for event in pool.happened(events.REJECTED)] == [key.M_SETTLE]


def test_what_the_operator_lent_before_buys_the_first_shares(floor):
    open_venue(floor, {}, people=2, purse=0)
    floor.deposit(LENDER, USD, 1_000)
    floor.configure(FEED, {key.F_QUORUM: 1})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40})
    floor.configure(ASSET, {key.A_POOL_OF: USD, key.A_SUPPLY_MAX: 99_999})
    assert [event["order"] for event in floor.happened(events.REJECTED)] == [key.A_SUPPLY_MAX]
    floor.configure(ASSET, {key.A_POOL_OF: USD, key.A_SUPPLY_MAX: 100_000})
    (told,) = floor.happened(events.POOL_SUPPLIED)
    assert (told["account"], told["amount"], told["lots"]) == (LENDER, 1_000, 100_000)
    floor.transfer(LENDER, ANN, SHARE, 50_000)
    floor.redeem_all(ANN, SHARE)
    assert (floor.cash(ANN), floor.cash(LENDER), floor.cash(LENDER, SHARE)) == (500, 500, 50_000)


def test_a_share_costs_what_its_coins_cost_and_is_as_fresh(make_floor):
    floor = open_pool(make_floor(assets=4))
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR}, row=2)
    floor.configure(ASSET, {key.A_POOL_OF: COIN, **PLEDGE})
    assert floor.happened(events.SHARE_PRICE_SET)[0]["price"] == 12 * ASSET_PRICE_SCALE // 100
    floor.supply(CAT, COIN, 1_000)
    floor.price({2: 15 * ASSET_PRICE_SCALE})
    (told,) = floor.happened(events.SHARE_PRICE_SET)
    assert (told["market"], told["price"]) == (4, 15 * ASSET_PRICE_SCALE // 100)
    assert (told["amount"], told["lots"]) == (1_000, 100_000)
    floor.wait(2 * HOUR).clock()
    assert floor.spare_to_open(CAT) == 0  # both are stale, and open nothing


# --- What the house keeps ---------------------------------------------------------------------------------------------


def test_the_reserve_goes_to_the_insurance_fund_when_interest_settles(floor):
    open_pool(floor, RATES | {key.A_RESERVE_PPM: 150_000})
    floor.supply(ANN, USD, 60_000)
    floor.borrow(CAT, USD, 50_000)
    floor.wait(29 * DAY + 4 * HOUR + 48 * 60 * key.SECOND)  # 0.08 of a year
    floor.deposit(CAT, USD, 10_000)
    (paid,) = floor.happened(events.INTEREST_PAID)
    assert (paid["amount"], paid["fee"]) == (400, 60)
    assert (floor.cash(INSURANCE), floor.cash(LENDER)) == (60, 60_340)


def test_the_reserve_is_that_of_its_time(floor):
    open_pool(floor, RATES | {key.A_RESERVE_PPM: 500_000})
    floor.supply(ANN, USD, 60_000)
    floor.borrow(CAT, USD, 50_000)
    floor.wait(29 * DAY + 4 * HOUR + 48 * 60 * key.SECOND)
    before = price(floor)
    floor.configure(ASSET, {key.A_RESERVE_PPM: 0}, row=USD)
    assert floor.facts()["asset"][USD]["reserve"] == 200
    floor.configure(ASSET, {key.A_RESERVE_PPM: PPM}, row=USD)
    assert price(floor) > before
    floor.deposit(CAT, USD, 10_000)
    assert floor.happened(events.INTEREST_PAID)[0]["fee"] == 200


def test_a_reserve_needs_no_pool(floor):
    align(floor)
    open_venue(floor, {}, people=2, purse=0)
    floor.configure(ASSET, RATES | {key.A_RESERVE_PPM: PPM}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: 4_000 * DAY})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **PLEDGE})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    floor.deposit(LENDER, USD, 60_000)
    floor.deposit(ANN, COIN, 100_000)
    floor.borrow(ANN, USD, 50_000)
    floor.wait(20 * DAY)
    floor.deposit(ANN, USD, 1)
    (paid,) = floor.happened(events.INTEREST_PAID)
    assert paid["fee"] == floor.cash(INSURANCE) == paid["amount"] - 1  # it rounds down
    assert floor.cash(LENDER) == 60_001


# --- Limits -----------------------------------------------------------------------------------------------------------


def test_all_loans_together_have_a_limit(pool):
    pool.configure(ASSET, {key.A_LOANS_MAX: 30_000}, row=USD)
    pool.supply(ANN, USD, 60_000)
    pool.borrow(CAT, USD, 30_001)
    assert reasons(pool) == [reject.LOANS_LIMIT]
    pool.borrow(CAT, USD, 30_000)
    assert not reasons(pool)


def test_a_loan_leaves_so_much_of_the_pool_alone(pool):
    pool.configure(ASSET, {key.A_UTILISATION_MAX_PPM: 500_000}, row=USD)
    pool.supply(ANN, USD, 60_000)
    pool.borrow(CAT, USD, 30_001)
    assert reasons(pool) == [reject.UTILISATION_LIMIT]
    pool.borrow(CAT, USD, 30_000)
    assert not reasons(pool)
    pool.redeem(ANN, SHARE, 2_000_000)  # redeeming is not lending
    assert not reasons(pool)
    pool.borrow(CAT, USD, 1)
    assert reasons(pool) == [reject.UTILISATION_LIMIT]
    pool.deposit(CAT, USD, 1)  # repaying is never refused
    assert not reasons(pool)


def test_so_much_flows_out_in_a_time(pool):
    """10,000 an hour: used up at once, a quarter of it is there again after a quarter of an hour."""
    pool.supply(ANN, USD, 60_000)
    pool.configure(ASSET, {key.A_OUTFLOW_MAX: 10_000, key.A_OUTFLOW_WINDOW_NS: HOUR}, row=USD)
    pool.borrow(CAT, USD, 6_000)
    pool.redeem(ANN, SHARE, 400_101)
    assert reasons(pool) == [reject.OUTFLOW_LIMIT]
    pool.redeem(ANN, SHARE, 400_000)
    assert not reasons(pool)
    pool.transfer(BOB, ANN, USD, 50_000)  # his own: nothing of the pool's
    assert not reasons(pool)
    pool.wait(HOUR // 4)
    pool.borrow(CAT, USD, 2_501)
    assert reasons(pool) == [reject.OUTFLOW_LIMIT]
    pool.supply(BOB, USD, 1)
    pool.borrow(CAT, USD, 2_501)
    assert not reasons(pool)
    pool.supply(BOB, USD, 40_000)  # whatever comes, no more than the amount may go
    pool.redeem(ANN, SHARE, 1_000_200)
    assert reasons(pool) == [reject.OUTFLOW_LIMIT]
    pool.redeem(ANN, SHARE, 999_900)
    assert not reasons(pool)


def test_what_is_repaid_may_be_lent_again(pool):
    """Who borrows and repays takes nobody's place; and losses that become loans count as well, up to a window."""
    pool.supply(ANN, USD, 60_000)
    pool.configure(ASSET, {key.A_OUTFLOW_MAX: 10_000, key.A_OUTFLOW_WINDOW_NS: HOUR}, row=USD)
    for _ in range(3):
        line = {"account": CAT, "order": BOB, "market": USD, "lots": 9_000, "options": MAY_BORROW}
        pool.say(do.TRANSFER, line | pool.reference())
        assert not reasons(pool)
        pool.transfer(BOB, CAT, USD, 9_000)
    pool.borrow(CAT, USD, 10_001)
    assert reasons(pool) == [reject.OUTFLOW_LIMIT]
    pool.borrow(CAT, USD, 10_000)
    assert not reasons(pool)
    pool.trade(CAT, BOB, 1, 50, 1_000)
    pool.trade(BOB, CAT, 1, 50, 980)  # a loss and two fees: a loan that nobody asks
    assert pool.cash(CAT) < -20_000
    assert pool.facts()["asset"][USD]["outflow_until_ns"] == pool.now + HOUR


# --- Shares that would back their own pool ----------------------------------------------------------------------------


def test_no_loan_of_a_pool_on_its_own_shares(pool):
    """CAT has coins enough. A thousandth of what she would owe is let pass: nobody can be kept from borrowing."""
    pool.supply(ANN, USD, 90_000)
    pool.transfer(ANN, CAT, SHARE, 2_100)  # 21 dollars
    pool.borrow(CAT, USD, 20_000)
    assert reasons(pool) == [reject.SHARES_OF_SAME_POOL]
    pool.borrow(CAT, USD, 21_000)
    assert not reasons(pool)


def test_who_owes_to_a_pool_receives_none_of_its_shares(pool):
    pool.supply(ANN, USD, 90_000)
    pool.borrow(CAT, USD, 20_000)
    pool.transfer(ANN, CAT, SHARE, 2_100)
    assert reasons(pool) == [reject.SHARES_OF_SAME_POOL]
    pool.transfer(ANN, CAT, SHARE, 2_000)
    assert not reasons(pool)
    pool.deposit(CAT, USD, 20_000)
    pool.transfer(ANN, CAT, SHARE, 1_000_000)
    assert not reasons(pool)


def test_a_share_is_frozen_with_its_coins(pool):
    pool.configure(ASSET, {key.A_FROZEN: 1}, row=SHARE)
    assert [event["order"] for event in pool.happened(events.REJECTED)] == [key.A_FROZEN]
    pool.configure(ASSET, {key.A_LOAN_CAP: 1 << 40}, row=COIN)
    pool.deposit(LENDER, COIN, 100_000)
    pool.deposit(CONVERTER, COIN, 100_000)
    pool.supply(ANN, USD, 90_000)
    pool.borrow(ANN, COIN, 6_000)
    assert not reasons(pool)
    pool.configure(ASSET, {key.A_FROZEN: 1}, row=USD)
    pool.price({2: 16 * ASSET_PRICE_SCALE})
    assert pool.happened(events.LIQUIDATION_STARTED) and not pool.happened(events.CONVERTED)
    pool.configure(ASSET, {key.A_FROZEN: 0}, row=USD)
    pool.wait(2 * key.SECOND).clock()
    assert pool.happened(events.CONVERTED)


def test_an_emptied_pool_begins_anew(make_floor):
    """CAT's coins come to nothing: what ANN lent is lost. BOB lends to the same asset, for shares of his own."""
    floor = open_pool(make_floor(assets=4))
    floor.supply(ANN, USD, 60_000)
    floor.borrow(CAT, USD, 60_000)
    floor.configure(ASSET, {key.A_POOL_OF: USD, **PLEDGE})
    assert [event["order"] for event in floor.happened(events.REJECTED)] == [key.A_POOL_OF]
    floor.price({2: 1})
    assert floor.happened(events.DEBT_WRITTEN_OFF) and floor.cash(LENDER) == 0
    floor.configure(ASSET, {key.A_POOL_OF: USD, **PLEDGE})
    assert not reasons(floor)
    told = [(event["market"], event["price"]) for event in floor.happened(events.SHARE_PRICE_SET)]
    assert told == [(SHARE, 0), (SHARE + 1, ASSET_PRICE_SCALE // 100)]
    floor.redeem_all(ANN, SHARE)
    assert reasons(floor) == [reject.POOL_UNKNOWN]
    floor.supply(BOB, USD, 10_000)
    assert (floor.cash(BOB, SHARE + 1), floor.facts()["asset"][SHARE]["price"]) == (1_000_000, 0)
    floor.redeem_all(BOB, SHARE + 1)
    assert floor.cash(BOB) == 100_000


# --- Debts that nobody pays -------------------------------------------------------------------------------------------


def sold_out(floor, insured=0):
    """CAT owes 60,000 of the 80,000 that ANN and BOB lent, and her coins sell for 30,000."""
    floor.supply(ANN, USD, 60_000)
    floor.supply(BOB, USD, 20_000)
    floor.withdraw(CAT, COIN, 90_000)
    floor.borrow(CAT, USD, 60_000)
    floor.deposit(CONVERTER, USD, 50_000)
    if insured:
        floor.deposit(INSURANCE, USD, insured)
    assert not reasons(floor)
    floor.price({2: 3 * ASSET_PRICE_SCALE})


def test_what_nobody_pays_the_lenders_lose(pool):
    before = price(pool)
    sold_out(pool, insured=10_000)
    assert [event["amount"] for event in pool.happened(events.FUND_PAID)] == [10_000]
    (told,) = pool.happened(events.DEBT_WRITTEN_OFF)
    assert (told["account"], told["market"], told["amount"], told["other"]) == (CAT, USD, 20_000, SHARE)
    assert [event["reason"] for event in pool.happened(events.LIQUIDATION_ENDED)] == [events.ENDED_CLOSED]
    assert (pool.cash(CAT), pool.cash(LENDER)) == (0, 60_000)
    assert 0.74 < price(pool) / before < 0.76
    pool.redeem_all(ANN, SHARE)
    pool.redeem_all(BOB, SHARE)
    assert (pool.cash(ANN), pool.cash(BOB), pool.cash(LENDER)) == (85_000, 95_000, 0)  # a quarter of each


def test_a_fund_that_pays_spares_the_lenders(pool):
    sold_out(pool, insured=30_000)
    assert not pool.happened(events.DEBT_WRITTEN_OFF)
    assert price(pool) == ASSET_PRICE_SCALE // 100


@pytest.mark.parametrize(("coins", "lost"), [(11, 29_967), (0, 30_000)])
def test_dust_does_not_keep_a_loss_open(pool, coins, lost):
    """The converter takes what it can pay for; 33 dollars of coins are below a thousandth of 60,000, or of 30,000."""
    pool.supply(ANN, USD, 80_000)
    pool.withdraw(CAT, COIN, 90_000)
    pool.borrow(CAT, USD, 60_000)
    pool.deposit(CONVERTER, USD, 3 * (10_000 - coins))
    pool.price({2: 3 * ASSET_PRICE_SCALE})
    told = pool.happened(events.DEBT_WRITTEN_OFF)
    if coins:  # 33 of 30,033 is more than a thousandth: it waits
        assert not told and pool.cash(CAT) == -30_033
        pool.deposit(CONVERTER, USD, 6)
        pool.wait(2 * key.SECOND).clock()
        told = pool.happened(events.DEBT_WRITTEN_OFF)
        assert [event["amount"] for event in told] == [30_002]  # two of interest; what the dust covers stays owed
        assert pool.cash(CAT) == -27
    else:
        assert [event["amount"] for event in told] == [lost]


def test_while_a_loss_is_open_nobody_leaves(pool):
    """The converter has nothing: what CAT owes beyond her coins is not known yet."""
    pool.supply(ANN, USD, 80_000)
    pool.withdraw(CAT, COIN, 90_000)
    pool.borrow(CAT, USD, 60_000)
    pool.price({2: 3 * ASSET_PRICE_SCALE})
    assert pool.happened(events.LIQUIDATION_STARTED) and not pool.happened(events.DEBT_WRITTEN_OFF)
    pool.redeem(ANN, SHARE, 100)
    assert reasons(pool) == [reject.LOSS_PENDING]
    pool.price({2: 7 * ASSET_PRICE_SCALE})  # her coins cover it again
    pool.redeem(ANN, SHARE, 100)
    assert not reasons(pool)


@pytest.mark.parametrize("bears", [0, 1])
def test_without_a_pool_the_lender_loses_if_it_says_so(floor, bears):
    align(floor)
    open_venue(floor, {}, people=2, purse=0)
    floor.configure(ASSET, RATES | {key.A_LENDER_BEARS: bears}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: 4_000 * DAY})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **PLEDGE})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    floor.deposit(LENDER, USD, 60_000)
    floor.deposit(ANN, COIN, 1_000)
    floor.borrow(ANN, USD, 9_000)
    floor.deposit(CONVERTER, USD, 50_000)
    floor.price({2: 3 * ASSET_PRICE_SCALE})
    assert [event["amount"] for event in floor.happened(events.DEBT_WRITTEN_OFF)] == ([6_000] if bears else [])
    assert floor.cash(LENDER) == (54_000 if bears else 60_000)
    assert floor.cash(ANN) == (0 if bears else -6_000)
