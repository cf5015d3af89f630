"""The stories behind the golden files. Each only says commands; what comes of them is in the files.

`day` is not among them: a recording of the simulation, told once and kept.
"""

import numpy as np

from steelyard.model import commands as do
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE, FEED, MARKET, OWNER, RISK_ARRAY, RISK_TIER
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import (
    ABSORBS,
    ADAPTIVE,
    AS_ASKED,
    BACKS,
    BACKSTOP,
    BORROW,
    BY_POSITION,
    BY_SCENARIO,
    CANCEL_ONLY,
    CLOSE_POSITION,
    CONVERTER,
    DEMAND_NARROW,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    FOK,
    FOR_BOOK,
    FOR_BORROWERS,
    FOR_POOL,
    FROM_FUND,
    GIVES_PRICE,
    GTT,
    HALTED,
    INSURANCE,
    INVERSE,
    IOC,
    KINK,
    LENDER,
    MAY_BORROW,
    OF_COVER,
    OF_TIME,
    ON_INDEX,
    ON_LAST,
    OPEN,
    PEG,
    POST_ONLY,
    POST_ONLY_MARKET,
    POST_ONLY_SLIDE,
    POWER,
    REDUCE_ONLY,
    REDUCE_ONLY_MARKET,
    RESTART,
    SELL,
    SPOT,
    STOP,
    STP_BOTH,
    STP_MAKER,
    STP_NONE,
    STP_TAKER,
    TAKE_ALL,
    TAKE_PROFIT,
    TAKE_WHOLE,
    TO_LIQUIDATE,
    TO_OPEN,
    TO_TRIGGER,
    TO_WITHDRAW,
    TRAILING,
    WIDENS_ALL,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from tests.telling import Teller

USD, COIN = 1, 2
ANN, BOB, CAT, DAN, EVE, FAY = range(7, 13)  # accounts, each of its own owner 2, 3, ...
LOT = 10_000  # atoms of one lot at 1,000 ticks


def named(number):
    """A client order id."""
    return {"client0": number, "client4": -number}


def open_venue(teller, *markets, people=6, purse=1_000_000, price=1_000):
    """Dollars, a market for each of the given settings at the same price, and people with a purse each."""
    teller.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    for row, settings in enumerate(markets, start=1):
        teller.configure(FEED, {key.F_STALENESS_NS: HOUR})
        usual = {key.M_FEED: row, key.M_ATOMS_PER_TICK_LOT: 10, key.M_TICKS_MAX: 4_000, key.M_ORDER_LOTS_MAX: 1_000}
        usual |= {key.M_POSITION_LOTS_MAX: 5_000, key.M_FUNDING_INTERVAL_NS: 0, key.M_MARK_POLICY: 1}
        usual |= {key.M_SLICE_NOTIONAL: 1 << 40, key.M_PRICE_BAND_PPM: 500_000}
        teller.configure(MARKET, usual | settings)
    for owner in range(2, 2 + people):
        teller.configure(OWNER, {key.O_STP: STP_MAKER})
        teller.open_account(owner)
        teller.deposit(owner + 5, USD, purse)
    teller.price(dict.fromkeys(range(1, len(markets) + 1), price))


def trading(t):
    """Orders of every kind, self-trades, amendments, timers, and what is refused."""
    fees = {key.M_FEE_TIERS: 2, key.M_MAKER_PPM: 200, key.M_TAKER_PPM: 500}
    fees |= {key.M_MAKER_PPM + 1: -100, key.M_TAKER_PPM + 1: 300}
    open_venue(t, fees | {key.M_MARK_POLICY: 0}, {key.M_LEVERAGE_DEFAULT: 5, key.M_PRICE_BAND_PPM: 20_000})
    t.configure(OWNER, {key.O_FEE_TIER: 1}, row=3)
    # A book of three levels, met by limit, market, immediate and fill-or-kill orders.
    for price, lots in ((1_001, 5), (1_002, 7), (1_004, 9)):
        t.order(BOB, 1, -lots, price)
        t.order(BOB, 1, lots, 2_000 - price)
    t.order(ANN, 1, 6, 1_002)
    t.order(ANN, 1, 4)
    t.order(CAT, 1, -12, 998, tif=IOC)
    t.order(CAT, 1, 40, 1_004, tif=FOK)
    t.order(CAT, 1, 8, 1_004, tif=FOK)
    t.order(DAN, 1, 30, tif=FOK)
    t.order(DAN, 1, 2, tif=FOK)
    # Post-only: refused, slid behind the best price, resting.
    t.order(EVE, 1, 3, 1_004, options=POST_ONLY)
    t.order(EVE, 1, 3, 1_010, options=POST_ONLY_SLIDE, **named(1))
    t.order(EVE, 1, 3, 990, options=POST_ONLY, **named(2))
    t.order(EVE, 1, 1, 990, **named(2))  # the id is taken
    # The same owner on both sides, in every mode.
    for mode in (STP_NONE, STP_TAKER, STP_MAKER, STP_BOTH):
        t.order(FAY, 1, -2, 1_006)
        t.order(FAY, 1, 3, 1_006, stp=mode)
        t.cancel_all(FAY)
    # Amending: in its place, at a new price, larger, into the other side, below what is filled.
    t.order(DAN, 1, -10, 1_020, **named(3))
    t.say(do.AMEND_ORDER, {"account": DAN, "lots": 8, **named(3)})
    t.say(do.AMEND_ORDER, {"account": DAN, "price": 1_015, **named(3)})
    t.say(do.AMEND_ORDER, {"account": DAN, "lots": 12, **named(3)})
    t.order(ANN, 1, 5, 1_015)
    t.say(do.AMEND_ORDER, {"account": DAN, "lots": 5, **named(3)})
    t.say(do.AMEND_ORDER, {"account": DAN, "price": 998, **named(3)})
    t.say(do.AMEND_ORDER, {"account": DAN, **named(3)})
    t.say(do.CANCEL_ORDER, {"account": DAN, **named(3)})
    t.say(do.CANCEL_ORDER, {"account": DAN, **named(3)})
    # Reduce-only shrinks with the position; a large order turns it round.
    t.order(ANN, 1, -6, 1_030, options=REDUCE_ONLY)
    t.order(ANN, 1, -9, 1_031, options=REDUCE_ONLY)
    t.order(BOB, 1, 20, 1_000)
    t.order(ANN, 1, -6, 1_000)
    t.order(ANN, 1, -20, 1_000, tif=IOC)
    t.order(ANN, 1, -1, options=REDUCE_ONLY)
    # Time: an order that expires, a switch that cancels everything.
    t.order(CAT, 1, 2, 980, tif=GTT, expires_ns=t.now + 5 * SECOND)
    t.order(CAT, 1, 2, 979)
    t.cancel_after(CAT, 10 * SECOND)
    t.wait(7 * SECOND).clock()
    t.wait(7 * SECOND).clock()
    # What is refused.
    t.order(CAT, 2, 3, 1_021)
    t.order(CAT, 2, 700, 1_000)
    t.order(CAT, 2, 2_000, 1_000)
    t.order(CAT, 3, 1, 1_000)
    t.order(99, 1, 1, 1_000)
    t.order(INSURANCE, 1, 1, 1_000)
    t.order(CAT, 1, 1, 1_000, side=0)
    t.order(CAT, 1, 0, 1_000)
    for state in (HALTED, CANCEL_ONLY, POST_ONLY_MARKET, REDUCE_ONLY_MARKET, 0):
        t.configure(MARKET, {key.M_STATE: state}, row=2)
        t.order(CAT, 2, 1, 1_000)
    t.say(do.PRICE, {"market": 1, "price": 5_000})
    t.wait(-SECOND).clock()
    t.wait(40 * 24 * HOUR).clock()
    t.wait(-40 * 24 * HOUR + 2 * HOUR).order(CAT, 1, 1, 1_000)  # the price is stale by now


def funding(t):
    """Five days: premiums above and below, a cap, a stale night, a new interval, dust."""
    market = {key.M_FUNDING_INTERVAL_NS: 8 * HOUR, key.M_SAMPLE_INTERVAL_NS: 4 * HOUR, key.M_IMPACT_NOTIONAL: 5 * LOT}
    market |= {key.M_FUNDING_CAP_PPB: 4_000_000, key.M_MARK_POLICY: 0, key.M_ATOMS_PER_TICK_LOT: 7}
    quiet = {key.M_FUNDING_INTERVAL_NS: HOUR, key.M_SAMPLE_INTERVAL_NS: HOUR, key.M_INTEREST_PPB: -300_000}
    open_venue(t, market, quiet)
    t.configure(FEED, {key.F_STALENESS_NS: 6 * HOUR}, row=1)
    t.trade(ANN, BOB, 1, 13, 1_000)
    t.trade(CAT, DAN, 1, 17, 1_001)
    t.trade(EVE, FAY, 2, 11, 1_000)
    for hour in range(0, 120, 4):
        t.wait(4 * HOUR)
        premium = (0, 9, -6, 40, -40)[hour // 24]
        t.cancel_all(DAN)
        if hour != 60:  # one side of the book is missing
            t.order(DAN, 1, 20, 1_000 + hour + premium - 1)
        t.order(DAN, 1, -20, 1_000 + hour + premium + 1)
        if not 72 <= hour < 84:  # nobody reports at night
            t.price({1: 1_000 + hour, 2: 1_000 - hour})
        if hour % 24 == 12:
            t.order(ANN, 1, -1, options=REDUCE_ONLY)
            t.order(FAY, 2, 1, 1_000, options=REDUCE_ONLY)
        if hour == 96:
            t.configure(MARKET, {key.M_FUNDING_INTERVAL_NS: 4 * HOUR}, row=1)
    t.configure(MARKET, {key.M_FUNDING_INTERVAL_NS: 0}, row=2)
    t.wait(24 * HOUR).price({1: 1_100, 2: 900})
    for account in (ANN, BOB, CAT, DAN):
        t.order(account, 1, 1, 1_400, tif=IOC)


def cascade(t):
    """A fall: slices through the book, the backstop, the fund, counterparties; then waiting and recovery."""
    shared = {key.M_LEVERAGE_DEFAULT: 50, key.M_SLICE_NOTIONAL: 20 * LOT, key.M_SLICE_PPM: 300_000}
    shared |= {key.M_BACKSTOP_LOTS_MAX: 40, key.M_COOLDOWN_NS: 2 * SECOND, key.M_SLIP_PPM: 10_000}
    shared |= {key.M_BRACKETS: 2, key.M_BRACKET_UPPER: 100 * LOT, key.M_BRACKET_MAINTAIN_PPM: 10_000}
    shared |= {
        key.M_BRACKET_MAINTAIN_PPM + 1: 20_000,
        key.M_BRACKET_OPEN_PPM: 20_000,
        key.M_BRACKET_OPEN_PPM + 1: 40_000,
    }
    open_venue(t, shared, shared | {key.M_REACH_PPM: 500_000}, people=12, purse=20_000)
    longs, maker = range(ANN, ANN + 8), ANN + 11
    t.deposit(maker, USD, 10_000_000)
    t.deposit(INSURANCE, USD, 8_000)
    t.deposit(BACKSTOP, USD, 90_000)
    for account in longs:
        t.trade(account, maker, 1, 60 + 4 * (account - ANN), 1_000)
    t.trade(ANN + 8, maker, 2, 50, 1_000)
    t.trade(ANN + 9, ANN + 8, 1, 30, 1_000)
    for price in range(985, 900, -12):
        t.order(maker, 1, 25, price)
        t.order(ANN + 10, 2, 2, price)
    t.order(longs[0], 1, -10, 1_050, options=REDUCE_ONLY)
    for price in (993, 988, 985, 984, 982):
        t.wait(SECOND).price({1: price, 2: price + 2})
    t.order(longs[1], 1, 5, 980)  # it is in the queue, or safe
    t.deposit(longs[1], USD, 4_000)
    t.configure(MARKET, {key.M_STATE: HALTED}, row=1)
    t.wait(SECOND).price({1: 970})
    t.wait(3 * SECOND).clock()
    t.configure(MARKET, {key.M_STATE: 0}, row=1)
    for price in (965, 940, 900, 850):
        t.wait(SECOND).price({1: price, 2: price - 30})
    t.wait(2 * HOUR)
    t.order(maker, 1, -1, 850, options=REDUCE_ONLY)  # stale: the queue waits
    t.price({1: 870, 2: 870})
    for _ in range(6):
        t.wait(3 * SECOND).clock()
    t.deposit(INSURANCE, USD, 500_000)
    for price in (880, 700, 690, 1_020):
        t.wait(3 * SECOND).price({1: price, 2: price})
    for _ in range(4):
        t.wait(3 * SECOND).clock()


def isolated(t):
    """Positions with margin of their own, and orders that wait: stops, take-profits, trailing stops."""
    open_venue(t, {key.M_MARK_POLICY: 0, key.M_SLIP_PPM: 20_000}, {key.M_LEVERAGE_DEFAULT: 10})
    t.isolate(ANN, 1)
    t.isolate(BOB, 2)
    t.leverage(ANN, 1, 10)
    t.deposit(INSURANCE, USD, 50_000)
    for price, lots in ((999, 30), (995, 40), (985, 60), (950, 60)):
        t.order(CAT, 1, lots, price)
        t.order(CAT, 1, -lots, 2_000 - price)
    # Margin goes to the child with the order and comes back with its end.
    t.order(ANN, 1, 10, 990, **named(1))
    t.say(do.AMEND_ORDER, {"account": ANN, "lots": 6, **named(1)})
    t.say(do.AMEND_ORDER, {"account": ANN, "price": 991, "lots": 9, **named(1)})
    t.say(do.CANCEL_ORDER, {"account": ANN, **named(1)})
    t.order(ANN, 1, 20)
    t.move_margin(ANN, 1, 5_000)
    t.move_margin(ANN, 1, -2_000)
    t.move_margin(ANN, 1, -900_000)
    t.order(ANN, 1, -5, options=REDUCE_ONLY)
    t.leverage(ANN, 1, 5)
    t.cross(ANN, 1)
    # Orders that wait.
    t.order(ANN, 1, -5, trigger_kind=STOP, trigger=990, options=REDUCE_ONLY, **named(2))
    t.order(ANN, 1, -5, 1_010, trigger_kind=TAKE_PROFIT, trigger=1_008, trigger_on=ON_INDEX, options=REDUCE_ONLY)
    close = {"account": ANN, "market": 1, "side": SELL, "order_type": 1, "tif": IOC, "options": CLOSE_POSITION}
    t.say(do.PLACE_ORDER, close | {"trigger_kind": STOP, "trigger": 960, "trigger_on": ON_LAST})
    t.order(DAN, 1, 8, trigger_kind=TRAILING, callback=5_000, trigger_on=ON_INDEX)
    t.order(DAN, 1, -8, trigger_kind=TRAILING, callback=4_000, trigger=1_004)
    t.order(EVE, 1, 4, 1_003, trigger_kind=STOP, trigger=1_002)
    t.order(EVE, 1, 4, trigger_kind=STOP, trigger=999)  # it would fire at once
    for price in (1_001, 1_003, 1_009, 1_004, 996, 991, 989):
        t.wait(SECOND).price({1: price})
    t.order(FAY, 1, -70, 985, tif=IOC)
    t.wait(SECOND).price({1: 970})
    # A child fails alone: its parent keeps the rest. The stop of a child that is gone closes nothing.
    t.order(BOB, 2, 30, 1_000, **named(3))
    t.order(FAY, 2, -30, 1_000)
    t.order(FAY, 2, 12, 950)
    t.order(BOB, 2, -30, trigger_kind=STOP, trigger=880, options=REDUCE_ONLY)
    for price in (960, 915, 905, 904, 885):
        t.wait(6 * SECOND).price({2: price})
    t.order(BOB, 2, 5, 880)
    t.cancel_all(BOB)
    t.move_margin(BOB, 2, 100)
    t.order(BOB, 2, -30, trigger_kind=STOP, trigger=870, options=REDUCE_ONLY, **named(4))
    t.wait(SECOND).price({2: 875})
    t.order(BOB, 2, 20, 875)
    t.order(FAY, 2, -10, 875)
    for price in (800, 600, 590):
        t.wait(6 * SECOND).price({2: price})
    t.wait(10 * SECOND).clock()


def collateral(t):
    """A coin as collateral, a market settled in it, debts, conversion, and money that comes and goes."""
    t.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 50, key.A_LOAN_CAP: 20_000, key.A_CONVERT_HAIRCUT_PPM: 1_000})
    t.configure(FEED, {key.F_QUORUM: 2, key.F_STALENESS_NS: HOUR} | {key.F_WEIGHT + i: i < 3 for i in range(8)})
    coin = {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 500, key.A_CONVERT_HAIRCUT_PPM: 25_000}
    coin |= {
        key.A_TIERS: 2,
        key.A_TIER_UPPER: 40_000,
        key.A_TIER_UPPER + 1: 200_000,
        key.A_BORROW_WEIGHT_PPM: 1_100_000,
    }
    coin |= {key.A_TIER_OPEN_PPM: 900_000, key.A_TIER_MAINTAIN_PPM: 950_000}
    t.configure(ASSET, coin | {key.A_TIER_OPEN_PPM + 1: 600_000, key.A_TIER_MAINTAIN_PPM + 1: 700_001})
    for feed, settle in ((2, USD), (3, COIN)):
        t.configure(FEED, {key.F_STALENESS_NS: HOUR})
        settings = {key.M_FEED: feed, key.M_SETTLE: settle, key.M_TICKS_MAX: 4_000, key.M_ORDER_LOTS_MAX: 2_000}
        settings |= {key.M_POSITION_LOTS_MAX: 4_000, key.M_FUNDING_INTERVAL_NS: 8 * HOUR, key.M_MARK_POLICY: 1}
        t.configure(
            MARKET, settings | {key.M_ATOMS_PER_TICK_LOT: 10 if settle == USD else 3, key.M_PRICE_BAND_PPM: PPM}
        )
    for owner in range(2, 8):
        t.configure(OWNER, {key.O_STP: STP_MAKER})
        t.open_account(owner)
    coins = 12 * ASSET_PRICE_SCALE + 345  # twelve atoms of value for one of the coin

    def report(coin_price, first, second):
        t.say(
            do.PRICE,
            *({"market": 1, "account": source, "price": coin_price + source, "trigger": t.now} for source in range(3)),
            {"market": 2, "price": first, "trigger": t.now},
            {"market": 3, "price": second, "trigger": t.now},
        )

    report(coins, 1_000, 400)
    t.deposit(LENDER, USD, 300_000)
    t.deposit(CONVERTER, USD, 60_000)
    t.deposit(CONVERTER, COIN, 400)
    t.deposit(INSURANCE, COIN, 1_000)
    for account in (ANN, BOB, CAT, DAN):
        t.deposit(account, COIN, 60_000)
        t.deposit(account, USD, 50_000 if account != ANN else 1_000)
    t.deposit(EVE, USD, 2_000_000)
    t.deposit(EVE, COIN, 900_000)
    t.deposit(FAY, COIN, 10_000)
    # Ann owns coins and trades in dollars; what she loses she owes.
    t.trade(ANN, EVE, 1, 60, 1_000)
    t.trade(EVE, BOB, 2, 200, 400)
    t.trade(FAY, EVE, 1, 6, 1_000)
    t.withdraw(EVE, USD, 500_000)
    t.confirm(t.references)
    t.withdraw(EVE, COIN, 1_000)
    t.return_back(t.references)
    t.return_back(t.references)
    t.confirm(999)
    t.transfer(CAT, DAN, COIN, 10_000)
    t.transfer(CAT, DAN, COIN, 100_000)
    t.transfer(LENDER, FAY, USD, 1_000)
    t.withdraw(LENDER, USD, 299_001)
    for first, second in ((990, 404), (900, 410), (800, 416), (700, 420)):
        t.wait(SECOND)
        report(coins, first, second)
        t.trade(EVE, ANN, 1, 12, first)
        t.trade(BOB, EVE, 2, 20, second)
    t.trade(EVE, FAY, 1, 6, 700)  # Fay holds nothing now but coins and a debt
    t.order(ANN, 1, 10, 700)
    t.withdraw(LENDER, USD, 290_000)
    t.transfer(LENDER, DAN, USD, 250_000)
    t.withdraw(FAY, USD, 10)
    t.withdraw(DAN, USD, 290_000)
    # The coin falls, and with it everything that stands on it.
    for coin_price, second in ((9, 450), (5, 500), (3, 620), (2, 760)):
        t.wait(2 * SECOND)
        report(coin_price * ASSET_PRICE_SCALE, 700, second)
    t.deposit(CONVERTER, USD, 900_000)
    for _ in range(3):
        t.wait(2 * SECOND).clock()
    t.deposit(INSURANCE, COIN, 200_000)
    t.deposit(CONVERTER, COIN, 30_000)
    report(2 * ASSET_PRICE_SCALE, 500, 800)
    for _ in range(3):
        t.wait(6 * SECOND).clock()
    t.wait(2 * HOUR)
    t.withdraw(EVE, USD, 1)  # prices are stale
    t.wait(9 * HOUR)
    report(ASSET_PRICE_SCALE // 1_000, 300, 900)
    t.deposit(INSURANCE, USD, 20_000)
    for _ in range(3):
        t.wait(6 * SECOND).clock()
    t.deposit(INSURANCE, USD, 500_000)
    t.wait(2 * SECOND).clock()


def governing(t):
    """Parameters: what may be set, what disagrees, and what a change does to those who hold a position."""
    open_venue(t, {key.M_OI_LOWER_LOTS: 20, key.M_OI_UPPER_LOTS: 200, key.M_OPEN_INTEREST_LOTS_MAX: 150}, {})
    t.trade(ANN, BOB, 1, 60, 1_000)
    t.trade(CAT, DAN, 2, 60, 1_000)
    t.price({1: 1_001})
    t.order(EVE, 1, 30, 1_001)
    t.order(EVE, 1, 100, 1_001)
    t.configure(RISK_TIER, {key.T_LEVERAGE_MAX: 3})
    t.configure(RISK_TIER, {key.T_PRODUCTS: 0})
    t.configure(OWNER, {key.O_RISK_TIER: 2}, row=2)
    t.order(ANN, 1, 30, 1_000)
    t.leverage(ANN, 1, 10)
    t.leverage(BOB, 1, 2)
    t.leverage(BOB, 2, 15)
    t.configure(OWNER, {key.O_RISK_TIER: 3}, row=3)
    t.order(BOB, 1, -1, 1_000)
    t.order(BOB, 1, 1, 1_000, options=REDUCE_ONLY)
    t.configure(OWNER, {key.O_RISK_TIER: 9}, row=3)
    # Sets that cannot be.
    t.configure(MARKET, {key.M_FEED: 1})
    t.configure(MARKET, {key.M_SETTLE: 1}, row=1)
    t.configure(MARKET, {key.M_TAKEOVER_PPM: PPM + 1}, row=1)
    t.configure(MARKET, {key.M_RESTORE_PPM: 3 * PPM}, row=1)
    t.configure(MARKET, {key.M_MAKER_PPM: -600}, row=1)
    t.configure(MARKET, {key.M_DEDUCT_OPEN: 1}, row=1)
    t.configure(MARKET, {key.M_BRACKETS: 2, key.M_BRACKET_UPPER: 5}, row=1)
    t.configure(MARKET, {key.M_STATE: 1}, row=7)
    t.configure(9, {0: 0})
    t.configure(ASSET, {key.A_FEED: 2})
    t.configure(ASSET, {key.A_TIERS: 2}, row=1)
    t.configure(FEED, {key.F_QUORUM: 8} | {key.F_WEIGHT + i: 0 for i in range(1, 8)})
    # Steeper brackets: refused until they are split at the old rates, then they come by a ramp of a minute.
    steep, flat = {key.M_BRACKETS: 3}, {key.M_BRACKETS: 3, key.M_RAMP_NS: 60 * SECOND}
    for i, (upper, maintain) in enumerate(((100_000, 20_000), (500_000, 50_000), (1 << 40, 300_000))):
        steep |= {key.M_BRACKET_UPPER + i: upper, key.M_BRACKET_MAINTAIN_PPM + i: maintain}
        steep |= {key.M_BRACKET_OPEN_PPM + i: 2 * maintain}
        flat |= {key.M_BRACKET_UPPER + i: upper, key.M_BRACKET_MAINTAIN_PPM + i: 5_000}
    t.configure(MARKET, steep, row=2)
    t.configure(MARKET, flat, row=2)
    t.configure(MARKET, steep, row=2)
    t.withdraw(CAT, USD, 890_000)
    t.configure(MARKET, {key.M_BRACKET_MAINTAIN_PPM + 1: 200_000, key.M_BRACKET_OPEN_PPM + 1: 400_000}, row=2)
    t.configure(MARKET, {key.M_BRACKET_MAINTAIN_PPM: 250_000, key.M_BRACKET_OPEN_PPM: 500_000}, row=2)
    for _ in range(3):
        t.wait(21 * SECOND).clock()
    # Sources: a quorum of three, of which one lies, one is wide, one is silent.
    weights = {key.F_WEIGHT + i: weight for i, weight in enumerate((2, 2, 1, 0, 0, 0, 0, 0))}
    t.configure(FEED, weights | {key.F_QUORUM: 2, key.F_CONFIDENCE_MAX_PPM: 10_000}, row=1)
    t.wait(SECOND).price({1: 1_010}, sources=(0, 1))
    t.wait(SECOND).price({1: 3_000}, sources=(2,))
    t.wait(SECOND).price({1: 3_000}, sources=(0,), spread=100)
    t.order(EVE, 1, 1, 1_000)
    t.wait(SECOND).price({1: 1_020}, sources=(1, 3))
    t.wait(SECOND).price({1: 1_020}, sources=(0, 0))
    # Rows that do not belong together.
    said = []
    broken = Teller(said.append, t.now)
    broken.price({1: 1_030, 2: 1_030})
    broken.order(EVE, 1, 1, 900)
    said[0]["last"] = 0
    t.hear(said[0])
    t.hear(said[1])
    said[1]["last"] = 0
    t.hear(said[1])
    said[1]["kind"] = 99
    t.hear(said[1])


def borrowing(t):
    """Coins against collateral, and what they cost: rates, repayment, refusals, and debts that outgrow their pledge."""
    day = 24 * HOUR
    open_venue(t, {}, people=4, purse=20_000)
    rates = {key.A_RATE_BASE_PPM: 20_000, key.A_RATE_SLOPE_PPM: 80_000, key.A_RATE_STEEP_PPM: 3_000_000}
    rates[key.A_INTEREST_INTERVAL_NS] = day
    t.configure(ASSET, {key.A_LOAN_CAP: 160_000, key.A_BORROW_WEIGHT_PPM: 1_050_000, **rates}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 365 * day})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000, key.A_CONVERT_HAIRCUT_PPM: 20_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 500, **weights, **rates})
    t.price({2: 12 * ASSET_PRICE_SCALE})
    t.deposit(LENDER, USD, 250_000)
    t.deposit(LENDER, COIN, 300)
    t.deposit(CONVERTER, USD, 150_000)
    t.deposit(INSURANCE, USD, 5_000)
    for person, coins in ((ANN, 20_000), (BOB, 30_000), (CAT, 9_000)):
        t.deposit(person, COIN, coins)
    t.borrow(ANN, USD, 180_001)  # beyond the cap
    t.borrow(ANN, USD, 150_000)
    t.borrow(BOB, USD, 170_000)  # more than is left to lend
    t.borrow(BOB, USD, 100_000)
    t.borrow(DAN, COIN, 301)
    t.borrow(DAN, COIN, 250)
    for _ in range(3):
        t.wait(7 * day).clock()
    t.deposit(ANN, USD, 20_000)
    t.order(BOB, 1, 3, 1_000)  # a resting order beside a debt
    t.order(DAN, 1, -3, 1_000)
    t.wait(day).price({1: 1_000, 2: 11 * ASSET_PRICE_SCALE})
    t.configure(ASSET, {key.A_RATE_BASE_PPM: 5_000_000}, row=USD)
    for _ in range(12):
        t.wait(10 * day).clock()
    t.price({1: 1_000, 2: 3 * ASSET_PRICE_SCALE})
    for _ in range(5):
        t.wait(HOUR).price({1: 1_000, 2: 2 * ASSET_PRICE_SCALE})
    t.deposit(DAN, COIN, 200)
    t.deposit(DAN, COIN, 100)
    t.withdraw(DAN, USD, 1_000)


