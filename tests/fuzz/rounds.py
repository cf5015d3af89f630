"""One round of each kind of abuse. A round is decided by its seed and number alone."""

from dataclasses import replace

import numpy as np

from steelyard.model import commands as do
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, COMMAND, FEED, MARKET, OWNER, RISK_TIER
from steelyard.model.events import CONFIGURED
from steelyard.model.keys import HOUR
from steelyard.model.orders import BACKSTOP, CONVERTER, INSURANCE, LENDER
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, NOTIONAL_MAX, VALUE_MAX
from steelyard.venue.machine import Machine
from tests.golden import journal
from tests.simulation.run import Watched
from tests.telling import START_NS, Teller

NUMBERS = {
    1: (-128, -2, -1, 0, 1, 2, 3, 4, 5, 8, 16, 127),
    2: (-32768, -1, 0, 1, 17, 18, 99, 32767),
    4: (-(2**31), -1, 0, 1, 2, 7, 8, 63, 1_000_000, 2**31 - 1),
    8: (-(2**63), -(2**62), -1, 0, 1, 2, 1_000, 10**12, 2**31, 2**53, 2**56, 2**62, 2**62 + 1, 2**63 - 1),
}
SPOILABLE = tuple(name for name in COMMAND.names if name not in ("at_ns", "spare"))
KINDS = tuple(do.Command)
STEPS = (0, 0, 1, 1_000_000, 10**9, 10**10, 600 * 10**9, HOUR)


def garbage(random, rows):
    """Random bytes; most of them with a kind that exists."""
    made = np.frombuffer(random.bytes(rows * COMMAND.itemsize), COMMAND).copy()
    made["kind"] = np.where(random.random(rows) < 0.8, random.choice(KINDS, rows), made["kind"])
    small = random.random(rows) < 0.6  # rows and sides that may exist
    for column, low, high in (("account", -1, 12), ("market", -1, 4), ("side", -1, 2), ("options", 0, 16)):
        made[column] = np.where(small, random.integers(low, high, rows), made[column])
    for column in ("price", "lots", "trigger", "order"):
        made[column] = np.where(small, random.integers(0, 2_000, rows), made[column])
    return made


def spoilt(random, honest, rows):
    """A stretch of an honest journal with some columns replaced, repeated or cut."""
    start = int(random.integers(0, max(1, len(honest) - rows)))
    made = honest[start : start + rows].copy()
    for row in np.flatnonzero(random.random(len(made)) < 0.3):
        for column in random.choice(SPOILABLE, int(random.integers(1, 4))):
            made[column][row] = random.choice(NUMBERS[COMMAND[column].itemsize])
    order = np.sort(random.integers(0, len(made), len(made)))  # some twice, some not at all
    return made[order]


def on_time(random, made, now):
    """Most rows come at a time the machine accepts."""
    steps = random.choice(STEPS, len(made)) * (random.random(len(made)) < 0.3)
    times = now + np.cumsum(steps)
    made["at_ns"] = np.where(random.random(len(made)) < 0.97, times, made["at_ns"])
    made["trigger"] = np.where(made["kind"] == do.PRICE, made["at_ns"], made["trigger"])
    return made


def abuse(random, name):
    """Garbage and spoilt rows on top of an honest story, in batches."""
    story = journal.read(name)
    machine, swept = Machine(story.limits), Machine(story.limits, sweep=True)
    begin = int(random.integers(0, len(story.rows)))
    batches = [story.rows[:begin]]
    for _ in range(int(random.integers(4, 16))):
        rows = int(random.integers(1, 80))
        batches.append(garbage(random, rows) if random.random() < 0.4 else spoilt(random, story.rows, rows))
    for place, batch in enumerate(batches):
        if place:
            batch = on_time(random, batch, int(machine.state.machine.now_ns[0]))
        events, other = machine.submit(batch), swept.submit(batch)
        machine.check()
        assert not machine.unhealthy(), "an unhealthy account was not noticed"
        assert events.tobytes() == other.tobytes(), "a full sweep tells another story"
        assert machine.hash() == swept.hash(), "a full sweep gives another state"
        if random.random() < 0.2:
            machine.rebuild()


