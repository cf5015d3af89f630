"""Coins against collateral: borrow, repay, withdraw, and be liquidated, with no position at all."""

import pytest
from tests.golden.stories import ANN, BOB, COIN, USD, open_venue

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED, OWNER
from steelyard.model.keys import HOUR
from steelyard.model.orders import CONVERTER, INSURANCE, LENDER, MAY_BORROW
from steelyard.num.limits import ASSET_PRICE_SCALE

CAP = 20_000


@pytest.fixture
def bank(floor):
    """ANN has 2,000 coins at 12 dollars, of which 80 % count for opening and 90 % for keeping."""
    open_venue(floor, {}, people=2, purse=0)
    floor.configure(ASSET, {key.A_LOAN_CAP: CAP}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    floor.deposit(ANN, COIN, 2_000)
    floor.deposit(LENDER, USD, 30_000)
    return floor


def reasons(floor):
    return [event["reason"] for event in floor.happened(events.REJECTED)]


def test_collateral_bounds_what_is_lent(bank):
    bank.borrow(ANN, USD, 19_201)  # 2,000 x 12 x 0.8 = 19,200
    assert reasons(bank) == [reject.OPENING_MARGIN_EXCEEDED]
    bank.borrow(ANN, USD, 19_200)
    assert bank.happened(events.WITHDRAWAL_RESERVED)
    assert (bank.cash(ANN), bank.spare_to_open(ANN), bank.spare_to_keep(ANN)) == (-19_200, 0, 2_400)


def test_without_the_option_only_what_is_there_leaves(bank):
    bank.withdraw(ANN, USD, 1)
    assert reasons(bank) == [reject.BALANCE_TOO_LOW]
    for options in (-1, MAY_BORROW + 1):
        bank.say(do.WITHDRAW, {"account": ANN, "market": USD, "lots": 1, "options": options, "client0": 99})
        assert reasons(bank) == [reject.FIELD_OUT_OF_RANGE]
    bank.say(do.DEPOSIT, {"account": ANN, "market": USD, "lots": 1, "options": MAY_BORROW, "client0": 99})
    assert reasons(bank) == [reject.FIELD_OUT_OF_RANGE]


def test_the_cap_and_the_lender_bound_it_too(bank):
    bank.price({2: 120 * ASSET_PRICE_SCALE})
    bank.borrow(ANN, USD, CAP + 1)
    assert reasons(bank) == [reject.LOAN_CAP_EXCEEDED]
    bank.deposit(BOB, COIN, 2_000)
    bank.borrow(BOB, USD, CAP)
    bank.borrow(ANN, USD, 10_001)
    assert reasons(bank) == [reject.NOTHING_TO_LEND]
    bank.deposit(ANN, USD, 1)
    bank.borrow(ANN, USD, 10_001)  # one of them is hers
    assert bank.cash(ANN) == -10_000


def test_at_a_stale_price_nothing_is_lent(bank):
    bank.deposit(ANN, USD, 50_000)
    bank.deposit(LENDER, COIN, 100)
    bank.configure(ASSET, {key.A_LOAN_CAP: 5_000}, row=COIN)
    bank.wait(2 * HOUR)
    bank.borrow(ANN, COIN, 2_001)
    assert reasons(bank) == [reject.PRICE_STALE]
    bank.withdraw(ANN, COIN, 2_000)
    assert reasons(bank) == []


def test_the_house_borrows_nothing(bank):
    for account in (INSURANCE, CONVERTER, LENDER):
        bank.borrow(account, USD, 40_000)
        assert reasons(bank) == [reject.BALANCE_TOO_LOW]


def test_what_is_repaid_frees_the_collateral(bank):
    bank.borrow(ANN, USD, 12_000)
    bank.withdraw(ANN, COIN, 2_000)
    assert reasons(bank) == [reject.OPENING_MARGIN_EXCEEDED]
    bank.withdraw(ANN, COIN, 750)  # 1,250 x 12 x 0.8 = 12,000
    assert reasons(bank) == []
    bank.deposit(ANN, USD, 12_000)
    bank.withdraw(ANN, COIN, 1_250)
    assert reasons(bank) == []
    assert bank.facts()["asset"][USD]["loans"] == 0


def test_a_loan_goes_to_another_account_too(bank):
    line = {"account": ANN, "order": BOB, "market": USD, "lots": 5_000, "options": MAY_BORROW}
    bank.say(do.TRANSFER, line | bank.reference())
    assert (bank.cash(ANN), bank.cash(BOB)) == (-5_000, 5_000)


def test_when_the_collateral_falls_it_is_sold_for_the_debt(bank):
    bank.configure(ASSET, {key.A_CONVERT_HAIRCUT_PPM: 50_000}, row=COIN)
    bank.deposit(CONVERTER, USD, 50_000)
    bank.borrow(ANN, USD, 18_000)
    bank.price({2: 10 * ASSET_PRICE_SCALE})  # 2,000 x 10 x 0.9 = 18,000: just healthy
    assert not bank.happened(events.LIQUIDATION_STARTED)
    bank.price({2: 9_999_999_999_999})
    (sale,) = bank.happened(events.CONVERTED)
    assert (sale["account"], sale["market"], sale["lots"], sale["amount"]) == (ANN, COIN, 1_895, 18_000)
    assert [event["reason"] for event in bank.happened(events.LIQUIDATION_ENDED)] == [events.ENDED_HEALTHY]
    assert (bank.cash(ANN), bank.cash(ANN, COIN)) == (0, 105)


def test_what_the_collateral_does_not_cover_the_fund_pays(bank):
    bank.deposit(CONVERTER, USD, 50_000)
    bank.deposit(INSURANCE, USD, 10_000)
    bank.borrow(ANN, USD, 18_000)
    bank.price({2: 6 * ASSET_PRICE_SCALE})
    (sale,) = bank.happened(events.CONVERTED)
    assert (sale["lots"], sale["amount"]) == (2_000, 12_000)
    (paid,) = bank.happened(events.FUND_PAID)
    assert paid["amount"] == 6_000
    assert [event["reason"] for event in bank.happened(events.LIQUIDATION_ENDED)] == [events.ENDED_CLOSED]
    assert bank.cash(INSURANCE) == 4_000


def test_a_loan_counts_the_interest_of_the_debt_there_is(bank):
    """Nothing has accrued for 29 days; what is asked for now is judged with all of it."""
    bank.configure(ASSET, {key.A_RATE_BASE_PPM: 1_000_000, key.A_INTEREST_INTERVAL_NS: 30 * 24 * HOUR}, row=USD)
    bank.configure(FEED, {key.F_STALENESS_NS: 60 * 24 * HOUR}, row=2)
    bank.price({2: 12 * ASSET_PRICE_SCALE})
    bank.borrow(ANN, USD, 18_000)
    bank.wait(29 * 24 * HOUR)
    bank.borrow(ANN, USD, 1_000)
    assert reasons(bank) == [reject.LOAN_CAP_EXCEEDED]


def test_giver_and_taker_need_room_for_both_their_legs(make_floor):
    floor = make_floor(assets=2, markets=1, legs=9)  # of which seven are the machine's own
    floor.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR})
    floor.configure(ASSET, {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 1_000})
    floor.price({1: ASSET_PRICE_SCALE})
    for owner in (2, 3):
        floor.configure(OWNER, {key.O_STP: 3})
        floor.open_account(owner)
        floor.deposit(owner + 5, USD, 10_000)
    floor.deposit(LENDER, COIN, 1_000)  # one row is left now
    line = {"account": ANN, "order": BOB, "market": COIN, "lots": 10, "options": MAY_BORROW}
    floor.say(do.TRANSFER, line | floor.reference())
    assert reasons(floor) == [reject.LEGS_FULL]
    floor.borrow(ANN, COIN, 10)
    assert reasons(floor) == []


def test_an_unknown_option_is_the_first_thing_that_is_wrong(bank):
    line = {"account": ANN, "order": 999, "market": USD, "lots": 1, "options": 2}
    bank.say(do.TRANSFER, line | bank.reference())
    assert reasons(bank) == [reject.FIELD_OUT_OF_RANGE]
