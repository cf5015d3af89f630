"""Offers of accounts in liquidation: price, size, order of bids, refusals, dust, and the converter at the end."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, COIN, DAN, USD, open_venue

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE, FEED
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import (
    AS_ASKED,
    CONVERTER,
    GIVES_PRICE,
    INSURANCE,
    LENDER,
    MAY_BORROW,
    OF_COVER,
    OF_HEALTH,
    OF_LTV,
    OF_TIME,
    OF_VOLATILITY,
    TAKE_ALL,
)
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, PPM

MINUTE = 60 * SECOND


def line(first, last):
    """The points of a straight curve."""
    return {key.C_POINT + i: first + (last - first) * i // 32 for i in range(33)}


def open_bank(floor, people=4):
    """Coins, of which 80 % count for opening and 90 % for keeping, and dollars to borrow on them."""
    open_venue(floor, {}, people=people, purse=0)
    floor.configure(ASSET, {key.A_LOAN_CAP: 30_000}, row=USD)
    floor.configure(FEED, {key.F_STALENESS_NS: 10 * MINUTE})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    coins(floor, 12)
    floor.deposit(LENDER, USD, 60_000)


def indebt_ann(floor):
    floor.deposit(ANN, COIN, 2_000)
    floor.borrow(ANN, USD, 19_000)


@pytest.fixture
def bank(floor):
    """ANN owes 19,000 dollars on 2,000 coins, of which 80 % count for opening and 90 % for keeping."""
    open_bank(floor)
    indebt_ann(floor)
    floor.deposit(BOB, USD, 50_000)
    floor.deposit(CAT, USD, 50_000)
    return floor


def coins(floor, price):
    """The price of a coin, exact to a ppm."""
    floor.price({2: round(price * PPM) * (ASSET_PRICE_SCALE // PPM)})


def offer(floor, curve=None, **terms):
    """A ladder of one step."""
    wanted = {getattr(key, f"C_{name.upper()}"): value for name, value in terms.items()}
    floor.configure(CURVE, (curve or line(50_000, 50_000)) | wanted)
    floor.configure(ASSET, {key.A_OFFER: len(floor.twin.curves)}, row=COIN)


def bid(floor, bidder, lots, least=0, target=ANN, collateral=COIN, debt=USD, options=0):
    columns = {"account": bidder, "order": target, "market": collateral, "trigger": debt}
    floor.say(do.LIQUIDATE, columns | {"lots": lots, "price": least, "options": options})
    return [event["reason"] for event in floor.happened(events.REJECTED)]


def later(floor):
    """The instant is over: (bidder, repaid, received, fee) of each bid that was filled."""
    floor.wait(SECOND).clock()
    return [(each["other"], each["lots"], each["amount"], each["fee"]) for each in floor.happened(events.BID_FILLED)]


# --- Price and size ---------------------------------------------------------------------------------------------------


def test_a_bid_restores_and_no_more(bank):
    """D = 19,000, E = 2,000, M = 2,100: v = 100 / (1 - 1.05 x 0.9) = 1,818.2 of debt at most, 10.5 dollars a coin."""
    offer(bank)
    coins(bank, 10.5)
    assert bank.spare_to_keep(ANN) == -100
    assert bid(bank, BOB, 50_000) == []
    assert bank.happened(events.BID_PLACED) and bank.cash(BOB) == 50_000
    ((_, repaid, received, fee),) = later(bank)
    # Coins are coarse here, and whole coins in the account's favour heal it sooner: par 150, x 1.05 down.
    assert (repaid, received, fee) == (1_585, 157, 0)
    assert bank.cash(ANN) == -17_415 and bank.cash(ANN, COIN) == 1_843
    assert (bank.cash(BOB), bank.cash(BOB, COIN)) == (48_415, 157)
    assert bank.spare_to_keep(ANN) >= 0
    assert bank.happened(events.LIQUIDATION_ENDED)


def test_the_close_factor_falls_out_of_the_target(bank):
    """With target T: v = (M(restore) - E) / (T - 1.05 x 0.9), here (2,100 + 1,900 - 2,000) / 0.155."""
    offer(bank)
    bank.configure(ASSET, {key.A_TARGET_PPM: 1_100_000}, row=USD)
    coins(bank, 10.5)
    bid(bank, BOB, 50_000)
    ((_, repaid, received, _),) = later(bank)
    assert 12_850 <= repaid <= 12_950 and received == repaid * 2 // 21 * 105 // 100
    assert bank.spare_to_keep(ANN) >= (19_000 - repaid) // 10


def test_take_all_ends_with_the_debt_or_with_the_collateral(bank):
    offer(bank, size=TAKE_ALL)
    coins(bank, 10.5)
    bid(bank, BOB, 50_000)
    assert later(bank) == [(BOB, 19_000, 1_899, 0)]
    assert (bank.cash(ANN), bank.cash(ANN, COIN)) == (0, 101)
    assert bank.happened(events.LIQUIDATION_ENDED)


def test_when_all_is_not_enough_all_is_taken(bank):
    offer(bank, beyond=1)
    coins(bank, 9)
    bid(bank, BOB, 50_000)
    ((_, repaid, received, _),) = later(bank)
    assert received == 2_000 and repaid == 17_145  # 2,000 / 1.05 = 1,905 coins up, at 9 dollars
    assert bank.cash(ANN) == 17_145 - 19_000


def test_lenders_pay_no_bonus(bank):
    """E = 18,000 - 19,000 is below 0: what the coins are worth is paid for them, and not a twentieth less."""
    offer(bank)
    coins(bank, 9)
    bid(bank, BOB, 50_000)
    assert later(bank) == [(BOB, 18_000, 2_000, 0)]
    assert bank.cash(ANN) == -1_000


def test_a_bonus_ends_where_the_owners_equity_does(bank):
    """E = 200 for debts of 19,000: a bonus of 0.010526, whether in one bid or in many, and no loss at the end."""
    offer(bank, size=TAKE_ALL)
    coins(bank, 9.6)
    for lots in (5_000, 1_000, 4_000, 50_000):
        bid(bank, BOB, lots)
        ((_, repaid, received, _),) = later(bank)
        (filled,) = bank.happened(events.BID_FILLED)
        assert (
            10_526 <= filled["price"] < 50_000
        )  # whole coins are coarse: what one bid does not get is left to the next
        assert repaid == min(lots, 9_000)
        assert received * 9.6 <= repaid * (PPM + filled["price"]) / PPM
    assert bank.cash(ANN) == 0
    assert bank.cash(ANN, COIN) >= 0
    assert bank.happened(events.LIQUIDATION_ENDED)


def test_a_price_ends_where_the_owners_equity_does(bank):
    """What the owner has for each dollar owed is 200 / 19,000; a price of 0.7 would be a bonus of three sevenths."""
    offer(bank, line(700_000, 700_000), gives=GIVES_PRICE, size=TAKE_ALL)
    coins(bank, 9.6)
    bid(bank, BOB, 50_000)
    assert later(bank) == [(BOB, 19_000, 1_999, 0)]
    (filled,) = bank.happened(events.BID_FILLED)
    assert filled["price"] == -(-(PPM * PPM) // (PPM + 10_526))
    assert bank.cash(ANN, COIN) == 1


def test_discount_by_cover(bank):
    """A price equal to the cover, at most a twentieth off: 18,900 / 19,000 = 0.994736."""
    offer(bank, line(950_000, PPM), gives=GIVES_PRICE, of=OF_COVER, **{"from": 950_000, "to": PPM})
    coins(bank, 10.5)
    bid(bank, BOB, 50_000)
    later(bank)
    (filled,) = bank.happened(events.BID_FILLED)
    assert filled["price"] == 994_736
    assert filled["amount"] == filled["lots"] * 2 // 21 * PPM // 994_736


@pytest.mark.parametrize(
    ("of", "ends", "expected"),
    [
        (OF_HEALTH, (0, PPM), 100_000 - 95_238),  # 2,000 / 2,100 = 0.952380
        (OF_COVER, (0, PPM), 100_000 - 99_474),
        (OF_LTV, (0, PPM), 90_476),  # 19,000 / 21,000 up
        (OF_VOLATILITY, (0, PPM), 30_000),
    ],
)
def test_what_a_curve_may_be_of(bank, of, ends, expected):
    falls = of in (OF_HEALTH, OF_COVER)
    points = line(100_000, 0) if falls else line(0, 100_000)
    offer(bank, points, of=of, size=TAKE_ALL, **{"from": ends[0], "to": ends[1]})
    bank.configure(ASSET, {key.A_VOLATILITY_PPM: 300_000}, row=COIN)
    coins(bank, 10.5)
    bid(bank, BOB, 50_000)
    later(bank)
    (filled,) = bank.happened(events.BID_FILLED)
    assert abs(filled["price"] - expected) <= 1


def test_the_fee_is_a_part_of_the_bonus(bank):
    offer(bank, fee_ppm=100_000, size=TAKE_ALL)
    coins(bank, 10.5)
    bid(bank, BOB, 50_000)
    # Par 1,809 coins, bonus 90, a tenth of it up.
    assert later(bank) == [(BOB, 19_000, 1_890, 9)]
    assert bank.cash(INSURANCE, COIN) == 9


def test_the_fee_is_at_most_the_equity_that_is_left(bank):
    offer(bank, fee_ppm=PPM, size=TAKE_ALL, beyond=1)
    coins(bank, 9.6)
    bid(bank, BOB, 50_000)
    # E = 200: the bidder gets par, the fee is up to 20 coins.
    ((_, repaid, received, fee),) = later(bank)
    assert (repaid, received, fee) == (18_288, 1_905, 20)
    assert bank.cash(ANN) + bank.cash(ANN, COIN) * 9 <= 0


# --- Time -------------------------------------------------------------------------------------------------------------


def auction(floor, **terms):
    """From 1.2 of the index to 0.6 in ten minutes."""
    wanted = {"gives": GIVES_PRICE, "of": OF_TIME, "from": 0, "to": 600 * SECOND, "size": TAKE_ALL, "beyond": 1}
    offer(floor, line(1_200_000, 600_000), **(wanted | terms))


def price_after(floor, nanoseconds):
    """What the curve says so much later, told by a bid for one dollar."""
    floor.wait(nanoseconds)
    coins(floor, 10.5)
    assert bid(floor, BOB, 40) == []
    floor.wait(1).clock()
    (filled,) = floor.happened(events.BID_FILLED)
    return filled["price"]


def test_a_falling_auction(bank):
    auction(bank)
    coins(bank, 10.5)
    assert price_after(bank, 5 * MINUTE) == 900_000  # bids are filled a nanosecond later: up
    assert price_after(bank, 5 * MINUTE) == 600_000
    assert price_after(bank, 9 * MINUTE) == 600_000


def test_an_auction_starts_again(bank):
    auction(bank, lasts_ns=10 * MINUTE, then=1)
    coins(bank, 10.5)
    assert price_after(bank, 5 * MINUTE) == 900_000
    assert price_after(bank, 7 * MINUTE) == 1_080_000


def test_no_auction_runs_while_prices_are_silent(bank):
    auction(bank)
    coins(bank, 10.5)
    bank.wait(5 * MINUTE)
    coins(bank, 10.5)
    bank.wait(10 * MINUTE).clock()  # just fresh
    bank.wait(HOUR).clock()
    assert bid(bank, BOB, 50) == [reject.PRICE_STALE]
    assert price_after(bank, MINUTE) == 600_000
    bank.configure(ASSET, {key.A_OFFER: 0}, row=COIN)


def test_active_time_counts_only_fresh_minutes(bank):
    auction(bank, to=2_400 * SECOND)
    coins(bank, 10.5)
    bank.wait(HOUR).clock()  # ten minutes of which the price was fresh
    assert price_after(bank, 0) == 1_050_000
    bank.configure(ASSET, {key.A_FROZEN: 1}, row=COIN)
    bank.wait(5 * MINUTE).clock()
    assert bid(bank, BOB, 50) == [reject.ASSET_FROZEN]
    bank.configure(ASSET, {key.A_FROZEN: 0}, row=COIN)
    assert price_after(bank, 0) == 1_050_000


def test_step_by_step_and_then_the_converter(bank):
    bank.deposit(CONVERTER, USD, 50_000)
    bank.configure(CURVE, line(50_000, 50_000) | {key.C_LASTS_NS: MINUTE})
    bank.configure(CURVE, line(0, 0) | {key.C_LASTS_NS: 2 * MINUTE, key.C_THEN: 1})
    bank.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    coins(bank, 10.5)
    bank.wait(119 * SECOND).clock()
    assert bid(bank, BOB, 5_000) == []  # the first step heals nobody at once: no bonus, weight 0.9
    assert [each[0] for each in later(bank)] == [BOB]
    assert bank.happened(events.LIQUIDATION_ENDED)
    coins(bank, 10.3)
    bank.wait(MINUTE).clock()
    assert not bank.happened(events.CONVERTED)
    bank.wait(2 * MINUTE).clock()
    assert bank.happened(events.CONVERTED) and bank.happened(events.LIQUIDATION_ENDED)
    assert bid(bank, BOB, 5_000) == [reject.NOT_IN_LIQUIDATION]


def test_a_ladder_for_debts_in_one_asset(bank):
    bank.configure(CURVE, line(10_000, 10_000))
    bank.configure(CURVE, line(50_000, 50_000) | {key.C_DEBT: COIN, key.C_ELSE: 1})
    bank.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    coins(bank, 10.5)
    bid(bank, BOB, 500)
    later(bank)
    (filled,) = bank.happened(events.BID_FILLED)
    assert (filled["reason"], filled["price"]) == (1, 10_000)


# --- Bids -------------------------------------------------------------------------------------------------------------


def test_who_asks_least_comes_first_and_gets_what_it_asks(bank):
    offer(bank, size=TAKE_ALL, beyond=1)
    coins(bank, 9.9)
    bid(bank, BOB, 10_000)
    bid(bank, CAT, 10_000, least=1_050, options=AS_ASKED)
    bank.deposit(DAN, USD, 5_000)
    bid(bank, DAN, 5_000, least=520, options=AS_ASKED)
    assert later(bank) == [(DAN, 5_000, 520, 0), (CAT, 10_000, 1_050, 0), (BOB, 4_000, 424, 0)]


def test_whoever_heals_an_account_ends_it(bank):
    offer(bank, size=TAKE_ALL)
    coins(bank, 10.5)
    bid(bank, BOB, 10_000)
    bid(bank, CAT, 5_000, least=480, options=AS_ASKED)
    assert later(bank) == [(CAT, 5_000, 480, 0)]
    (closed,) = bank.happened(events.BID_CLOSED)
    assert (closed["account"], closed["extra"]) == (BOB, reject.NOT_IN_LIQUIDATION)


def test_a_limit_is_a_share_of_what_is_filled(bank):
    offer(bank, size=TAKE_ALL, beyond=1)
    coins(bank, 9.9)
    assert bid(bank, BOB, 10_500, least=1_114) == [reject.BID_LIMIT_NOT_MET]
    assert bid(bank, BOB, 10_500, least=1_113) == []
    assert bid(bank, CAT, 38_000, least=4_029) == []  # 2,000 coins for 18,860
    assert later(bank) == [(BOB, 10_500, 1_113, 0)]
    (closed,) = bank.happened(events.BID_CLOSED)
    assert closed["extra"] == reject.BID_LIMIT_NOT_MET  # 887 coins for 8,366


def test_no_dust_is_left(bank):
    offer(bank)
    bank.configure(ASSET, {key.A_DUST: 18_000}, row=USD)
    coins(bank, 10.5)
    assert bid(bank, BOB, 1_820) == [reject.BID_LEAVES_DUST]
    assert bid(bank, BOB, 50_000) == []
    assert later(bank) == [(BOB, 19_000, 1_899, 0)]


def test_a_bidder_may_borrow(bank):
    offer(bank)
    coins(bank, 10.5)
    assert bid(bank, DAN, 1_820) == [reject.BALANCE_TOO_LOW]
    assert bid(bank, DAN, 1_820, options=MAY_BORROW) == [reject.OPENING_MARGIN_EXCEEDED]
    bank.deposit(DAN, USD, 400)
    assert bid(bank, DAN, 1_820, options=MAY_BORROW) == []
    assert later(bank) == [(DAN, 1_585, 157, 0)]
    assert (bank.cash(DAN), bank.cash(DAN, COIN)) == (-1_185, 157)


def test_the_order_of_refusals(bank):
    offer(bank)
    assert bid(bank, BOB, 10, options=4, target=99) == [reject.FIELD_OUT_OF_RANGE]
    assert bid(bank, BOB, 10, least=-1) == [reject.FIELD_OUT_OF_RANGE]
    assert bid(bank, BOB, 10, options=AS_ASKED) == [reject.FIELD_OUT_OF_RANGE]
    assert bid(bank, BOB, 10, debt=COIN) == [reject.FIELD_OUT_OF_RANGE]
    assert bid(bank, 99, 10) == [reject.ACCOUNT_UNKNOWN]
    assert bid(bank, BOB, 10, target=1 << 40) == [reject.ACCOUNT_UNKNOWN]
    assert bid(bank, LENDER, 10) == [reject.ACCOUNT_IS_NOT_TRADABLE]
    assert bid(bank, ANN, 10) == [reject.SAME_ACCOUNT]
    assert bid(bank, BOB, 10, collateral=9) == [reject.ASSET_UNKNOWN]
    assert bid(bank, BOB, 10, debt=1 << 40) == [reject.ASSET_UNKNOWN]
    assert bid(bank, BOB, 0) == [reject.AMOUNT_MUST_BE_POSITIVE]
    assert bid(bank, BOB, AMOUNT_MAX + 1) == [reject.AMOUNT_EXCEEDS_LIMIT]
    assert bid(bank, BOB, 10) == [reject.NOT_IN_LIQUIDATION]
    coins(bank, 10.5)
    assert bid(bank, ANN, 10, target=BOB) == [reject.ACCOUNT_IN_LIQUIDATION]
    assert bid(bank, BOB, 10, collateral=USD, debt=COIN) == [reject.NO_OFFER]
    assert bid(bank, BOB, 5) == [reject.BID_TOO_SMALL]
    bank.configure(ASSET, {key.A_OFFER: 0}, row=COIN)
    assert bid(bank, BOB, 10) == [reject.NO_OFFER]


def test_as_many_bids_as_there_is_room_for(make_floor):
    floor = make_floor(bids=2)
    open_bank(floor)
    indebt_ann(floor)
    floor.deposit(BOB, USD, 60_000)
    offer(floor)
    coins(floor, 10.5)
    floor.deposit(CAT, USD, 60_000)
    floor.deposit(DAN, USD, 60_000)
    assert [bid(floor, each, 100) for each in (BOB, CAT, DAN)] == [[], [], [reject.BIDS_FULL]]
    assert len(later(floor)) == 2
    assert bid(floor, BOB, 100) == []


def test_one_account_does_not_fill_an_instant(bank):
    """One bid for a pair; of 256 bids an account has 32, whatever they are for."""
    offer(bank)
    bank.deposit(ANN, USD, 1)
    coins(bank, 10.5)
    assert [bid(bank, BOB, 100), bid(bank, BOB, 200), bid(bank, CAT, 100)] == [[], [reject.BID_REPEATED], []]


def test_few_bids_of_one_account(make_floor):
    floor = make_floor(bids=8)
    open_bank(floor)
    floor.deposit(CAT, USD, 60_000)
    for each in (ANN, BOB):
        floor.deposit(each, COIN, 2_000)
        floor.borrow(each, USD, 19_000)
    offer(floor)
    coins(floor, 10.5)
    assert [bid(floor, CAT, 100, target=each) for each in (ANN, BOB)] == [[], [reject.TOO_MANY_BIDS]]


# --- A close factor ---------------------------------------------------------------------------------------------------


def test_a_bid_repays_a_part_of_the_debt(bank):
    """A tenth of 19,000; then a tenth of what is left, and all of it once the rest would be dust."""
    bank.configure(CURVE, line(100_000, 100_000))
    offer(bank, size=TAKE_ALL, part=1)
    coins(bank, 9.9)
    repaid = []
    for _ in range(2):
        bid(bank, BOB, 50_000)
        repaid.append(later(bank)[0][1])
    assert repaid == [1_900, 1_710]
    bank.configure(ASSET, {key.A_DUST: 14_000}, row=USD)
    bid(bank, BOB, 50_000)
    assert later(bank)[0][1] == 15_390


# --- Dust -------------------------------------------------------------------------------------------------------------


def test_dust_keeps_no_loss_from_being_recognised(bank):
    """Nobody sells the last coins, and yet the debt is paid."""
    bank.deposit(INSURANCE, USD, 50_000)
    bank.configure(ASSET, {key.A_DUST: 100}, row=COIN)
    offer(bank, line(0, 0), lasts_ns=MINUTE, size=TAKE_ALL)
    coins(bank, 0.04)  # all coins are worth 80 dollars
    (taken,) = bank.happened(events.DUST_TAKEN)
    assert (taken["account"], taken["amount"], taken["other"]) == (ANN, 2_000, INSURANCE)
    assert bank.happened(events.FUND_PAID)[0]["amount"] == 19_000
    assert (bank.cash(ANN), bank.cash(ANN, COIN), bank.cash(INSURANCE, COIN)) == (0, 0, 2_000)
    assert bank.happened(events.LIQUIDATION_ENDED)


def test_what_is_more_than_dust_is_kept(bank):
    bank.deposit(INSURANCE, USD, 50_000)
    bank.configure(ASSET, {key.A_DUST: 80}, row=COIN)
    coins(bank, 0.04)
    assert bank.happened(events.FUND_PAID)[0]["amount"] == 18_920
    assert bank.cash(ANN, COIN) == 2_000


# --- Parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "wrong"),
    [
        ({key.C_FROM: 5, key.C_TO: 5}, key.C_TO),
        ({key.C_OF: OF_TIME, key.C_FROM: -1}, key.C_FROM),
        (line(21 * PPM, 21 * PPM), key.C_POINT),
        (line(0, 32), key.C_POINT + 1),  # a bonus that rises with health
        ({key.C_OF: OF_TIME, **line(32, 0)}, key.C_POINT + 1),
        ({key.C_OF: OF_LTV, **line(32, 0)}, key.C_POINT + 1),
        ({key.C_GIVES: GIVES_PRICE, **line(32, 0)}, key.C_POINT + 1),
        ({key.C_DEBT: 9}, key.C_DEBT),
        ({key.C_DEBT: USD, key.C_ELSE: 1}, key.C_ELSE),
        ({key.C_THEN: 1}, key.C_THEN),
        ({key.C_THEN: 2, key.C_LASTS_NS: 1}, key.C_THEN),
        ({key.C_PART: 1}, key.C_PART),
    ],
)
def test_curves_that_make_no_sense(bank, terms, wrong):
    bank.configure(CURVE, line(50_000, 50_000) | terms)
    (refused,) = bank.happened(events.REJECTED)
    assert (refused["reason"], refused["order"]) == (reject.PARAMETERS_DISAGREE, wrong)


@pytest.mark.parametrize(
    ("terms", "fits"),
    [
        (line(111_111, 111_111), True),  # 1.111111 x 0.9 = 0.9999999
        (line(111_112, 111_112), False),
        (line(111_112, 111_112) | {key.C_SIZE: TAKE_ALL}, True),
        (line(900_001, 900_001) | {key.C_GIVES: GIVES_PRICE}, True),
        (line(900_000, 900_000) | {key.C_GIVES: GIVES_PRICE}, False),
    ],
)
def test_a_step_that_restores_must_heal(bank, terms, fits):
    bank.configure(CURVE, terms)
    bank.configure(ASSET, {key.A_OFFER: 1}, row=COIN)
    refused = [(event["reason"], event["order"]) for event in bank.happened(events.REJECTED)]
    assert refused == ([] if fits else [(reject.PARAMETERS_DISAGREE, key.A_OFFER)])


def test_a_curve_never_changes_and_weights_keep_to_it(bank):
    offer(bank, line(100_000, 100_000))
    bank.configure(CURVE, {key.C_FEE_PPM: 1}, row=1)
    assert bank.happened(events.REJECTED)[0]["reason"] == reject.PARAMETER_IS_FIXED
    bank.configure(CURVE, {key.C_FEE_PPM: 1}, row=2)
    assert bank.happened(events.REJECTED)[0]["reason"] == reject.CURVE_UNKNOWN
    bank.configure(ASSET, {key.A_TIER_MAINTAIN_PPM: 950_000}, row=COIN)
    assert bank.happened(events.REJECTED)[0]["order"] == key.A_OFFER
