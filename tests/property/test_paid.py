"""Paid-up contracts in a crowd of six that trades beyond its means: the machine equals its twin, and bounds hold."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.orders import BACKSTOP, BUY, FOR_OPEN, INSURANCE, IOC, MARKET, POST_ONLY, REDUCE_ONLY, SELL
from steelyard.num.limits import PPM
from tests.property.compare import Both
from tests.property.towns import small_limits
from tests.reference.health import equity, requirement
from tests.telling import Teller

FIRST, PEOPLE = 7, 6
CLAIM, PERPETUAL = 1, 2
STEP = 30 * key.SECOND


def begin(seed, random):
    """A claim that is paid up and ends at an agreed price or at its index, and a perpetual beside it."""
    both = Both(replace(small_limits(seed), events_per_command=256), shake=Random(seed))
    heard = []

    def hear(batch):
        difference = both.submit(batch)
        assert difference is None, str(difference)
        heard.extend(both.twin.events)
        return both.twin.events

    floor = Teller(hear)
    pick = random.choice
    floor.configure(do.ASSET, {key.A_SUPPLY_MAX: 1 << 50, key.A_LOAN_CAP: pick((0, 20_000, 10**9))})
    for _ in range(2):
        floor.configure(do.FEED, {key.F_STALENESS_NS: 30 * 24 * key.HOUR})
    usual = {key.M_TICKS_MAX: 4_000, key.M_ATOMS_PER_TICK_LOT: 10, key.M_FUNDING_INTERVAL_NS: 0}
    usual |= {key.M_PRICE_BAND_PPM: PPM, key.M_LEVERAGE_DEFAULT: 20, key.M_MAKER_PPM: pick((-100, 200))}
    usual |= {key.M_SLIP_PPM: 100_000, key.M_COOLDOWN_NS: key.SECOND, key.M_BACKSTOP_LOTS_MAX: pick((0, 200))}
    usual |= {key.M_TAKEOVER_PPM: pick((0, PPM)), key.M_RANKING: random.randint(0, 4), key.M_MARK_POLICY: 1}
    ends = {key.M_EXPIRY_NS: floor.now + 220 * STEP, key.M_SETTLE_PRICE: pick((0, 1_000))}
    floor.configure(do.MARKET, usual | {key.M_FEED: 1, key.M_PAID: 1, **pick(({}, ends, ends))})
    floor.configure(do.MARKET, usual | {key.M_FEED: 2})
    floor.price({1: 1_000, 2: 1_000})
    for owner in range(2, 2 + PEOPLE):
        floor.configure(do.OWNER, {key.O_STP: random.randint(1, 4)})
        floor.open_account(owner)
        floor.deposit(owner + 5, 1, 100_000)
    for account in (INSURANCE, BACKSTOP):
        floor.deposit(account, 1, pick((1, 3_000, 10**6)))
    return floor, both.twin, heard


def live(floor, twin, random, prices):
    """One thing that somebody does."""
    pick = random.choice
    account, market = FIRST + random.randrange(PEOPLE), pick((CLAIM, CLAIM, PERPETUAL))
    what = random.random()
    floor.wait(pick((0, 0, STEP, 3 * STEP)))
    if what < 0.25:
        for each in prices:
            prices[each] = max(100, min(3_500, prices[each] * random.randint(900_000, 1_105_000) // PPM))
        return floor.price(dict(prices))
    if what < 0.32:
        return floor.deposit(account, 1, random.randint(1, 30_000))
    if what < 0.42:  # as much as there is to spare, or too much
        legs = twin.legs_of(account)
        spare = equity(twin, legs) - requirement(twin, legs, FOR_OPEN)
        return floor.withdraw(account, 1, max(1, spare * pick((50, 90, 98, 110)) // 100))
    if what < 0.47:
        return floor.cancel_all(account)
    side, lots = pick((BUY, SELL)), pick((1, 2, 5, 9, 14))
    if what < 0.55:
        held = twin.quantity(account, twin.markets[market].thing)
        return floor.order(account, market, -held or side, prices[market] + pick((-5, 5)), options=REDUCE_ONLY)
    if what < 0.65:
        return floor.order(account, market, side * lots, 0, order_type=MARKET, tif=IOC)
    price = prices[market] + pick((-30, -3, 0, 0, 0, 3, 30))
    return floor.order(account, market, side * lots, price, options=pick((0, 0, 0, POST_ONLY)))


def run(seed, count):
    random = Random(f"claims {seed}")
    floor, twin, heard = begin(seed, random)
    prices = {1: 1_000, 2: 1_000}
    for _ in range(count):
        live(floor, twin, random, prices)
    return heard


@pytest.mark.parametrize("seeds", [range(24)])
def test_paid_up_contracts_see_everything(seeds):
    seen = Counter()
    for seed in seeds:
        for event in run(seed, 260):
            if event["market"] == CLAIM:
                told = event["reason"] if event["kind"] in (events.REJECTED, events.ORDER_CLOSED) else 0
                seen[events.Event(event["kind"]).name, told] += 1
    assert seen["FILL", 0] > 100 and seen["LIQUIDATION_ORDER", 0] > 10, seen
    for kind in ("DELEVERAGED", "TAKEN_OVER", "FUND_PAID", "LIQUIDATION_FEE", "POSITION_SETTLED"):
        assert seen[kind, 0], (kind, seen)
    assert seen["REJECTED", reject.BALANCE_TOO_LOW] and seen["ORDER_CLOSED", events.CLOSED_MAINTENANCE], seen