def pairs(t):
    """Coins for dollars on a book of their own: for cash, with loans on both sides, and a buyer who is sold out."""
    open_venue(t, {}, people=4, purse=100_000)
    t.configure(ASSET, {key.A_LOAN_CAP: 600_000, key.A_CONVERT_HAIRCUT_PPM: 10_000}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 24 * HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000, key.A_BORROW_WEIGHT_PPM: 1_100_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 20_000, **weights})
    pair = {key.M_KIND: SPOT, key.M_SETTLE: USD, key.M_BASE: COIN, key.M_LOT_ATOMS: 100, key.M_FEED: 0}
    pair |= {key.M_ATOMS_PER_TICK_LOT: 10, key.M_TICKS_MAX: 1_000, key.M_FUNDING_INTERVAL_NS: 0}
    pair |= {key.M_ORDER_LOTS_MAX: 500, key.M_POSITION_LOTS_MAX: 1_000, key.M_MARK_POLICY: 1, key.M_MAKER_PPM: 0}
    t.configure(MARKET, pair | {key.M_FEED: 2})  # a pair follows its assets: refused
    t.configure(MARKET, pair | {key.M_BASE: USD})
    t.configure(MARKET, pair)
    t.order(ANN, 2, 1, 120)  # there is no price yet
    t.price({1: 1_000, 2: 12 * ASSET_PRICE_SCALE})
    for account, asset, amount in ((LENDER, USD, 900_000), (LENDER, COIN, 9_000), (CONVERTER, USD, 400_000)):
        t.deposit(account, asset, amount)
    t.deposit(CONVERTER, COIN, 20_000)
    t.deposit(BOB, COIN, 20_000)
    t.order(BOB, 2, -60, 121)
    t.order(ANN, 2, 40, 121)
    t.order(BOB, 2, -141, 121)  # more coins than he has left
    t.order(BOB, 2, -140, 121)
    t.order(ANN, 2, 40, 119)
    t.withdraw(ANN, USD, 5_000)  # it is for her order
    t.order(CAT, 2, 480, 121, options=BORROW)  # beyond what the weights allow
    t.order(CAT, 2, 200, 121, options=BORROW)
    t.order(DAN, 2, -95, 119, options=BORROW)  # sells what it has not, beyond what is left to lend
    t.order(DAN, 2, -85, 119, options=BORROW)
    t.order(BOB, 2, -5, 122, options=BORROW)
    t.order(CAT, 2, 5, 122, options=POST_ONLY | BORROW)
    t.order(CAT, 2, 6, 122, tif=FOK, options=BORROW)
    t.leverage(ANN, 2, 3)
    t.isolate(ANN, 2)
    t.order(ANN, 2, 10, trigger_kind=STOP, trigger=125)
    t.wait(HOUR).price({1: 1_000, 2: 125 * ASSET_PRICE_SCALE // 10})
    t.order(DAN, 2, 30, 130)  # buys part of it back
    t.order(DAN, 2, -30, 130, options=REDUCE_ONLY)
    t.wait(HOUR).price({2: 9 * ASSET_PRICE_SCALE})
    t.wait(HOUR).price({2: 7 * ASSET_PRICE_SCALE})
    t.order(DAN, 2, 20, 75, options=BORROW)
    t.wait(30 * HOUR).clock()
    t.order(DAN, 2, 5, 85)  # the coin's price is stale
    t.price({2: 8 * ASSET_PRICE_SCALE})
    t.cancel_all(ANN)
    t.withdraw(ANN, USD, 1_000)


def pools(t):
    """Lenders and their shares: interest between them, the house's part, shares as collateral, refusals."""
    day = 24 * HOUR
    open_venue(t, {}, people=5, purse=0)
    rates = {key.A_RATE_BASE_PPM: 20_000, key.A_RATE_SLOPE_PPM: 80_000, key.A_RATE_STEEP_PPM: 3_000_000}
    rates |= {key.A_INTEREST_INTERVAL_NS: day, key.A_RESERVE_PPM: 100_000, key.A_POOL_MAX: 400_000}
    t.configure(ASSET, {key.A_LOAN_CAP: 400_000, **rates}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 365 * day})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000, key.A_CONVERT_HAIRCUT_PPM: 20_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 9_000, **weights, **rates})
    t.price({2: 12 * ASSET_PRICE_SCALE})
    t.deposit(LENDER, USD, 20_000)  # the operator's, which buys the first shares
    t.configure(ASSET, {key.A_POOL_OF: USD, **weights})
    t.configure(ASSET, {key.A_POOL_OF: USD})
    t.configure(ASSET, {key.A_POOL_OF: COIN, **weights})
    dollars, coins = COIN + 1, COIN + 2
    t.deposit(CONVERTER, USD, 150_000)
    for person in (ANN, BOB, EVE):
        t.deposit(person, USD, 200_000)
    t.deposit(CAT, COIN, 30_000)
    t.deposit(DAN, COIN, 20_000)
    t.supply(ANN, USD, 150_000)
    t.supply(BOB, USD, 300_000)  # beyond the cap
    t.supply(BOB, USD, 100_000)
    t.supply(DAN, COIN, 8_000)
    t.deposit(LENDER, USD, 1)
    t.transfer(LENDER, EVE, dollars, 2_000_000)
    t.borrow(CAT, USD, 250_000)
    t.borrow(ANN, COIN, 5_000)  # against her shares
    for _ in range(4):
        t.wait(7 * day).clock()
        t.redeem(BOB, dollars, 500_000)
        t.supply(DAN, COIN, 1_000)
    t.redeem_all(ANN, dollars)  # all is lent
    t.trade(EVE, BOB, 1, 10, 1_000)
    t.deposit(CAT, USD, 40_000)
    t.redeem_all(EVE, dollars)
    t.price({2: 13 * ASSET_PRICE_SCALE})
    t.redeem(DAN, coins, 99)
    t.redeem(DAN, coins, 100_001)
    t.withdraw(DAN, coins, 100)
    t.transfer(DAN, BOB, coins, 100_000)
    t.configure(ASSET, {key.A_RESERVE_PPM: 300_000, key.A_RATE_BASE_PPM: 900_000}, row=USD)
    for _ in range(6):
        t.wait(10 * day).clock()
    t.price({1: 1_000, 2: 9 * ASSET_PRICE_SCALE})  # who borrowed is sold out
    for _ in range(3):
        t.wait(day).price({1: 1_000, 2: 8 * ASSET_PRICE_SCALE})
    for person, share in ((ANN, dollars), (BOB, dollars), (BOB, coins), (DAN, coins), (CONVERTER, dollars)):
        t.redeem_all(person, share)
    # The converter takes what is left, the fund has nothing: the lenders lose the rest.
    t.deposit(CONVERTER, USD, 400_000)
    t.wait(2 * SECOND).clock()
    t.redeem_all(ANN, dollars)
    # Limits.
    limits = {key.A_LOANS_MAX: 60_000, key.A_UTILISATION_MAX_PPM: 700_000, key.A_OUTFLOW_MAX: 45_000}
    limits |= {key.A_POOL_MAX: 1 << 40, key.A_OUTFLOW_WINDOW_NS: HOUR}
    t.configure(ASSET, {key.A_RATE_BASE_PPM: 0, key.A_RESERVE_PPM: 0, **limits}, row=USD)
    t.supply(EVE, USD, 70_000)
    t.deposit(DAN, COIN, 20_000)
    t.borrow(DAN, USD, 60_001)
    t.borrow(DAN, USD, 59_000)
    t.borrow(DAN, USD, 45_001)
    t.borrow(DAN, USD, 45_000)
    t.redeem(EVE, dollars, 1_000)
    t.wait(HOUR).price({1: 1_000, 2: 8 * ASSET_PRICE_SCALE})
    t.redeem(EVE, dollars, 1_000)


