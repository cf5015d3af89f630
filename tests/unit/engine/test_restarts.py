"""Ladders that have ended begin again, by anybody's word: when, for what pay, and how often it is paid."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, USD
from tests.unit.engine.test_offers import bank, bid, coins, later, line  # noqa: F401

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE
from steelyard.model.keys import SECOND
from steelyard.model.orders import CONVERTER, INSURANCE, RESTART

MINUTE = 60 * SECOND
TERMS = {key.C_LASTS_NS: MINUTE, key.C_TIP: 30, key.C_CHIP_PPM: 2_000}


@pytest.fixture
def ended(bank):  # noqa: F811
    """ANN owes 19,000 dollars on 2,000 coins; nobody bid for a minute, and the converter has no dollars."""
    bank.configure(CURVE, line(50_000, 50_000) | TERMS)
    bank.configure(ASSET, {key.A_OFFER: 1}, row=COIN)
    bank.deposit(INSURANCE, USD, 1_000)
    coins(bank, 10.5)
    return bank


def restart(floor, keeper=BOB, target=ANN, **columns):
    place = {"account": keeper, "order": target, "market": COIN, "trigger": USD, "options": RESTART}
    floor.say(do.LIQUIDATE, place | columns)
    return [event["reason"] for event in floor.happened(events.REJECTED)]


def paid(floor):
    return [(each["account"], each["amount"], each["other"]) for each in floor.happened(events.FUND_PAID)]


def test_the_offers_begin_again_and_the_keeper_is_paid(ended):
    """30 dollars, and 0.2 % of 19,000."""
    ended.wait(30 * SECOND)
    assert restart(ended) == [reject.OFFER_STANDS]
    ended.wait(31 * SECOND).clock()
    assert bid(ended, CAT, 1_000) == [reject.NO_OFFER]
    assert restart(ended) == []
    (told,) = ended.happened(events.OFFERS_RESTARTED)
    assert [told[each] for each in ("account", "other", "reason", "amount", "extra2")] == [ANN, BOB, 1, 68, 19_000]
    assert paid(ended) == [(BOB, 68, USD)]
    assert (ended.cash(BOB), ended.cash(INSURANCE)) == (50_068, 932)
    assert restart(ended) == [reject.OFFER_STANDS]
    assert bid(ended, CAT, 1_000) == []
    assert later(ended) == [(CAT, 1_000, 99, 0)]
    ended.wait(58 * SECOND).clock()
    assert bid(ended, CAT, 100) == []
    ended.wait(SECOND).clock()
    assert bid(ended, CAT, 100) == [reject.NO_OFFER]


def test_a_liquidation_pays_once(ended):
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and paid(ended)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and not paid(ended)
    coins(ended, 12)
    ended.wait(MINUTE).clock()
    assert ended.happened(events.LIQUIDATION_ENDED)
    coins(ended, 10.5)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and paid(ended) == [(BOB, 68, USD)]


def test_a_fund_that_has_less_pays_less(ended):
    ended.withdraw(INSURANCE, USD, 960)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and paid(ended) == [(BOB, 40, USD)]
    assert ended.cash(INSURANCE) == 0


def test_its_caps_hold_for_keepers_too(ended):
    ended.configure(ASSET, {key.A_FUND_DAY_MAX: 50}, row=USD)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and paid(ended) == [(BOB, 50, USD)]


def test_an_empty_fund_pays_nothing_and_owes_it(ended):
    ended.withdraw(INSURANCE, USD, 1_000)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and not paid(ended)
    ended.deposit(INSURANCE, USD, 1_000)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and paid(ended)  # the first that pays anything


@pytest.mark.parametrize("asset", [USD, COIN])
def test_dust_pays_nothing(ended, asset):
    ended.configure(ASSET, {key.A_DUST: 21_001}, row=asset)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [] and not paid(ended)
    assert ended.happened(events.OFFERS_RESTARTED)


def test_an_owner_is_not_paid_for_his_own(ended):
    ended.open_account(ended.twin.accounts[ANN].owner)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended, keeper=len(ended.twin.accounts)) == [] and not paid(ended)


def test_where_the_converter_pays_nothing_is_left_to_begin(ended):
    ended.deposit(CONVERTER, USD, 50_000)
    ended.wait(2 * MINUTE).clock()
    assert ended.happened(events.CONVERTED)
    assert restart(ended) == [reject.NOT_IN_LIQUIDATION]


def test_a_step_that_starts_again_by_itself_needs_nobody(ended):
    ended.configure(CURVE, line(50_000, 50_000) | TERMS | {key.C_THEN: 2})
    ended.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [reject.OFFER_STANDS]
    assert bid(ended, CAT, 100) == []


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"lots": 1}, reject.FIELD_OUT_OF_RANGE),
        ({"price": 1}, reject.FIELD_OUT_OF_RANGE),
        ({"options": RESTART + 1}, reject.FIELD_OUT_OF_RANGE),
        ({"trigger": COIN}, reject.FIELD_OUT_OF_RANGE),
        ({"account": 99}, reject.ACCOUNT_UNKNOWN),
        ({"order": 99}, reject.ACCOUNT_UNKNOWN),
        ({"account": INSURANCE}, reject.ACCOUNT_IS_NOT_TRADABLE),
        ({"account": ANN}, reject.SAME_ACCOUNT),
        ({"market": 9}, reject.ASSET_UNKNOWN),
        ({"order": CAT}, reject.NOT_IN_LIQUIDATION),
        ({"market": USD, "trigger": COIN}, reject.NO_OFFER),
        ({}, None),
    ],
)
def test_what_is_refused(ended, columns, reason):
    ended.wait(2 * MINUTE).clock()
    assert restart(ended, **columns) == ([reason] if reason is not None else [])


def test_without_a_ladder_there_is_nothing_to_begin(ended):
    ended.configure(ASSET, {key.A_OFFER: 0}, row=COIN)
    assert restart(ended) == [reject.NO_OFFER]


def test_frozen_and_stale_ones_wait(ended):
    ended.wait(2 * MINUTE).clock()
    ended.configure(ASSET, {key.A_FROZEN: 1}, row=COIN)
    assert restart(ended) == [reject.ASSET_FROZEN]
    ended.configure(ASSET, {key.A_FROZEN: 0}, row=COIN)
    ended.wait(9 * MINUTE).clock()
    assert restart(ended) == [reject.PRICE_STALE]


def test_while_payers_are_at_work_nothing_begins(ended):
    coins(ended, 9)  # 18,000 for 19,000
    ended.configure(ASSET, {key.A_FUND_STEP_MAX: 10}, row=USD)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [reject.LOSS_PENDING]


def test_a_ladder_for_pools_alone_has_nothing_that_begins(ended):
    pool = {key.C_TAKER: 1, key.C_TIP: 30, key.C_LASTS_NS: 0}
    ended.configure(CURVE, line(50_000, 50_000) | pool)
    ended.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    ended.wait(2 * MINUTE).clock()
    assert restart(ended) == [reject.NO_OFFER]
