"""Who pays what an account cannot: the fund and pools that back, in order; what their stakers earn; how they leave."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, DAN, USD, open_venue
from tests.unit.engine.test_offers import coins

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED, MARKET
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import BACKS, CONVERTER, FROM_FUND, INSURANCE, LENDER

OWN, STAKED = 3, 4  # shares: of the market's own fund, of staked capital


def back(floor, keys=None):
    floor.configure(ASSET, {key.A_POOL_OF: USD, key.A_POOL_KIND: BACKS} | (keys or {}))


def payers(first, *those):
    return {first + place: who for place, who in enumerate(those)}


@pytest.fixture
def venue(make_floor):
    """Two pools of dollars that back; CAT staked 1,000 in the market's own, BOB 3,000 in the other."""
    floor = make_floor(assets=6)
    open_venue(floor, {key.M_LEVERAGE_DEFAULT: 50}, people=4, purse=20_000)
    floor.configure(ASSET, {key.A_LOAN_CAP: 30_000}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: 600 * HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    coins(floor, 12)
    back(floor)
    back(floor, {key.A_POOL_COOL_NS: HOUR, key.A_POOL_FEE_PPM: 250_000})
    floor.stake(CAT, OWN, USD, 1_000)
    floor.stake(BOB, STAKED, USD, 3_000)
    floor.deposit(INSURANCE, USD, 500)
    return floor


def crash(floor, to=985):
    """ANN is long of ten at 1,000 against CAT, with 2,100 dollars of her own, and 20 of them for the fee."""
    floor.withdraw(ANN, USD, 17_900)
    floor.trade(ANN, CAT, 1, 10, 1_000)
    return floor.wait(SECOND).price({1: to})


def paid(floor):
    """(who, amount), in order; 1 is the fund."""
    told = (events.FUND_PAID, events.STAKES_PAID)
    rows = [each for each in floor.twin.events if each["kind"] in told]
    return [(each["other"], each["amount"]) for each in rows]


def refused(floor):
    return [(event["reason"], event["order"]) for event in floor.happened(events.REJECTED)]


def test_each_pays_in_order(venue):
    """ANN's loss of 5,000 is 2,920 beyond her own; nobody buys, CAT closes at the mark with the payers' help."""
    venue.configure(MARKET, payers(key.M_PAYER, OWN, FROM_FUND, STAKED), row=1)
    crash(venue, to=950)
    assert paid(venue) == [(OWN, 1_000), (STAKED, 1_420)]
    (told,) = venue.happened(events.DELEVERAGED)
    assert (told["amount"], told["fee"]) == (95_000, 2_920)
    assert venue.cash(INSURANCE) == 0 and venue.cash(CAT) == 19_000 - 50 + 5_000
    assert venue.lots(ANN) == 0 and venue.cash(ANN) == 0
    assert [each["price"] for each in venue.happened(events.SHARE_PRICE_SET)] == [9_990_009, 5_268_243_918]


def test_what_they_cannot_pay_falls_on_counterparties(venue):
    """Only the market's own fund pays: CAT gives 1,920 of its profit of 5,000."""
    venue.configure(MARKET, payers(key.M_PAYER, OWN), row=1)
    crash(venue, to=950)
    assert paid(venue) == [(OWN, 1_000)]
    assert venue.cash(CAT) == 19_000 - 50 + 3_080 and venue.cash(INSURANCE) == 500


def test_a_market_without_payers_has_its_assets(venue):
    venue.configure(ASSET, payers(key.A_PAYER, STAKED), row=USD)
    crash(venue, to=950)
    assert paid(venue) == [(STAKED, 2_920)]


def test_on_the_book_too(venue):
    """BOB bids for all at 960, where 1,920 are missing."""
    venue.configure(MARKET, payers(key.M_PAYER, FROM_FUND, OWN, STAKED) | {key.M_SLIP_PPM: 0}, row=1)
    venue.order(BOB, 1, 10, 960)
    crash(venue, to=955)
    assert venue.happened(events.LIQUIDATION_ORDER)
    assert paid(venue) == [(USD, 500), (OWN, 1_000), (STAKED, 420)]


def owing(venue, lent=9_000):
    """DAN owes 9,000 on 1,000 coins, of which the converter buys all at 6."""
    venue.deposit(LENDER, USD, 50_000)
    venue.withdraw(DAN, USD, 20_000)
    venue.deposit(DAN, COIN, 1_000)
    venue.borrow(DAN, USD, lent)
    venue.deposit(CONVERTER, USD, 50_000)
    venue.configure(ASSET, {key.A_LENDER_BEARS: 1}, row=USD)


def test_of_a_debt_one_after_the_other(venue):
    venue.configure(ASSET, payers(key.A_PAYER, FROM_FUND, STAKED), row=USD)
    owing(venue)
    coins(venue, 6)
    assert paid(venue) == [(USD, 500), (STAKED, 2_500)]
    assert venue.cash(DAN) == 0 and not venue.happened(events.DEBT_WRITTEN_OFF)


def test_nobody_pays_before_a_step_is_the_last(venue):
    """The fund has 500 and pays 200 at a time: the pool, then the lender, wait for it."""
    venue.configure(ASSET, payers(key.A_PAYER, FROM_FUND, OWN), row=USD)
    venue.configure(ASSET, {key.A_FUND_STEP_MAX: 200}, row=USD)
    owing(venue)
    coins(venue, 6)
    assert paid(venue) == [(USD, 200)] and not venue.happened(events.DEBT_WRITTEN_OFF)
    venue.wait(SECOND).clock()
    assert paid(venue) == [(USD, 200)]
    venue.wait(SECOND).clock()
    assert paid(venue) == [(USD, 100), (OWN, 1_000)]
    assert [each["amount"] for each in venue.happened(events.DEBT_WRITTEN_OFF)] == [1_500]


def test_stakers_earn_a_part_of_the_fee(venue):
    """A quarter, rounded down; the pool without such a part gets nothing."""
    venue.configure(MARKET, payers(key.M_PAYER, OWN, STAKED), row=1)
    venue.order(BOB, 1, 10, 983)
    crash(venue, to=983)
    (fee,) = [each["amount"] for each in venue.happened(events.LIQUIDATION_FEE)]
    (earned,) = venue.happened(events.STAKES_EARNED)
    assert fee > 3 and (earned["other"], earned["amount"]) == (STAKED, fee // 4)
    assert venue.cash(INSURANCE) == 500 + fee - fee // 4


def leave(venue, who, shares, share=STAKED, **line):
    venue.say(do.LEAVE, {"account": who, "market": share, "lots": shares} | line)
    return [reason for reason, _ in refused(venue)]


def test_who_leaves_says_so_before(venue):
    assert venue.cash(BOB, STAKED) == 300_000
    venue.redeem(BOB, STAKED, 100)
    assert refused(venue) == [(reject.COOLING_DOWN, 0)]
    leave(venue, BOB, 200_000)
    assert [each["amount"] for each in venue.happened(events.LEAVING_SET)] == [venue.now + HOUR]
    venue.wait(HOUR - 1).clock()
    venue.redeem(BOB, STAKED, 100)
    assert refused(venue) == [(reject.COOLING_DOWN, 0)]
    venue.wait(1).clock()
    venue.redeem(BOB, STAKED, 200_001)
    assert refused(venue) == [(reject.COOLING_DOWN, 0)]
    venue.redeem(BOB, STAKED, 150_000)
    assert venue.cash(BOB) == 18_500
    venue.redeem(BOB, STAKED, 50_001)
    assert refused(venue) == [(reject.COOLING_DOWN, 0)]
    venue.redeem(BOB, STAKED, 50_000)
    assert not refused(venue)
    venue.redeem(CAT, OWN, 100_000)  # a pool without a time to wait
    assert not refused(venue)


def test_nobody_lends_his_place_in_the_queue(venue):
    """Shares that move on take their saying with them."""
    leave(venue, BOB, 300_000)
    venue.wait(HOUR).clock()
    venue.transfer(BOB, CAT, STAKED, 200_000)
    venue.redeem(CAT, STAKED, 100)
    assert refused(venue) == [(reject.COOLING_DOWN, 0)]
    venue.transfer(CAT, BOB, STAKED, 200_000)
    venue.redeem(BOB, STAKED, 100_001)
    assert refused(venue) == [(reject.COOLING_DOWN, 0)]
    venue.redeem(BOB, STAKED, 100_000)
    assert not refused(venue)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"options": 1}, reject.FIELD_OUT_OF_RANGE),
        ({"lots": -1}, reject.FIELD_OUT_OF_RANGE),
        ({"account": 99}, reject.ACCOUNT_UNKNOWN),
        ({"market": 9}, reject.ASSET_UNKNOWN),
        ({"market": OWN}, reject.POOL_UNKNOWN),
        ({"lots": 300_001}, reject.BALANCE_TOO_LOW),
        ({"lots": 0}, None),
    ],
)
def test_what_may_not_be_said(venue, line, reason):
    assert leave(venue, BOB, 5, **line) == ([] if reason is None else [reason])