def wide(random, low, high):
    """A number between two: often one of them, else of any length."""
    choice = random.random()
    if choice < 0.15 or low == high:
        return low
    if choice < 0.3:
        return high
    bits = int(random.integers(1, max(2, (high - low).bit_length() + 1)))
    return min(high, low + int(random.integers(0, 1 << min(62, bits))))


def any_settings(random, ranges, count):
    """A few parameters, anywhere in their ranges."""
    settings = {}
    places = list(ranges.items())
    for _ in range(count):
        (first, width), (low, high, _, fixed) = places[int(random.integers(0, len(places)))]
        if not fixed:
            settings[first + int(random.integers(0, width))] = wide(random, low, high)
    return settings


def widest_market(random, feed, settle):
    """A market whose largest position is worth all that is allowed."""
    ticks = wide(random, 64, 1 << 19)
    scale = wide(random, 1, NOTIONAL_MAX // ticks)
    most = NOTIONAL_MAX // ticks // scale
    settings = {key.M_FEED: feed, key.M_SETTLE: settle, key.M_TICKS_MAX: ticks, key.M_ATOMS_PER_TICK_LOT: scale}
    settings |= {key.M_POSITION_LOTS_MAX: most, key.M_ORDER_LOTS_MAX: wide(random, 1, most)}
    return settings | {key.M_PRICE_BAND_PPM: 10**8}


class Extremes:
    """A venue of numbers at their ends, and random trading on it."""

    def __init__(self, random):
        self.random = random
        limits = replace(journal.SMALL, references=600, orders=200, ladder_ticks=1 << 21, events_per_command=2_000)
        self.watched = Watched(limits, sweep_check=True, every=5)
        self.state = self.watched.machine.state
        self.teller = Teller(self.watched.submit, START_NS)
        self.supply = [wide(random, 1_000, AMOUNT_MAX) for _ in range(2)]

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, *choices):
        return choices[int(self.random.integers(0, len(choices)))]

    def venue(self):
        teller, random = self.teller, self.random
        teller.configure(ASSET, {key.A_SUPPLY_MAX: self.supply[0], key.A_LOAN_CAP: wide(random, 0, AMOUNT_MAX)})
        for _ in range(4):
            teller.configure(FEED, {key.F_QUORUM: 1})
        coin = {key.A_FEED: 4, key.A_SUPPLY_MAX: self.supply[1], key.A_LOAN_CAP: wide(random, 0, AMOUNT_MAX)}
        teller.configure(ASSET, coin)
        for feed, settle in ((1, 1), (2, 2), (3, 1)):
            for _ in range(20):
                settings = widest_market(random, feed, settle) | any_settings(random, key.MARKET_KEYS, 4)
                if teller.configure(MARKET, settings)["kind"][-1] == CONFIGURED:
                    break
            else:
                teller.configure(MARKET, {key.M_FEED: feed, key.M_SETTLE: settle})
        for _ in range(6):
            teller.configure(OWNER, {key.O_STP: self.pick(1, 2, 3, 4)})
            teller.open_account(self.pick(2, int(self.state.machine.owners[0])))
        self.prices()
        for account in (*range(7, 13), *range(7, 13), INSURANCE, BACKSTOP, LENDER, CONVERTER):
            for asset in (1, 2):
                share = self.supply[asset - 1] // self.pick(8, 12, 1_000)
                teller.deposit(account, asset, wide(random, 1, max(1, share)))

    def prices(self):
        prices = {}
        for market in range(1, int(self.state.machine.markets[0]) + 1):
            most, now = int(self.state.market_rule[market, key.M_TICKS_MAX]), int(self.state.market.index[market])
            near = max(1, min(most, now + now // 50 * self.pick(-2, -1, 1, 2)))
            prices[int(self.state.market_rule[market, key.M_FEED])] = (
                near if now and self.chance(0.7) else wide(self.random, 1, most)
            )
        if self.chance(0.5):
            prices[4] = wide(self.random, 1, self.dearest())
        return self.teller.price(prices)

    def dearest(self):
        """The highest price of the coin that is not refused."""
        rules = self.state.market_rule
        widest = self.supply[1]
        for rule in rules[1 : int(self.state.machine.markets[0]) + 1].tolist():
            if rule[key.M_SETTLE] == 2:
                widest = max(
                    widest, rule[key.M_TICKS_MAX] * rule[key.M_ATOMS_PER_TICK_LOT] * rule[key.M_POSITION_LOTS_MAX]
                )
        return min(VALUE_MAX, VALUE_MAX * ASSET_PRICE_SCALE // widest)

    def order(self):
        market = int(self.random.integers(1, 4))
        rule = self.state.market_rule[market]
        mark, most = int(self.state.market.mark[market]), int(rule[key.M_TICKS_MAX])
        lots = wide(self.random, 1, int(rule[key.M_ORDER_LOTS_MAX])) * self.pick(1, -1)
        price = mark if mark and self.chance(0.7) else wide(self.random, 1, most)
        account = int(self.random.integers(7, 13))
        columns = {"options": self.pick(0, 0, 0, 1, 2, 4), "tif": self.pick(0, 0, 0, 1, 2)}
        if self.chance(0.3):
            return self.teller.order(account, market, lots, 0, options=self.pick(0, 4))
        if self.chance(0.15):
            columns["trigger_kind"] = self.pick(1, 2)
            columns["trigger"] = wide(self.random, 1, most)
        return self.teller.order(account, market, lots, price, **columns)

    def trade(self):
        """Two people who can afford it find each other."""
        market = int(self.random.integers(1, 4))
        rule, mark = self.state.market_rule[market], int(self.state.market.mark[market])
        buyer, seller = self.random.permutation(np.arange(7, 13))[:2].tolist()
        lots = wide(self.random, 1, int(rule[key.M_ORDER_LOTS_MAX]))
        for _ in range(6):
            events = self.teller.trade(buyer, seller, market, lots, max(1, mark))
            if len(events) > 1:
                break
            lots = max(1, lots // 1_000)
        return self.teller.cancel_all(buyer, market)

    def govern(self):
        table, ranges, rows = self.pick(
            (ASSET, key.ASSET_KEYS, 2),
            (MARKET, key.MARKET_KEYS, 3),
            (MARKET, key.MARKET_KEYS, 3),
            (FEED, key.FEED_KEYS, 4),
            (RISK_TIER, key.TIER_KEYS, 1),
            (OWNER, key.OWNER_KEYS, 6),
        )
        settings = any_settings(self.random, ranges, int(self.random.integers(1, 3)))
        return self.teller.configure(table, settings or {0: 0}, int(self.random.integers(1, rows + 1)))

    def money(self):
        account, asset = int(self.random.integers(1, 13)), self.pick(1, 2)
        amount = wide(self.random, 1, self.supply[asset - 1])
        verb = self.pick(self.teller.deposit, self.teller.withdraw)
        return verb(account, asset, amount)

    def step(self):
        self.teller.wait(self.pick(*STEPS))
        choice = self.random.random()
        if choice < 0.3:
            return self.prices()
        if choice < 0.55:
            return self.order()
        if choice < 0.8:
            return self.trade()
        if choice < 0.87:
            return self.govern()
        if choice < 0.92:
            return self.money()
        account, market = int(self.random.integers(7, 13)), int(self.random.integers(1, 4))
        return self.pick(
            lambda: self.teller.leverage(account, market, wide(self.random, 1, 1_000)),
            lambda: self.teller.isolate(account, market),
            lambda: self.teller.cancel_all(account),
            lambda: self.teller.move_margin(account, market, wide(self.random, 1, AMOUNT_MAX) * self.pick(1, -1)),
            self.teller.clock,
        )()


def extremes(random, steps=150):
    town = Extremes(random)
    town.venue()
    for _ in range(steps):
        town.step()
    town.watched.look()
    return town.watched


def play(seed, number):
    """One round."""
    random = np.random.Generator(np.random.PCG64([seed, number]))
    if number % 3 == 2:
        extremes(random)
    else:
        names = journal.names()
        abuse(random, names[(number - number // 3) % len(names)])  # every story in its turn
