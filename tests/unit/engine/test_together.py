"""Features that meet: bids of lenders, pairs and pools, ramps and liquidations; and snapshots taken in between."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, USD
from tests.unit.engine.test_pool import COIN, DAY, SHARE, open_pool, reasons

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.orders import BORROW, CONVERTER, INSURANCE, IOC, LENDER, MAY_BORROW, SPOT, TAKE_ALL
from steelyard.num.limits import ASSET_PRICE_SCALE
from steelyard.venue.machine import Machine

MINUTE = 60 * key.SECOND


def resume(floor):
    """The machine goes on from a snapshot."""
    machine = floor.both.machine
    floor.both.machine = Machine.restore(machine.snapshot())
    assert floor.both.machine.hash() == machine.hash()


def coins(floor, price):
    floor.price({2: price * ASSET_PRICE_SCALE})


@pytest.fixture
def pool(floor):
    """As of the pool's tests; what is offered gives a bonus of a twentieth."""
    open_pool(floor)
    flat = {key.C_POINT + i: 50_000 for i in range(33)}
    floor.configure(do.CURVE, flat | {key.C_SIZE: TAKE_ALL})
    floor.configure(do.ASSET, {key.A_OFFER: 1}, row=COIN)
    assert not reasons(floor)
    return floor


def bid(floor, bidder, lots, options=0):
    line = {"account": bidder, "order": CAT, "market": COIN, "trigger": USD, "lots": lots, "options": options}
    floor.say(do.LIQUIDATE, line)
    return reasons(floor)


def test_lenders_bid_for_what_their_debtor_offers(pool):
    """Both lend 90,000 of 100,000 and bid with what they have left: the pool they lend to lends them nothing more."""
    pool.supply(ANN, USD, 90_000)
    pool.supply(BOB, USD, 90_000)
    pool.withdraw(CAT, COIN, 85_000)
    pool.borrow(CAT, USD, 130_000)
    pool.wait(20 * DAY)
    coins(pool, 9)
    assert pool.happened(events.LIQUIDATION_STARTED)
    assert bid(pool, ANN, 10_000) == []
    resume(pool)
    assert bid(pool, BOB, 30_000, MAY_BORROW) == [reject.SHARES_OF_SAME_POOL]
    assert bid(pool, BOB, 10_000, MAY_BORROW) == []
    resume(pool)
    pool.redeem_all(ANN, SHARE)
    assert reasons(pool) == [reject.COINS_ARE_LENT]
    pool.wait(key.SECOND).clock()
    filled = [(each["other"], each["lots"], each["amount"]) for each in pool.happened(events.BID_FILLED)]
    assert filled == [(ANN, 10_000, 1_147), (BOB, 10_000, 1_147)]  # a bonus of 0.0328, what CAT has
    assert (pool.cash(ANN), pool.cash(ANN, COIN)) == (0, 1_147)
    assert (pool.cash(BOB), pool.cash(BOB, COIN)) == (0, 1_147)


def test_a_pledged_share_falls_with_a_loss_of_its_pool(floor):
    """BOB owes coins against shares; CAT's dollars are written off, then coins rise, and his shares are sold."""
    open_pool(floor)
    floor.configure(do.ASSET, {key.A_LOAN_CAP: 1 << 40}, row=COIN)
    floor.deposit(LENDER, COIN, 1_000_000)
    floor.deposit(INSURANCE, USD, 100)
    floor.supply(ANN, USD, 50_000)
    floor.supply(BOB, USD, 100_000)
    floor.borrow(BOB, COIN, 6_000)
    floor.withdraw(CAT, COIN, 85_000)
    floor.borrow(CAT, USD, 120_000)
    assert not reasons(floor)
    floor.deposit(CONVERTER, USD, 20_000)
    floor.wait(MINUTE)
    coins(floor, 1)
    assert floor.happened(events.DEBT_WRITTEN_OFF)
    lost = 120_001 - 15_000 - 100  # an atom of interest, what the coins bring, what the fund has
    assert [each["amount"] for each in floor.happened(events.DEBT_WRITTEN_OFF)] == [lost]
    assert (floor.cash(CAT), floor.cash(CAT, COIN), floor.cash(LENDER)) == (0, 0, 150_001 - lost)
    left = floor.facts()["asset"][SHARE]["price"]
    assert left == ASSET_PRICE_SCALE * (150_001 - lost + 1) // (15_000_000 + 100)
    # 10,000,000 shares at 90 % against 6,000 coins.
    assert floor.spare_to_keep(BOB) == 30_067 - 3_007 - 6_000
    resume(floor)
    floor.wait(MINUTE)
    coins(floor, 60)
    assert [each["account"] for each in floor.happened(events.LIQUIDATION_STARTED)] == [BOB]
    resume(floor)
    floor.wait(MINUTE).clock()