def test_nobody_leaves_a_loss_behind(venue):
    """ANN has E < 0, and her market is halted: what BOB's pool will have to pay is not known yet."""
    venue.configure(MARKET, payers(key.M_PAYER, STAKED), row=1)
    leave(venue, BOB, 300_000)
    venue.withdraw(ANN, USD, 17_900)
    venue.trade(ANN, CAT, 1, 10, 1_000)
    venue.wait(HOUR).clock()
    venue.configure(MARKET, {key.M_STATE: 4}, row=1)
    venue.price({1: 950})
    assert venue.happened(events.LIQUIDATION_STARTED)
    venue.redeem(BOB, STAKED, 100)
    assert refused(venue) == [(reject.LOSS_PENDING, 0)]
    venue.redeem(CAT, OWN, 100)  # this pool does not pay for that market
    assert not refused(venue)


@pytest.mark.parametrize(
    ("table", "row", "keys", "wrong"),
    [
        (MARKET, 1, payers(key.M_PAYER, STAKED, STAKED), key.M_PAYER + 1),
        (MARKET, 1, payers(key.M_PAYER, OWN, 0, STAKED), key.M_PAYER + 2),
        (MARKET, 1, payers(key.M_PAYER, 0, FROM_FUND), key.M_PAYER + 1),
        (MARKET, 1, payers(key.M_PAYER, COIN), key.M_PAYER),
        (MARKET, 1, payers(key.M_PAYER, 9), key.M_PAYER),
        (ASSET, COIN, payers(key.A_PAYER, OWN), key.A_PAYER),
        (ASSET, COIN, {key.A_POOL_COOL_NS: 5}, key.A_POOL_COOL_NS),
        (ASSET, COIN, {key.A_POOL_FEE_PPM: 5}, key.A_POOL_FEE_PPM),
    ],
)
def test_payers_that_cannot_pay(venue, table, row, keys, wrong):
    venue.configure(table, keys, row=row)
    assert refused(venue) == [(reject.PARAMETERS_DISAGREE, wrong)]


def test_who_says_to_leave_breaks_no_book(venue):
    leave(venue, BOB, 300_000)
    venue.both.machine.check()
