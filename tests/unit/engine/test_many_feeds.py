"""A set of prices, and a clock, over very many feeds and markets: room for every event, one look at each feed."""

import numpy as np
import pytest
from tests.property.compare import Both
from tests.telling import START_NS, Teller

from steelyard.model import commands as do
from steelyard.model import keys as key
from steelyard.model.commands import COMMAND
from steelyard.model.events import INDEX_SET, MARK_SET
from steelyard.model.keys import HOUR, SECOND
from steelyard.state.tables import L_EVENTS, WORK_EVENTS, Limits
from steelyard.venue.machine import Machine

FEEDS, MARKETS, ROOM = 300, 40, 16
LIMITS = Limits(
    assets=1, feeds=FEEDS, markets=MARKETS, risk_tiers=1, owners=1, accounts=8, legs=MARKETS, orders=1, references=1,
    recent_client_ids=1, ladder_ticks=MARKETS << 11, orders_per_account=1, staged_rows=3 * FEEDS, events_per_command=1,
)  # fmt: skip
ALL_FEEDS, ALL_MARKETS = range(1, FEEDS + 1), range(1, MARKETS + 1)


class Town:
    """A machine and its twin with many feeds, of which the first serve markets."""

    def __init__(self, fence):
        self.both = Both(LIMITS)
        self.state = fence(self.both.machine, ROOM).state
        self.teller = Teller(self.listen)
        self.teller.configure(do.ASSET, {key.A_TIERS: 1})
        for feed in ALL_FEEDS:
            self.teller.configure(do.FEED, {key.F_STALENESS_NS: HOUR})
            if feed in ALL_MARKETS:
                funding = {key.M_FUNDING_INTERVAL_NS: 0, key.M_MARK_POLICY: 1}
                self.teller.configure(do.MARKET, {key.M_FEED: feed, key.M_TICKS_MAX: 1_500} | funding)

    def listen(self, batch):
        difference = self.both.submit(batch, with_facts=False)
        assert difference is None, str(difference)
        assert self.state.machine.events[0] <= self.state.layout[L_EVENTS]
        return [(event["kind"], event["market"], event["price"]) for event in self.both.twin.events]


@pytest.fixture
def town(fence):
    return Town(fence)


def moved(feeds, price):
    """What is said when each of these feeds comes to this price."""
    told = []
    for feed in feeds:
        told.append((INDEX_SET, feed, price))
        if feed in ALL_MARKETS:
            told.append((MARK_SET, feed, price))
    return told


def test_a_set_may_move_every_feed_and_every_mark(town):
    assert town.teller.price(dict.fromkeys(ALL_FEEDS, 1_000)) == moved(ALL_FEEDS, 1_000)


def test_a_clock_may_move_every_feed_and_every_mark(town):
    """The lower of two reports counts until it is stale."""
    town.teller.price(dict.fromkeys(ALL_FEEDS, 1_000), sources=(0,))
    town.teller.wait(SECOND).price(dict.fromkeys(ALL_FEEDS, 1_010), sources=(1,))
    told = town.teller.wait(HOUR).clock()
    assert told[:FEEDS] == [(INDEX_SET, feed, 1_010) for feed in ALL_FEEDS]
    assert told[FEEDS:] == [(MARK_SET, market, 1_010) for market in ALL_MARKETS]


def test_several_sources_of_a_set_are_one_look_at_each_feed(town):
    """In order of first mention, when all reports have been taken in."""
    backwards = [*reversed(ALL_FEEDS)]
    rows = [(feed, source) for source in (2, 0, 1) for feed in backwards]
    reports = [
        {"market": feed, "account": source, "price": 1_000 + source, "trigger": START_NS} for feed, source in rows
    ]
    assert town.teller.say(do.PRICE, *reports) == moved(backwards, 1_001)
    assert town.teller.say(do.PRICE, *reports) == [(MARK_SET, feed, 1_001) for feed in backwards if feed in ALL_MARKETS]


def test_a_set_has_its_room_at_the_end_of_a_full_part(town):
    """As many events as a part may hold before its last command; then everything moves."""
    batches = []
    teller = Teller(batches.append)
    for price in range(1, ROOM + 1):
        teller.price({FEEDS: price})
    teller.price(dict.fromkeys(ALL_FEEDS, 1_000))
    (part,) = (part.copy() for part in town.both.machine.stream(np.concatenate(batches)))
    assert len(part) == ROOM + FEEDS + MARKETS <= town.state.layout[L_EVENTS]
    told = list(zip(*(part[column].tolist() for column in ("kind", "market", "price")), strict=True))
    assert told[ROOM:] == moved(ALL_FEEDS, 1_000)


def test_a_hundred_and_fifty_thousand_feeds_in_one_set():
    """The buffer in its real size, which they alone would fill."""
    count = 150_000
    rows = np.zeros(2 * count, COMMAND)
    rows["at_ns"] = START_NS
    made, reports = rows[:count], rows[count:]
    made["kind"], made["account"], made["order"], made["lots"] = do.CONFIGURE, do.FEED, key.F_QUORUM, 1
    reports["kind"], reports["market"], reports["price"] = do.PRICE, np.arange(1, count + 1), np.arange(1, count + 1)
    made["last"], reports["last"][-1] = 1, 1
    limits = Limits(
        feeds=count, accounts=8, legs=512, orders=1, references=1, recent_client_ids=1, ladder_ticks=64,
        orders_per_account=1, staged_rows=count, events_per_command=1,
    )  # fmt: skip
    machine = Machine(limits)
    assert 2 * WORK_EVENTS < count < len(machine.state.event) - WORK_EVENTS
    told = machine.submit(rows)[count:]
    assert (told["kind"] == INDEX_SET).all()
    assert (told["price"] == np.arange(1, count + 1)).all() and (told["market"] == told["price"]).all()