def rates(t):
    """Interest that moves by itself: towards a target of what is lent, and by the price of a coin against its peg."""
    day = 24 * HOUR
    open_venue(t, {}, people=2, purse=0)
    follows = {key.A_RATE_KIND: ADAPTIVE, key.A_RATE_BASE_PPM: 40_000, key.A_RATE_KINK_PPM: 900_000}
    t.configure(ASSET, {key.A_LOAN_CAP: 1 << 40, key.A_INTEREST_INTERVAL_NS: 7 * day, **follows}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 365 * day})
    pegged = {key.A_RATE_KIND: PEG, key.A_RATE_BASE_PPM: 100_000, key.A_RATE_SPEED_PPM: 1_000 * 10**6}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 1 << 40, **pegged})
    t.price({2: ASSET_PRICE_SCALE})
    for asset in (USD, COIN):
        t.deposit(LENDER, asset, 1_000_000)
    t.deposit(ANN, COIN, 9_000_000)
    t.deposit(BOB, USD, 9_000_000)
    t.borrow(ANN, USD, 500_000)  # little is lent: it falls
    t.borrow(BOB, COIN, 9_000)
    for _ in range(3):
        t.wait(3 * day).clock()
    t.borrow(ANN, USD, 490_000)  # nearly all: it rises
    for cents in (99, 97, 80, 101, 130):
        t.wait(6 * day).price({2: ASSET_PRICE_SCALE * cents // 100})
    t.configure(ASSET, {key.A_INTEREST_INTERVAL_NS: 8 * day}, row=USD)  # it could move too far
    t.configure(ASSET, {key.A_RATE_MAX_PPM: 60_000}, row=USD)
    t.configure(ASSET, {key.A_RATE_KIND: ADAPTIVE}, row=COIN)  # its target may be reached, its speed is too high
    t.configure(ASSET, {key.A_RATE_KIND: ADAPTIVE, key.A_RATE_SPEED_PPM: 10**6}, row=COIN)
    t.deposit(ANN, USD, 1_500_000)
    for _ in range(9):
        t.wait(25 * day).clock()
    t.deposit(LENDER, USD, 1)  # nobody owes dollars: it has fallen to its floor
    t.configure(ASSET, {key.A_RATE_KIND: KINK}, row=USD)
    t.deposit(BOB, COIN, 20_000)


def stakes(t):
    """Pools that take debts over: gains by share, partial and whole absorptions, a loss, an epoch that ends."""
    open_venue(t, {}, people=6, purse=0)
    t.configure(ASSET, {key.A_LOAN_CAP: 400_000}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    t.price({2: 12 * ASSET_PRICE_SCALE})
    stake = {key.A_POOL_OF: USD, key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN, key.A_POOL_MAX: 250_000}
    t.configure(ASSET, stake)
    t.configure(ASSET, stake)
    t.configure(ASSET, stake | {key.A_POOL_GAINS: USD})
    share, keeper = COIN + 1, 13
    bonus = {key.C_POINT + i: 50_000 for i in range(33)}
    t.configure(CURVE, bonus | {key.C_SIZE: TAKE_WHOLE, key.C_FEE_PPM: 100_000})  # whole debts are for pools
    t.configure(CURVE, bonus | {key.C_SIZE: TAKE_WHOLE, key.C_TAKER: FOR_POOL, key.C_FEE_PPM: 100_000})
    auction = {key.C_OF: OF_TIME, key.C_TO: 60 * SECOND, key.C_SIZE: TAKE_ALL, key.C_LASTS_NS: 60 * SECOND}
    t.configure(CURVE, bonus | auction | {key.C_THEN: 1})  # a minute for bidders, then the pool
    t.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    t.deposit(LENDER, USD, 900_000)
    for person in (BOB, CAT, DAN):
        t.deposit(person, USD, 200_000)
    t.stake(BOB, share, USD, 150_000)
    t.stake(CAT, share, USD, 150_000)  # beyond the cap
    t.stake(CAT, share, USD, 50_001)
    t.stake(CAT, COIN, USD, 50_000)
    t.deposit(keeper, USD, 5)
    t.deposit(ANN, COIN, 10_000)
    t.borrow(ANN, USD, 90_000)
    t.deposit(EVE, COIN, 30_000)
    t.borrow(EVE, USD, 270_000)
    t.claim(BOB, share)
    t.price({2: 9_900_000_000_000})  # both are unhealthy: bidders have a minute
    t.say(do.LIQUIDATE, {"account": DAN, "order": ANN, "market": COIN, "trigger": USD, "lots": 30_000})
    t.wait(SECOND).clock()
    t.transfer(BOB, DAN, share, 1_000_000)
    t.wait(70 * SECOND).clock()  # the pool takes ANN's debt whole, a part of EVE's
    t.claim(CAT, share)
    t.transfer(BOB, DAN, share, 1_000_000)
    t.stake(DAN, share, USD, 1_000)  # it is spent
    t.redeem_all(CAT, share)
    t.configure(ASSET, stake)  # a new epoch
    t.stake(DAN, share + 1, USD, 150_000)
    t.wait(10 * SECOND).price({2: 7 * ASSET_PRICE_SCALE})
    for person in (BOB, DAN):
        for each in (share, share + 1):
            t.claim(person, each)
            t.redeem_all(person, each)
    t.wait(90 * SECOND).clock()


def spreading(t):
    """Debts that other borrowers take over: by pool first, whole, at a loss; gains claimed, in turns, and repaid."""
    open_venue(t, {}, people=5, purse=0)
    for _ in range(2):
        t.configure(FEED, {key.F_STALENESS_NS: 600 * HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    owed = {key.A_FEED: 3, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 100_000, key.A_RATE_BASE_PPM: 9_000_000}
    t.configure(ASSET, owed | {key.A_POOL_GAINS: 9})
    t.configure(ASSET, owed | {key.A_POOL_GAINS: COIN, key.A_RESERVE_PPM: 100_000})
    note = COIN + 1
    t.price({2: 12 * ASSET_PRICE_SCALE, 3: ASSET_PRICE_SCALE})
    t.configure(ASSET, {key.A_POOL_OF: note, key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN})
    bonus = {key.C_POINT + i: 50_000 for i in range(33)} | {key.C_FEE_PPM: 100_000}
    t.configure(CURVE, bonus | {key.C_TAKER: FOR_BORROWERS})  # a part of a debt is not for borrowers
    t.configure(CURVE, bonus | {key.C_TAKER: FOR_BORROWERS, key.C_SIZE: TAKE_WHOLE})
    t.configure(CURVE, bonus | {key.C_TAKER: FOR_POOL, key.C_SIZE: TAKE_ALL, key.C_THEN: 1})
    t.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    t.deposit(LENDER, note, 500_000)
    for person, debt, coins in ((ANN, 19_000, 2_000), (BOB, 30_000, 6_000), (CAT, 26_500, 2_800), (DAN, 9_000, 3_000)):
        t.deposit(person, COIN, coins)
        t.borrow(person, note, debt)
    t.deposit(EVE, note, 2_000)
    t.stake(EVE, note + 1, note, 2_000)
    t.wait(6 * HOUR).clock()
    t.price({2: 10_530_000_000_000})  # ANN: the pool's 2,000, then the others; CAT, whom it pushes below, has her gain
    t.claim(EVE, note)
    t.claim(BOB, note)
    t.claim(BOB, note)
    t.wait(10 * HOUR).price({2: 9_000_000_000_000})  # CAT at a loss
    t.wait(HOUR).price({2: 6 * ASSET_PRICE_SCALE})  # BOB owes more than DAN: nobody's debt more than doubles
    t.deposit(DAN, note, 60_000)
    t.claim(DAN, note)
    t.redeem_all(EVE, note + 1)


def claims(t):
    """A debt beyond its collateral: the fund pays, then claims are issued and sold, and lenders bear what is left."""
    open_venue(t, {}, people=5, purse=0)
    t.configure(ASSET, {key.A_LOAN_CAP: 60_000, key.A_LENDER_BEARS: 1}, row=USD)
    for _ in range(2):
        t.configure(FEED, {key.F_STALENESS_NS: 600 * HOUR})
    minute = 60 * SECOND
    auction = {key.C_OF: OF_TIME, key.C_TO: minute, key.C_SIZE: TAKE_ALL, key.C_LASTS_NS: minute, key.C_BEYOND: 1}
    t.configure(CURVE, {key.C_POINT + i: i * 30_000 for i in range(33)} | auction)
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    issued = COIN + 1
    t.configure(ASSET, {key.A_FEED: 3, key.A_SUPPLY_MAX: 12_000, key.A_OFFER: 1})
    for what in (USD, 9, issued):
        t.configure(ASSET, {key.A_ISSUES: what}, row=USD)
    t.price({2: 12 * ASSET_PRICE_SCALE, 3: 2 * ASSET_PRICE_SCALE})
    t.deposit(LENDER, USD, 90_000)
    t.deposit(CONVERTER, USD, 40_000)
    t.deposit(INSURANCE, USD, 500)
    for person in (BOB, CAT):
        t.deposit(person, USD, 50_000)
    t.deposit(DAN, issued, 10_000)
    t.deposit(ANN, COIN, 2_000)
    t.borrow(ANN, USD, 19_000)
    t.deposit(EVE, COIN, 2_500)
    t.borrow(EVE, USD, 23_500)
    bid = {"account": BOB, "order": ANN, "market": issued, "trigger": USD}
    t.say(do.LIQUIDATE, bid | {"lots": 100})
    t.wait(SECOND).price({2: 8 * ASSET_PRICE_SCALE})  # 3,000 and 3,500 are missing; the fund has 500
    t.wait(20 * SECOND).clock()
    t.say(do.LIQUIDATE, bid | {"lots": 1_000})
    t.say(do.LIQUIDATE, bid | {"lots": 900, "account": CAT, "price": 400, "options": AS_ASKED})
    t.say(do.LIQUIDATE, bid | {"lots": 9_000, "account": CAT, "order": EVE})
    t.wait(SECOND).clock()
    t.say(do.LIQUIDATE, bid | {"lots": 9_000})  # what is left of ANN's, then no more may be issued
    t.wait(SECOND).clock()
    t.wait(60 * SECOND).clock()
    t.wait(60 * SECOND).clock()


def payers(t):
    """A market's own fund, the insurance fund and staked capital pay in order; stakers earn, say they leave, and go."""
    open_venue(t, {key.M_LEVERAGE_DEFAULT: 50}, people=5, purse=20_000)
    t.configure(ASSET, {key.A_LOAN_CAP: 30_000, key.A_LENDER_BEARS: 1}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 600 * HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, **weights})
    t.price({2: 12 * ASSET_PRICE_SCALE})
    backs = {key.A_POOL_OF: USD, key.A_POOL_KIND: BACKS}
    own, staked = COIN + 1, COIN + 2
    t.configure(ASSET, backs)
    t.configure(ASSET, backs | {key.A_POOL_COOL_NS: HOUR, key.A_POOL_FEE_PPM: 250_000})
    t.stake(CAT, own, USD, 1_000)
    t.stake(BOB, staked, USD, 9_000)
    t.deposit(INSURANCE, USD, 500)
    t.configure(MARKET, {key.M_PAYER: own, key.M_PAYER + 1: FROM_FUND, key.M_PAYER + 2: staked}, row=1)
    t.configure(MARKET, {key.M_PAYER + 1: own}, row=1)  # the same twice
    t.configure(ASSET, {key.A_PAYER: FROM_FUND, key.A_PAYER + 1: staked, key.A_FUND_STEP_MAX: 200}, row=USD)
    t.withdraw(ANN, USD, 17_900)
    t.trade(ANN, CAT, 1, 10, 1_000)
    t.order(EVE, 1, 4, 983)
    t.wait(SECOND).price({1: 983})  # a part finds a buyer, and stakers earn of its fee
    t.wait(SECOND).price({1: 950})  # the rest is beyond her means: each pays, then counterparties
    t.redeem(BOB, staked, 100)
    t.say(do.LEAVE, {"account": BOB, "market": staked, "lots": 500_000})
    t.deposit(LENDER, USD, 50_000)
    t.withdraw(DAN, USD, 20_000)
    t.deposit(DAN, COIN, 1_000)
    t.borrow(DAN, USD, 9_000)
    t.deposit(CONVERTER, USD, 50_000)
    t.deposit(INSURANCE, USD, 300)
    t.wait(HOUR).price({2: 6 * ASSET_PRICE_SCALE})  # a debt: the fund by steps, then the stakers
    t.redeem(BOB, staked, 100)
    for _ in range(4):
        t.wait(SECOND).clock()
    t.redeem(BOB, staked, 500_000)
    t.redeem_all(CAT, own)


def sales(t):
    """Collateral meets a spot book: slices, a fee, a thin book and the step that follows, both ways round."""
    minute = 60 * SECOND
    open_venue(t, people=6, purse=0)
    t.configure(ASSET, {key.A_LOAN_CAP: 400_000}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: HOUR})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    coin = {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 40, key.A_LOAN_CAP: 30_000, key.A_BORROW_WEIGHT_PPM: 1_050_000}
    t.configure(ASSET, coin | weights)
    pair = {key.M_KIND: SPOT, key.M_SETTLE: USD, key.M_BASE: COIN, key.M_LOT_ATOMS: 10, key.M_FEED: 0}
    pair |= {key.M_ATOMS_PER_TICK_LOT: 1, key.M_TICKS_MAX: 4_000, key.M_ORDER_LOTS_MAX: 5_000}
    pair |= {key.M_POSITION_LOTS_MAX: 5_000, key.M_FUNDING_INTERVAL_NS: 0, key.M_MARK_POLICY: 1}
    pair |= {key.M_SLICE_NOTIONAL: 100_000, key.M_SLICE_PPM: 100_000, key.M_PRICE_BAND_PPM: 500_000}
    t.configure(MARKET, pair)
    t.price({1: 12 * ASSET_PRICE_SCALE})
    bonus = {key.C_POINT + i: 50_000 for i in range(33)}
    book = {key.C_TAKER: FOR_BOOK, key.C_LASTS_NS: minute}
    t.configure(CURVE, bonus | {key.C_SIZE: TAKE_ALL})
    t.configure(CURVE, bonus | {key.C_TAKER: FOR_BOOK})  # it must say how long
    t.configure(CURVE, bonus | book | {key.C_FEE_PPM: 1})  # the fee is the market's
    t.configure(CURVE, bonus | book | {key.C_THEN: 1})
    t.configure(CURVE, bonus | book | {key.C_SIZE: TAKE_ALL})
    t.configure(ASSET, {key.A_OFFER: 2}, row=COIN)
    t.configure(ASSET, {key.A_OFFER: 3}, row=USD)
    t.deposit(LENDER, USD, 900_000)
    t.deposit(LENDER, COIN, 90_000)
    for person in (BOB, CAT):
        t.deposit(person, USD, 300_000)
        t.deposit(person, COIN, 30_000)
    t.deposit(ANN, COIN, 10_000)
    t.borrow(ANN, USD, 90_000)
    t.deposit(EVE, COIN, 20_000)
    t.borrow(EVE, USD, 187_000)
    t.deposit(DAN, USD, 120_000)
    t.borrow(DAN, COIN, 8_000)
    t.order(BOB, 1, 40, 100)
    t.order(CAT, 1, 10, 102)
    t.order(EVE, 1, -10, 103)  # closed when she is liquidated
    t.price({1: 9_950_000_000_000})
    t.say(do.LIQUIDATE, {"account": BOB, "order": EVE, "market": COIN, "trigger": USD, "lots": 5_000})  # not yet
    t.wait(5 * SECOND).clock()
    t.order(BOB, 1, 900, 95)
    t.wait(5 * SECOND).clock()
    t.wait(minute).clock()  # the step is over: bids
    t.say(do.LIQUIDATE, {"account": CAT, "order": EVE, "market": COIN, "trigger": USD, "lots": 5_000})
    t.wait(SECOND).clock()
    t.cancel_all(BOB)
    t.cancel_all(CAT)
    t.order(BOB, 1, -200, 146)
    t.order(CAT, 1, -900, 149)
    t.price({1: 14_500_000_000_000})  # DAN owes too much: coins are bought with his dollars, slice by slice
    for _ in range(4):
        t.wait(5 * SECOND).clock()
    # A ladder that ends without a taker, and without a converter, begins again: who says so is paid, once.
    again = {key.C_LASTS_NS: 30 * SECOND, key.C_TIP: 50, key.C_CHIP_PPM: 1_000, key.C_SIZE: TAKE_ALL}
    t.configure(CURVE, bonus | again)
    t.configure(ASSET, {key.A_OFFER: 4}, row=COIN)
    t.deposit(INSURANCE, USD, 300)
    t.deposit(FAY, COIN, 10_000)
    t.borrow(FAY, USD, 110_000)
    word = {"account": BOB, "order": FAY, "market": COIN, "trigger": USD, "options": RESTART}
    t.say(do.LIQUIDATE, word)
    t.price({1: 12 * ASSET_PRICE_SCALE})
    t.say(do.LIQUIDATE, word)  # an offer stands
    t.wait(31 * SECOND).clock()
    t.say(do.LIQUIDATE, word)
    t.wait(31 * SECOND).clock()
    t.say(do.LIQUIDATE, word | {"account": CAT})
    t.say(do.LIQUIDATE, {"account": CAT, "order": FAY, "market": COIN, "trigger": USD, "lots": 20_000})
    t.wait(SECOND).clock()


def offers(t):
    """Collateral of accounts in liquidation: bonuses by cover, an auction, rival bids, dust, and the converter last."""
    minute = 60 * SECOND

    def curve(first, last, **terms):
        wanted = {getattr(key, f"C_{name.upper()}"): value for name, value in terms.items()}
        t.configure(CURVE, {key.C_POINT + i: first + (last - first) * i // 32 for i in range(33)} | wanted)

    def bid(bidder, target, lots, least=0, options=0, debt=USD, collateral=COIN):
        line = {"account": bidder, "order": target, "market": collateral, "trigger": debt, "lots": lots}
        t.say(do.LIQUIDATE, line | {"price": least, "options": options})

    open_venue(t, {}, people=6, purse=0)
    t.configure(ASSET, {key.A_LOAN_CAP: 400_000, key.A_TARGET_PPM: 1_050_000, key.A_DUST: 500}, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 10 * minute})
    weights = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 850_000, key.A_CONVERT_HAIRCUT_PPM: 20_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40, key.A_DUST: 500, **weights})
    t.price({2: 12 * ASSET_PRICE_SCALE})
    t.deposit(LENDER, USD, 900_000)
    t.deposit(CONVERTER, USD, 90_000)
    t.deposit(INSURANCE, USD, 100_000)
    for person, coins in ((ANN, 20_000), (BOB, 10_000), (CAT, 5_000)):
        t.deposit(person, COIN, coins)
    for person in (DAN, EVE):
        t.deposit(person, USD, 120_000)
    curve(0, 0, of=OF_TIME)  # a bonus that falls, and other nonsense
    curve(50_000, 100_000)
    curve(100_000, 50_000, of=OF_COVER, **{"from": 900_000, "to": PPM}, fee_ppm=100_000, lasts_ns=5 * minute, then=9)
    auction = {"of": OF_TIME, "gives": GIVES_PRICE, "from": 0, "to": 20 * minute, "size": TAKE_ALL}
    curve(1_200_000, 400_000, **auction, lasts_ns=30 * minute)
    curve(100_000, 50_000, of=OF_COVER, **{"from": 900_000, "to": PPM}, fee_ppm=100_000, lasts_ns=5 * minute, then=2)
    t.configure(ASSET, {key.A_OFFER: 4}, row=COIN)
    t.configure(ASSET, {key.A_OFFER: 3}, row=COIN)
    t.configure(ASSET, {key.A_TIER_MAINTAIN_PPM: 950_000}, row=COIN)
    t.borrow(ANN, USD, 190_000)
    t.borrow(BOB, USD, 95_000)
    t.borrow(CAT, USD, 40_000)
    bid(DAN, ANN, 10_000)
    # Rivals of one instant: who asks for the least comes first.
    t.wait(minute).price({1: 1_000, 2: 11 * ASSET_PRICE_SCALE})
    bid(DAN, ANN, 10_000)
    bid(EVE, ANN, 20_000, least=1_850, options=AS_ASKED)
    bid(DAN, ANN, 30_000, least=2_760, options=AS_ASKED)
    bid(EVE, ANN, 30_000, least=3_100)
    bid(DAN, ANN, 500_000, least=40_000)
    bid(ANN, BOB, 1_000)
    bid(FAY, ANN, 1_000)
    bid(FAY, BOB, 5_000, options=MAY_BORROW)
    bid(LENDER, BOB, 5_000)
    bid(EVE, BOB, 94_800)
    t.wait(minute).clock()
    bid(EVE, BOB, 95_000)
    t.wait(minute).clock()
    # Silence: no auction runs on.
    t.price({1: 1_000, 2: 9 * ASSET_PRICE_SCALE})
    t.wait(HOUR).clock()
    bid(EVE, ANN, 50_000)
    t.price({1: 1_000, 2: 9 * ASSET_PRICE_SCALE})
    bid(EVE, ANN, 50_000)
    t.configure(ASSET, {key.A_FROZEN: 1}, row=COIN)
    t.wait(minute).clock()
    bid(EVE, ANN, 50_000)
    t.configure(ASSET, {key.A_FROZEN: 0}, row=COIN)
    for _ in range(4):
        t.wait(5 * minute).price({1: 1_000, 2: 8 * ASSET_PRICE_SCALE})
        bid(EVE, CAT, 9_000)
    # The ladder ends; the converter takes what it can, dust goes to the fund.
    for price in (7, 6, 4):
        t.wait(9 * minute).price({1: 1_000, 2: price * ASSET_PRICE_SCALE})
    t.wait(minute).price({1: 1_000, 2: ASSET_PRICE_SCALE // 100})
    t.deposit(INSURANCE, USD, 500_000)
    for _ in range(3):
        t.wait(2 * minute).clock()


def inverse(t):
    """Contracts of dollars settled in coins: funding, brackets, a squeeze, a crash, and a fund that is soon empty."""
    t.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    t.configure(FEED, {key.F_STALENESS_NS: 24 * HOUR})
    t.configure(FEED, {key.F_STALENESS_NS: 24 * HOUR})
    weights = {key.A_TIER_OPEN_PPM: 950_000, key.A_TIER_MAINTAIN_PPM: 970_000}
    t.configure(ASSET, {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 44, key.A_LOAN_CAP: 20_000, **weights})
    # A lot is 10,000 dollar atoms: 1,000 coin atoms at 1,000 ticks.
    market = {key.M_SETTLE: COIN, key.M_FEED: 2, key.M_KIND: INVERSE, key.M_ATOMS_PER_TICK_LOT: 1_000_003}
    market |= {key.M_TICKS_MIN: 100, key.M_TICKS_MAX: 4_000, key.M_ORDER_LOTS_MAX: 1_000, key.M_PRICE_BAND_PPM: PPM}
    market |= {key.M_POSITION_LOTS_MAX: 5_000, key.M_FUNDING_INTERVAL_NS: HOUR, key.M_SAMPLE_INTERVAL_NS: 600 * SECOND}
    market |= {key.M_MARK_POLICY: 1, key.M_IMPACT_NOTIONAL: 3_000, key.M_BRACKETS: 2, key.M_BRACKET_UPPER: 100_000}
    market |= {key.M_BRACKET_MAINTAIN_PPM + 1: 20_000, key.M_BRACKET_OPEN_PPM + 1: 40_000}
    t.configure(MARKET, market | {key.M_BACKSTOP_LOTS_MAX: 150, key.M_SLIP_PPM: 100_000})

    def move(ticks):
        t.price({1: ticks * ASSET_PRICE_SCALE // 100, 2: ticks})

    move(1_000)
    for owner in range(2, 8):
        t.configure(OWNER, {key.O_STP: STP_MAKER})
        t.open_account(owner)
        t.deposit(owner + 5, COIN, 40_000 if owner < 7 else 400_000)
    t.deposit(INSURANCE, COIN, 3_000)
    t.deposit(BACKSTOP, COIN, 30_000)
    t.order(ANN, 1, 1, 99)
    t.order(FAY, 1, -500, 1_001)
    t.order(ANN, 1, 300, 1_001)
    t.order(BOB, 1, 100, 1_003)
    t.order(CAT, 1, 100, 1_001)
    t.order(FAY, 1, 50, 998)
    t.order(BOB, 1, -30)  # a part of it, at whatever there is
    t.isolate(DAN, 1)
    t.order(DAN, 1, 20, 1_000)
    t.order(FAY, 1, -20, 1_000)
    t.order(FAY, 1, 40, 990)
    t.order(FAY, 1, -40, 1_015)
    for _ in range(4):
        t.wait(HOUR // 2).clock()
    move(1_100)  # the short has lost a tenth
    t.order(EVE, 1, -60, 1_090)
    t.order(FAY, 1, 60, 1_090)
    for ticks in (940, 920, 905):
        move(ticks)
        t.wait(10 * SECOND).clock()
    t.order(FAY, 1, 200, 880)
    move(820)
    for _ in range(6):
        t.wait(10 * SECOND).clock()
    move(2_400)  # and back, far beyond what the shorts can pay
    for _ in range(6):
        t.wait(10 * SECOND).clock()
    t.say(do.PRICE, {"market": 2, "price": 99, "trigger": t.now})
    t.cancel_all(FAY)


def doubts(t):
    """Prices under every policy: outliers, a spike that is waited out, steps, a delay with a veto, grace, intervals."""
    open_venue(t, {key.M_GRACE_NS: 600 * SECOND, key.M_LEVERAGE_DEFAULT: 10}, people=4, purse=100_000)
    t.deposit(BOB, USD, 10_000_000)
    t.deposit(CAT, USD, 10_000_000)
    t.price({1: 1_000}, sources=(0, 1, 2))
    t.trade(ANN, BOB, 1, 80, 1_000)
    t.order(ANN, 1, -10, 930, trigger_kind=STOP, trigger=950, trigger_on=ON_INDEX, options=REDUCE_ONLY)
    policy = {key.F_QUORUM: 2, key.F_DEVIATION_MAX_PPM: 200_000, key.F_STRICT_QUORUM: 3, key.F_WIDTH_MAX_PPM: 30_000}
    policy |= {key.F_WINDOW_NS: 300 * SECOND, key.F_DIVERGENCE_MAX_PPM: 50_000, key.F_WIDENS: WIDENS_ALL}
    policy |= {key.F_DEMANDS + TO_OPEN: DEMAND_NARROW, key.F_DEMANDS + TO_WITHDRAW: DEMAND_QUORUM}
    policy |= {key.F_DEMANDS + TO_LIQUIDATE: DEMAND_STEADY, key.F_DEMANDS + TO_TRIGGER: DEMAND_STEADY}
    policy |= {key.F_OUTAGE_NS: 3600 * SECOND, key.F_GRACE_NS: 300 * SECOND, key.F_WITNESSES: 8}
    t.configure(FEED, policy, row=1)
    for price in (1_000, 998, 1_001):
        t.wait(120 * SECOND).price({1: price}, sources=(0, 1, 2), spread=2)
    t.price({1: 400}, sources=(2,))  # left out
    t.withdraw(DAN, USD, 1)
    t.withdraw(ANN, USD, 1)
    t.price({1: 940}, sources=(3,))  # a witness
    t.order(DAN, 1, 1, 900)
    # A spike: who is unhealthy by it alone waits, and the stop sees nothing.
    t.wait(SECOND).price({1: 870}, sources=(0, 1, 2))
    t.order(CAT, 1, 100, 860)
    t.wait(2 * SECOND).clock()
    t.order(ANN, 1, 1, 800)
    t.price({1: 995}, sources=(0, 1, 2))
    t.wait(2 * SECOND).clock()
    # It stays: the average comes down to it.
    for _ in range(7):
        t.wait(60 * SECOND).price({1: 880}, sources=(0, 1, 2))
    # Small steps, then a delay and a veto.
    t.configure(FEED, {key.F_STEP_PPM: 10_000, key.F_STEP_NS: 60 * SECOND}, row=1)
    for _ in range(3):
        t.wait(60 * SECOND).price({1: 1_000}, sources=(0, 1, 2))
    t.configure(FEED, {key.F_STEP_PPM: 0, key.F_DELAY_NS: 600 * SECOND}, row=1)
    t.wait(SECOND).price({1: 100}, sources=(0, 1, 2))
    t.configure(FEED, {key.F_HALTED: 1}, row=1)
    t.order(DAN, 1, 1, 900)
    t.configure(FEED, {key.F_HALTED: 0}, row=1)
    t.price({1: 990}, sources=(0, 1, 2))
    t.wait(601 * SECOND).clock()
    t.configure(FEED, {key.F_DELAY_NS: 0, key.F_GROWTH_REF: 900, key.F_GROWTH_PPM: 100_000}, row=1)
    # A gap behind an outage and behind a halt.
    t.trade(DAN, BOB, 1, 60, 900)
    t.wait(3 * HOUR).price({1: 800}, sources=(0, 1, 2))
    t.wait(2 * SECOND).clock()
    t.configure(MARKET, {key.M_STATE: HALTED}, row=1)
    t.wait(400 * SECOND).price({1: 780}, sources=(0, 1, 2))
    t.configure(MARKET, {key.M_STATE: OPEN}, row=1)
    t.wait(2 * SECOND).clock()
    t.order(CAT, 1, 100, 770)
    for _ in range(4):
        t.wait(300 * SECOND).price({1: 780}, sources=(0, 1, 2))
    t.configure(FEED, dict.fromkeys(range(key.F_POLICIES, key.F_GRACE_NS + 1), 0), row=1)


def dated(t):
    """Two futures that expire over a stale stretch, an isolated position, a liquidation, orders; then a delisting."""
    t.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 50})
    for staleness in (30 * 24, 1, 1, 24):
        t.configure(FEED, {key.F_STALENESS_NS: staleness * HOUR})
    weights = {key.A_TIER_OPEN_PPM: 950_000, key.A_TIER_MAINTAIN_PPM: 970_000}
    t.configure(ASSET, {key.A_FEED: 1, key.A_SUPPLY_MAX: 1 << 44, key.A_LOAN_CAP: 20_000, **weights})
    expiry = t.now + 6 * HOUR + 123_456
    usual = {key.M_TICKS_MAX: 4_000, key.M_ORDER_LOTS_MAX: 1_000, key.M_POSITION_LOTS_MAX: 5_000, key.M_MARK_POLICY: 1}
    usual |= {key.M_FUNDING_INTERVAL_NS: 0, key.M_PRICE_BAND_PPM: PPM, key.M_SETTLE_WINDOW_NS: 4 * HOUR}
    usual |= {key.M_BACKSTOP_LOTS_MAX: 0}
    t.configure(MARKET, usual | {key.M_FEED: 2, key.M_ATOMS_PER_TICK_LOT: 10, key.M_EXPIRY_NS: expiry})
    inverse = {key.M_SETTLE: COIN, key.M_KIND: INVERSE, key.M_ATOMS_PER_TICK_LOT: 1_000_003, key.M_TICKS_MIN: 100}
    t.configure(MARKET, usual | inverse | {key.M_FEED: 3, key.M_EXPIRY_NS: expiry})
    funding = {key.M_FUNDING_INTERVAL_NS: HOUR, key.M_SAMPLE_INTERVAL_NS: HOUR}
    t.configure(MARKET, usual | funding | {key.M_FEED: 4, key.M_ATOMS_PER_TICK_LOT: 10})

    def move(ticks):
        t.price({1: ticks * ASSET_PRICE_SCALE // 100, 2: ticks, 3: ticks, 4: ticks})

    move(1_000)
    for owner in range(2, 8):
        t.configure(OWNER, {key.O_STP: STP_MAKER})
        t.open_account(owner)
        t.deposit(owner + 5, USD, 1_000_000)
        t.deposit(owner + 5, COIN, 40_000)
    t.isolate(DAN, 1)
    for market in (1, 2, 3):
        t.trade(ANN, FAY, market, 30, 1_000)
        t.trade(BOB, FAY, market, 11, 1_003)
        t.trade(FAY, CAT, market, 17, 997)
    t.order(FAY, 1, -20, 1_000)
    t.order(DAN, 1, 20, 1_000)
    t.order(DAN, 1, 5, 900)
    t.order(EVE, 1, 800, 1_000)
    t.order(FAY, 1, -800, 1_000, tif=IOC)
    t.order(EVE, 2, 7, trigger_kind=STOP, trigger=1_900)
    t.configure(MARKET, {key.M_EXPIRY_NS: 0}, row=1)
    t.wait(3 * HOUR)
    move(1_050)
    t.wait(2 * HOUR)
    move(1_101)
    t.wait(HOUR // 2).clock()
    t.order(BOB, 1, 1, 1_200)
    t.wait(HOUR // 4)
    move(880)  # Eve has lost about all
    t.wait(HOUR // 4 - SECOND).clock()
    t.wait(2 * SECOND).clock()
    for market in (1, 2):
        t.order(ANN, market, 1, 1_000)
    t.configure(MARKET, {key.M_STATE: 0}, row=1)
    t.wait(HOUR).clock()
    # A perpetual is left, then settled.
    t.configure(MARKET, {key.M_EXPIRY_NS: t.now + 23 * HOUR}, row=3)
    t.configure(MARKET, {key.M_EXPIRY_NS: t.now + 24 * HOUR, key.M_SETTLE_WINDOW_NS: HOUR}, row=3)
    t.order(EVE, 3, 1, 1_000)
    t.order(ANN, 3, -10, 900, options=REDUCE_ONLY)
    t.order(FAY, 3, 10, 900, options=REDUCE_ONLY)
    t.wait(23 * HOUR)
    move(905)
    t.wait(2 * HOUR).clock()
    t.order(ANN, 3, -10, 900, options=REDUCE_ONLY)


def too_much(t):
    """Positions of a group, and collateral, that are too large a part of an account."""
    group = {key.M_GROUP: 1, key.M_LEVERAGE_DEFAULT: 100}
    crowded = {key.M_EXCESS_FROM: 500_000, key.M_EXCESS_PPM: 400_000}
    open_venue(t, group | crowded, group, group | {key.M_EXCESS_FROM: 900_000, key.M_EXCESS_PPM: PPM})
    for row, settings in ((4, {key.A_EXCESS_FROM: 200_000}), (5, {key.A_EXCESS_SHARE_PPM: 300_000})):
        t.configure(FEED, {key.F_STALENESS_NS: HOUR})
        settings |= {key.A_FEED: row, key.A_SUPPLY_MAX: 1 << 40, key.A_GROUP: 3, key.A_EXCESS_PPM: 500_000}
        t.configure(ASSET, settings)
    t.price({4: ASSET_PRICE_SCALE, 5: 2 * ASSET_PRICE_SCALE})
    for market, lots in ((1, 60), (2, 60), (3, 40)):
        t.trade(ANN, BOB, market, lots, 1_000)
    for lots in (60, 20, -400, 40):
        t.order(ANN, 1, lots, 995)
    t.order(ANN, 2, 50, 990)
    t.order(CAT, 3, -130, 1_000)
    t.order(CAT, 3, -70, 1_000)
    for account, asset, amount in ((ANN, 2, 300_000), (ANN, 3, 400_000), (DAN, 3, 900_000)):
        t.deposit(account, asset, amount)
    t.order(ANN, 1, 30, 995)
    for asset, amount in ((USD, 900_000), (3, 200_000), (2, 300_000)):
        t.withdraw(ANN, asset, amount)
    t.order(DAN, 2, 800, 1_000)
    t.withdraw(DAN, USD, 900_000)
    t.withdraw(DAN, USD, 300_000)
    t.price({1: 940, 2: 930, 3: 950, 5: ASSET_PRICE_SCALE})
    t.order(DAN, 2, 10, 930)
    # A limit may be set and taken away at any time; the unit of account has none.
    t.configure(MARKET, crowded, row=2)
    t.order(ANN, 2, 5, 930)
    t.configure(ASSET, {key.A_EXCESS_PPM: 1}, row=USD)
    for row in (1, 2):
        t.configure(MARKET, {key.M_EXCESS_PPM: 0}, row=row)
    t.order(ANN, 2, 5, 930)


def sizes(t):
    """Rates that grow with size: what they let in, whom they liquidate, a ramp, and sets that cannot be."""
    line = {key.M_SIZE_MAINTAIN_PPM: 10_000, key.M_SIZE_MAINTAIN_SLOPE: 10**8}
    line |= {key.M_SIZE_OPEN_PPM: 20_000, key.M_SIZE_OPEN_SLOPE: 2 * 10**8}
    root = {key.M_SIZE_MAINTAIN_ROOT: 10**12, key.M_SIZE_OPEN_ROOT: 4 * 10**12}
    lively = {key.M_LEVERAGE_DEFAULT: 100, key.M_MARK_POLICY: 0, key.M_RAMP_NS: 60 * SECOND}
    open_venue(t, lively | line, lively | root, lively)
    t.trade(ANN, BOB, 1, 400, 1_000)
    t.trade(BOB, CAT, 2, 300, 1_000)
    t.trade(DAN, EVE, 3, 200, 1_000)
    for lots in (300, 200, 60, 20):
        t.order(ANN, 1, lots, 990)
    t.order(ANN, 1, -380, 1_005)
    for price in (900, 850, 800, 770):
        t.order(FAY, 1, 60, price)
        t.wait(SECOND).price({1: price, 2: 2_000 - price, 3: price})
    t.cancel_all(FAY)
    # What was flat gets a root and a slope, by a ramp.
    t.configure(MARKET, root | line, row=3)
    for _ in range(4):
        t.wait(16 * SECOND).price({1: 900, 2: 1_200, 3: 905})
    # Sets that cannot be: restored above what opens; above all at the largest position.
    t.configure(MARKET, {key.M_SIZE_OPEN_PPM: 11_999}, row=1)
    t.configure(MARKET, {key.M_SIZE_OPEN_SLOPE: 119_999_999}, row=1)
    t.configure(MARKET, {key.M_SIZE_OPEN_ROOT: 144 * 10**10}, row=2)
    t.configure(MARKET, {key.M_SIZE_MAINTAIN_SLOPE: 10**9, key.M_SIZE_OPEN_SLOPE: 10**10}, row=1)
    t.configure(MARKET, {key.M_HAS_SIZE: 0}, row=1)
    # And it may be switched off at once.
    t.configure(MARKET, dict.fromkeys((*line, *root), 0), row=3)
    t.order(DAN, 3, -200, 800, options=REDUCE_ONLY)


def lending(t):
    """A loan for a fixed term: paid up, traded at other rates, a borrower in default, maturity; money that is gone."""
    t.configure(ASSET, {key.A_SUPPLY_MAX: 1 << 50, key.A_LOAN_CAP: 50_000})
    for _ in range(2):
        t.configure(FEED, {key.F_STALENESS_NS: 60 * 24 * HOUR})
    loan = {key.M_TICKS_MAX: 2_000, key.M_ORDER_LOTS_MAX: 1_000, key.M_POSITION_LOTS_MAX: 5_000, key.M_MARK_POLICY: 1}
    loan |= {key.M_FUNDING_INTERVAL_NS: 0, key.M_PRICE_BAND_PPM: PPM, key.M_ATOMS_PER_TICK_LOT: 10}
    loan |= {key.M_BACKSTOP_LOTS_MAX: 0, key.M_LEVERAGE_DEFAULT: 20}
    agreed = {key.M_PAID: 1, key.M_SETTLE_PRICE: 1_000, key.M_EXPIRY_NS: t.now + 30 * 24 * HOUR}
    t.configure(MARKET, loan | {key.M_FEED: 1, **agreed})
    t.configure(MARKET, loan | {key.M_FEED: 2})
    t.price({1: 960, 2: 500})
    for owner in range(2, 7):
        t.configure(OWNER, {key.O_STP: STP_MAKER})
        t.open_account(owner)
        t.deposit(owner + 5, USD, 200_000)
    t.isolate(ANN, 1)
    t.trade(BOB, ANN, 1, 20, 960)
    t.trade(BOB, CAT, 1, 1, 950)
    t.withdraw(ANN, USD, 180_000)
    t.order(BOB, 1, 1, 960)
    t.order(DAN, 1, 12, 955)
    t.order(DAN, 1, 12, 955)
    t.trade(DAN, EVE, 2, 100, 500)
    t.price({2: 420})
    t.order(DAN, 2, -100, 420)
    t.order(EVE, 2, 100, 420)
    t.order(CAT, 1, -3, 955)  # what Dan would pay with is gone
    t.wait(10 * 24 * HOUR).price({1: 970})
    t.order(BOB, 1, -5, 965)
    t.order(DAN, 1, 5, 965)
    t.wait(HOUR).price({1: 1_020})
    t.order(EVE, 1, -3, 1_020)
    t.order(ANN, 1, 2, 1_020, options=REDUCE_ONLY)
    t.wait(HOUR).price({1: 1_100})
    t.wait(20 * 24 * HOUR).price({1: 999})
    t.clock()
    t.wait(24 * HOUR).clock()


def scenarios(t):
    """Risk arrays: hedges, orders, a slice of everything, a new array that judges, another way of being margined."""
    moves = (-1_000, -800, -600, -400, -300, -200, -100, 0, 0, 100, 200, 300, 400, 600, 800, 1_000)

    def array(row, percent, **others):
        gains = {key.S_VALUE + i: gain * percent * 10_000 for i, gain in enumerate(moves)}
        t.configure(RISK_ARRAY, gains | {getattr(key, f"S_{name.upper()}"): each for name, each in others.items()}, row)

    lively = {key.M_GROUP: 1, key.M_SLICE_NOTIONAL: 50 * LOT, key.M_COOLDOWN_NS: SECOND, key.M_BACKSTOP_LOTS_MAX: 20}
    open_venue(t, lively, lively, {key.M_GROUP: 0}, purse=200_000)
    t.deposit(FAY, USD, 10_000_000)
    t.deposit(INSURANCE, USD, 20_000)
    t.deposit(BACKSTOP, USD, 90_000)
    t.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=2)
    t.order(ANN, 1, 5, 1_000)  # no array yet
    t.configure(RISK_ARRAY, {key.S_BASIS: 1}, row=1)  # not whole
    array(1, 100, basis=50 * PPM, open_ppm=1_300_000)
    array(2, 110, basis=40 * PPM, short=30 * PPM)
    array(3, 50)
    t.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=3)
    t.trade(ANN, FAY, 1, 100, 1_000)
    t.trade(FAY, ANN, 2, 90, 1_000)
    t.trade(BOB, FAY, 1, 120, 1_000)
    t.trade(BOB, FAY, 3, 30, 1_000)
    t.trade(CAT, FAY, 1, 300, 1_000)
    t.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=4)  # too little to open what is held
    for lots in (400, 100, -150, -60):
        t.order(ANN, 2, lots, 1_000 - lots // 100)
    t.cancel_all(ANN)
    for market in (1, 2, 3):
        t.order(FAY, market, 200, 930)
        t.order(FAY, market, -200, 1_070)
    t.wait(SECOND).price({1: 950, 2: 955, 3: 990})
    array(1, 160)
    for price in (930, 925, 910):
        t.wait(SECOND).price({1: price, 2: price + 5, 3: 985})
    array(2, 400)
    for _ in range(4):
        t.wait(SECOND).clock()
    t.configure(OWNER, {key.O_MARGIN: BY_POSITION}, row=2)
    t.configure(MARKET, {key.M_RESTORE_PPM: 1_600_000, key.M_BRACKET_OPEN_PPM: 20_000}, row=1)
    t.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=1)


def options(t):
    """A call that is paid up and required by its array: writers, a hedge, a rise, a new array, an expiry."""
    gains = (-1_000, -1_000, -1_000, -900, -800, -600, -400, -200, 0, 400, 900, 1_500, 2_200, 3_000, 4_000, 5_000)
    call = {key.M_PAID: 1, key.M_BY_ARRAY: 1, key.M_GROUP: 1, key.M_SETTLE_WINDOW_NS: 60 * SECOND}
    call |= {key.M_EXPIRY_NS: t.now + 48 * HOUR, key.M_SLICE_NOTIONAL: 0, key.M_COOLDOWN_NS: SECOND}

    def array(row, gains, percent, **others):
        values = {key.S_VALUE + i: gain * percent * 10_000 for i, gain in enumerate(gains)}
        t.configure(
            RISK_ARRAY, values | {getattr(key, f"S_{name.upper()}"): each for name, each in others.items()}, row
        )

    open_venue(t, call, {key.M_GROUP: 1}, purse=100_000, price=100)
    t.deposit(FAY, USD, 10_000_000)
    t.deposit(INSURANCE, USD, 5_000)
    t.order(ANN, 1, 1, 100)  # no array yet
    array(1, gains, 100, short=50 * PPM)
    array(2, [300 * step for step in range(-8, 8)], 100)
    t.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=3)
    t.order(FAY, 1, -60, 120)
    t.order(ANN, 1, 20, 120)
    t.order(ANN, 1, 2_000, 100)  # more than there is to pay with
    t.order(FAY, 1, 40, 90)
    for writer in (BOB, CAT):
        t.order(writer, 1, -30, 90)
        t.order(writer, 1, -12, 90)
    t.order(BOB, 2, 30, 101)
    t.order(FAY, 2, -30, 101)
    t.order(FAY, 1, -40, 300)
    for price in (200, 280, 350, 450):
        t.wait(SECOND).price({1: price, 2: 100 + price // 10})
    array(1, gains, 180, short=50 * PPM)
    for _ in range(3):
        t.wait(SECOND).clock()
    t.wait(47 * HOUR).price({1: 400, 2: 140})
    t.wait(HOUR - 50 * SECOND).price({1: 390, 2: 139})
    t.wait(60 * SECOND).clock()
    t.order(ANN, 1, -1, 300)


def epochs(t):
    """A pool by a power of its use and near a ceiling; bonuses that end with the equity; lost, and anew."""
    day, share = 24 * HOUR, 3
    open_venue(t, {}, people=4, purse=0)
    rates = {key.A_RATE_KIND: POWER, key.A_RATE_BASE_PPM: 20_000, key.A_INTEREST_INTERVAL_NS: day}
    limits = {key.A_LOANS_MAX: 100_000, key.A_CEILING_PPM: 200_000, key.A_RESERVE_PPM: 100_000}
    limits |= {key.A_OUTFLOW_MAX: 70_000, key.A_OUTFLOW_WINDOW_NS: HOUR}
    t.configure(ASSET, {key.A_LOAN_CAP: 1 << 40} | rates | limits, row=USD)
    t.configure(FEED, {key.F_STALENESS_NS: 365 * day, key.F_UPPER: 1})
    tiers = {key.A_TIER_OPEN_PPM: 800_000, key.A_TIER_MAINTAIN_PPM: 900_000}
    t.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40} | tiers)
    t.price({2: 12 * ASSET_PRICE_SCALE})
    t.configure(ASSET, {key.A_POOL_OF: USD} | tiers)
    points = {key.C_POINT + i: 400_000 for i in range(33)}
    t.configure(CURVE, points)
    bonus = {key.C_POINT + i: 100_000 for i in range(33)} | {key.C_SIZE: TAKE_ALL, key.C_PART: 1}
    t.configure(CURVE, bonus)
    t.configure(CURVE, bonus | {key.C_BEYOND: 1, key.C_THEN: 3})  # it must say how long it lasts
    t.configure(ASSET, {key.A_OFFER: 2, key.A_DUST: 10}, row=COIN)
    for person in (ANN, BOB, DAN):
        t.deposit(person, USD, 100_000)
    t.deposit(CAT, COIN, 10_000)
    t.supply(ANN, USD, 70_000)
    t.configure(ASSET, {key.A_POOL_OF: USD} | tiers)  # it has a pool
    t.borrow(CAT, USD, 70_001)  # more than there is, and than flows out in an hour
    t.borrow(CAT, USD, 70_000)
    t.wait(day).price({2: 1})  # coins come to nothing
    t.redeem(ANN, share, 1_000)
    t.configure(ASSET, {key.A_POOL_OF: USD} | tiers)  # now it has another
    t.redeem(ANN, share, 1_000)
    t.configure(ASSET, {key.A_FROZEN: 1}, row=share + 1)  # with what is lent, or not at all
    t.price({2: 12 * ASSET_PRICE_SCALE})
    t.deposit(CAT, COIN, 10_000)
    t.supply(BOB, USD, 90_000)
    t.borrow(BOB, USD, 20_000)  # on its own shares
    t.borrow(CAT, USD, 70_000)
    t.transfer(BOB, CAT, share + 1, 100_000)  # she owes to their pool
    for _ in range(3):
        t.wait(2 * day).clock()
    t.price({2: ASSET_PRICE_SCALE * 77 // 10})
    for bidder in (DAN, DAN, BOB):  # one bid of each for the same
        t.say(do.LIQUIDATE, {"account": bidder, "order": CAT, "market": COIN, "trigger": USD, "lots": 90_000})
    t.wait(SECOND).clock()
    t.price({2: 4 * ASSET_PRICE_SCALE})  # she owes more than she has: what is paid for, and no more
    t.say(do.LIQUIDATE, {"account": DAN, "order": CAT, "market": COIN, "trigger": USD, "lots": 5_000})
    t.wait(SECOND).clock()


STORIES = {
    story.__name__: story
    for story in (
        trading,
        funding,
        cascade,
        isolated,
        collateral,
        borrowing,
        pairs,
        offers,
        sales,
        stakes,
        spreading,
        claims,
        payers,
        pools,
        rates,
        inverse,
        dated,
        lending,
        governing,
        doubts,
        sizes,
        too_much,
        scenarios,
        options,
        epochs,
    )
}


def rows_of_story(name):
    said = []
    STORIES[name](Teller(said.append))
    return np.concatenate(said)