def test_a_ramp_reaches_its_holder_and_goes_on_while_it_is_liquidated(pool):
    pool.configure(do.ASSET, {key.A_RAMP_NS: 60 * MINUTE}, row=COIN)
    pool.supply(ANN, USD, 90_000)
    pool.withdraw(CAT, COIN, 90_000)
    pool.borrow(CAT, USD, 80_000)
    pool.configure(do.ASSET, {key.A_TIER_MAINTAIN_PPM: 500_000, key.A_TIER_OPEN_PPM: 400_000}, row=COIN)
    assert not reasons(pool) and pool.spare_to_keep(CAT) > 0
    started = 0
    while not started:
        pool.wait(MINUTE).clock()
        resume(pool)
        started = len(pool.happened(events.LIQUIDATION_STARTED))
    # 10,000 coins at 12 for a debt of 80,000: 120,000 w < 80,000 below 2/3, at the 36th step of 0.4 / 60.
    assert pool.facts()["asset_rule"][COIN][key.A_TIER_MAINTAIN_PPM] == 660_000
    pool.configure(do.ASSET, {key.A_TIER_MAINTAIN_PPM: 450_000}, row=COIN)
    assert bid(pool, BOB, 1_000) == []
    resume(pool)
    for _ in range(62):
        pool.wait(MINUTE).clock()
    assert bid(pool, BOB, 1_000) == []


def test_a_resting_order_that_borrows_is_closed_when_the_pool_is_empty(floor):
    """Its loan was there when it was placed. What a pair is going to spend neither leaves nor is supplied."""
    open_pool(floor)
    pair = {key.M_KIND: SPOT, key.M_BASE: COIN, key.M_SETTLE: USD, key.M_FEED: 0, key.M_FUNDING_INTERVAL_NS: 0}
    pair |= {key.M_LOT_ATOMS: 100, key.M_ATOMS_PER_TICK_LOT: 12, key.M_TICKS_MAX: 5_000, key.M_MARK_POLICY: 1}
    floor.configure(do.MARKET, pair | {key.M_ORDER_LOTS_MAX: 1_000, key.M_MAKER_PPM: 0, key.M_TAKER_PPM: 0})
    coins(floor, 12)
    floor.order(ANN, 2, 50, 100)  # 60,000 dollars
    assert not reasons(floor)
    for spend in (floor.withdraw, floor.supply, lambda *words: floor.transfer(ANN, BOB, *words[1:])):
        spend(ANN, USD, 40_001)
        assert reasons(floor) == [reject.BALANCE_TOO_LOW]
    floor.supply(ANN, USD, 39_000)
    floor.redeem_all(ANN, SHARE)
    floor.order(CAT, 2, -50, 100, tif=IOC)
    assert (floor.cash(ANN), floor.cash(ANN, COIN)) == (40_000, 5_000)
    assert (floor.cash(CAT), floor.cash(CAT, COIN)) == (60_000, 95_000)
    floor.supply(BOB, USD, 100_000)
    floor.order(ANN, 2, 60, 100, options=BORROW)  # 72,000: a loan of 32,000
    floor.redeem_all(BOB, SHARE)
    assert not reasons(floor)
    floor.order(CAT, 2, -60, 100, tif=IOC)
    (closed, _) = floor.happened(events.ORDER_CLOSED)
    assert (closed["account"], closed["reason"]) == (ANN, events.CLOSED_MAINTENANCE)
    assert floor.cash(ANN) == 40_000 and not floor.happened(events.FILL)
