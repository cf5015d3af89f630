"""Liquidation prices against brute force: every price of a small town is looked at, one by one.

The towns hold what bends health: brackets, tiers, loans, profit in an asset that is itself priced, isolated children.
That the machine's health at another price is right is proven with the twin, on random flows.
"""

import os
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from steelyard import Limits, Rejected, Venue
from steelyard.model.orders import FOR_MAINTAIN
from steelyard.state.tables import MARKET_0
from steelyard.venue import solve
from steelyard.venue.instruments import thing_of
from steelyard.venue.line import Position, UnknownLine, curves, line_of
from steelyard.venue.reading import Reader
from tests.property.compare import Both
from tests.property.flows import random_commands
from tests.property.towns import COIN, FIRST_USER, small_limits
from tests.reference.health import equity, requirement

SMALL = Limits(accounts=64, owners=64, legs=512, orders=512, references=1024, ladder_ticks=1 << 15)
SYMBOLS = ("UNIT-PERP", "COIN-PERP", "ODD-PERP", "INVERSE-PERP")
LINES = (
    *(("COIN",), ("UNIT-PERP",), ("COIN-PERP",), ("ODD-PERP",)),
    *(("COIN", "COIN-PERP"), ("COIN-PERP", "COIN"), ("UNIT-PERP", "COIN"), ("COIN", "ODD-PERP", "COIN-PERP")),
    *(("INVERSE-PERP",), ("COIN", "INVERSE-PERP"), ("INVERSE-PERP", "COIN"), ("INVERSE-PERP", "COIN-PERP")),
)
PEOPLE = ("ada", "ben", "cid")
SEEDS = 400 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 20
HIGHEST = 6_000  # prices looked at


class SmallTown:
    """Prices are small whole numbers: a coin of a trillion atoms is worth one atom of value per unit of its price."""

    def __init__(self, seed):
        self.random = Random(seed)
        pick, uniform = self.random.choice, self.random.randint
        venue = self.venue = Venue(SMALL, unit_decimals=3)
        venue.set_asset("USD", loan_cap=10**6, borrow_weight=pick(("1", "1.2")))
        venue.advance("1h")  # until the borrow weight has risen
        edges = sorted(self.random.sample(range(2, 40), 2))
        weights = sorted((uniform(0, 100) / 100 for _ in range(3)), reverse=True)
        tiers = [(end, str(w), str(w)) for end, w in zip((*edges, None), weights, strict=True)]
        venue.add_asset(
            "COIN", 12, price=pick(("0.7", "1.5", "2.001")), supply_max=10**4, loan_cap=10**3,
            collateral=pick((tiers, tiers[:2], None)), borrow_weight=pick(("1", "1.3")),
        )  # fmt: skip
        self.market("UNIT-PERP", "USD", 10, "0.01", "0.1")
        self.market("COIN-PERP", "COIN", 8, pick(("0.01", "0.5")), "0.001")
        self.market("ODD-PERP", "USD", pick((3, "15.25")), pick(("0.01", "0.25")), "0.4")
        self.market(
            "INVERSE-PERP", "COIN", 8, pick(("0.01", "0.5")), pick(("0.05", "0.1")), contract="inverse", price_min=2
        )
        for name in ("lender", "dealer"):
            who = venue.lender if name == "lender" else venue.open_account(name=name)
            venue.deposit(who, 10**5)
            venue.deposit(who, 4_000, "COIN")
        for name in PEOPLE:
            venue.open_account(name=name)
            self.live(name)

    def market(self, name, settle, price, tick, lot, **more):
        rates = sorted(self.random.sample(range(5, 300), 3))
        ends = sorted(self.random.sample(range(2, 60), 2))
        brackets = [(end, f"0.{rate:03}", f"0.{2 * rate:03}") for end, rate in zip((*ends, None), rates, strict=True)]
        self.venue.add_market(
            name, settle=settle, price=price, price_max=60, tick=tick, lot=lot,
            brackets=brackets, leverage=20, mark="index", position_max=40, order_max=40, **more,
        )  # fmt: skip

    def live(self, name):
        """Deposits, positions and loans; what is refused is left out."""
        venue, pick, uniform = self.venue, self.random.choice, self.random.uniform
        venue.deposit(name, 60)
        venue.deposit(name, pick((1, 20, 45)), "COIN")
        if self.random.random() < 0.2:
            venue.set_margin_mode(name, pick(SYMBOLS), "isolated")
        for symbol in self.random.sample(SYMBOLS, self.random.randint(1, 3)):
            size = uniform(10, 100) // 1 * float(venue.market(symbol).lot) * (40 if symbol == "COIN-PERP" else 1)
            size = Decimal(str(round(size, 3)))
            side, other = pick((("buy", "sell"), ("sell", "buy")))
            price = venue.market(symbol).mark
            self.try_to(venue.order, "dealer", symbol, other, size, price)
            self.try_to(venue.order, name, symbol, side, size, price)
            venue.cancel_all("dealer")
        for asset in self.random.sample(("USD", "COIN"), 2):
            amount = Decimal(200)
            for _ in range(pick((4, 20, 40))):  # some of what may leave, or nearly all
                amount = (amount * Decimal("0.8")).quantize(Decimal("0.001"))
                if amount:
                    self.try_to(venue.withdraw, name, amount, asset, borrow=True)

    def try_to(self, act, *given, **named):
        try:
            act(*given, **named)
        except Rejected:
            return False
        return True

    def jump(self):
        """Prices move, and nobody is liquidated."""
        for symbol in SYMBOLS:
            self.venue.set_state(symbol, "halted")
        for fed in (*SYMBOLS, "COIN"):
            step = self.venue.names.feed(fed)
            now = self.venue.reader.price(thing_of(step))
            price = max(1, round(now * self.random.uniform(0.6, 1.6)))
            self.venue.set_price(fed, (step.price_step if fed == "COIN" else step.tick).back(price))

    def accounts(self):
        """Rows of the people and of their isolated positions."""
        reader = self.venue.reader
        for name in PEOPLE:
            row = self.venue.names.account(name)
            yield from (row, *reader.children(row))


def runs_of(marks):
    """[(first, last)] of the true ones, counted from 1."""
    edges = [place for place, (a, b) in enumerate(pairwise([False, *marks, False]), 1) if a != b]
    return [(first, end - 1) for first, end in pairwise(edges)][::2]


def test_runs():
    assert runs_of([False, True, True, False, True]) == [(2, 3), (5, 5)]
    assert runs_of([True]) == [(1, 1)]
    assert runs_of([False, False]) == []


def check(venue, account, names, seen):
    """One account along one line, against every price of it."""
    reader = venue.reader
    whole = line_of(reader, [thing_of(venue.names.feed(name)) for name in names])
    line = replace(whole, last=min(whole.last, HIGHEST))
    slacks = {x: reader.slack_at(account, line.at(x)) for x in range(line.first, line.last + 1)}
    expected = [(line.first - 1 + a, line.first - 1 + b) for a, b in runs_of([slack < 0 for slack in slacks.values()])]
    found = solve.solve(reader, account, line)
    assert (list(found.unhealthy), found.undecided) == (expected, ())
    assert found.slack == reader.slack(account) == slacks[line.here]
    proven = dict(found.proof)
    for first, last in expected:
        for end, outside in ((first, first - 1), (last, last + 1)):
            if line.first <= outside <= line.last:
                assert (proven[end], proven[outside]) == (slacks[end], slacks[outside])
    low = max((last for _, last in expected if last < line.here), default=None)
    high = min((first for first, _ in expected if first > line.here), default=None)
    assert (found.low, found.high) == ((None, None) if found.unhealthy_now else (low, high))
    owes = any(reader.quantity(leg) < 0 for leg in reader.legs(account) if reader.thing(leg) < MARKET_0)
    seen["one price" if len(names) == 1 else "prices together", bool(expected)] += 1
    seen["intervals", min(len(expected), 2)] += 1
    seen["unhealthy now", found.unhealthy_now] += 1
    seen["loan", owes] += 1
    seen["isolated", reader.is_child(account)] += 1


def test_every_price_is_told_apart():
    seen = Counter()
    for seed in range(SEEDS):
        town = SmallTown(seed)
        venue = town.venue
        for jump in (False, True):
            if jump:
                town.jump()
            before = venue.hash()
            for account in town.accounts():
                for names in LINES:
                    check(venue, account, names, seen)
            assert venue.hash() == before
    often = dict(seen)
    for what in ("one price", "prices together", "unhealthy now", "loan", "isolated"):
        assert min(seen[what, True], seen[what, False]) > SEEDS, often
    assert min(seen["intervals", count] for count in range(3)) > SEEDS // 2, often


def leg_slack(reader, leg, prices):
    with reader.at_prices(prices):
        return reader.leg_equity(leg) - reader.leg_requirement(leg, FOR_MAINTAIN)


def test_no_leg_strays_further_than_its_bend():
    nearest = Counter()
    for seed in range(100, 100 + SEEDS):
        town = SmallTown(seed)
        reader, random = town.venue.reader, town.random
        for account in town.accounts():
            for names in LINES:
                line = line_of(reader, [thing_of(town.venue.names.feed(name)) for name in names])
                for curve in curves(reader, account, line):
                    for _ in range(25):
                        width = random.choice((3, 60, HIGHEST, line.last))
                        start = random.randint(line.first, max(line.first, min(line.last, 2 * HIGHEST) - width))
                        a, x, b = sorted(start + random.randint(0, width - 1) for _ in range(3))
                        if a == b or b > line.last:
                            continue
                        bend = curve.bend(line.at(a), line.at(b))
                        if bend is None:
                            continue
                        at = {y: leg_slack(reader, curve.leg, line.at(y)) for y in (a, x, b)}
                        straight = Fraction(at[a] * (b - x) + at[b] * (x - a), b - a)
                        away = abs(at[x] - straight)
                        assert away <= bend, (names, account, curve, a, x, b)
                        inverse = isinstance(curve, Position) and curve.rule.is_inverse
                        kind = type(curve).__name__, inverse, len(curve.places), len(names) > 1
                        nearest[kind] = max(nearest[kind], away / bend if bend else 0)
    # Cash, and positions of either kind: alone and in company, and with both their prices.
    assert len(nearest) == 8, nearest
    assert min(nearest.values()) > Fraction(1, 4), nearest


def twin_slack(twin, account, prices):
    """E - M(maintain) of the twin's account, with these prices put in."""
    things = [twin.assets[thing] if thing < MARKET_0 else twin.markets[thing - MARKET_0] for thing, _ in prices]
    columns = ["price" if thing < MARKET_0 else "mark" for thing, _ in prices]
    kept = [getattr(each, column) for each, column in zip(things, columns, strict=True)]
    for each, column, (_, price) in zip(things, columns, prices, strict=True):
        setattr(each, column, price)
    legs = twin.legs_of(account)
    slack = equity(twin, legs) - requirement(twin, legs, FOR_MAINTAIN)
    for each, column, price in zip(things, columns, kept, strict=True):
        setattr(each, column, price)
    return slack


@pytest.mark.parametrize("seed", range(SEEDS // 3))
def test_the_twin_agrees_at_every_price_looked_at(seed):
    both = Both(small_limits(seed))
    reader, random, seen = Reader(both.machine), Random(seed), 0
    for place, batch in enumerate(random_commands(seed, 400, both.twin)):
        assert both.submit(batch, with_facts=False) is None
        if place < 100 or place % 30:
            continue
        for account in range(FIRST_USER, reader.accounts + 1):
            markets = [MARKET_0 + market for market in (1, 2, 3)]
            for things in ([random.choice(markets)], [COIN], random.sample([*markets, COIN], 3)):
                if not all(reader.price(thing) for thing in things):
                    continue
                line = line_of(reader, things)
                try:
                    solved = solve.solve(reader, account, line)
                except UnknownLine:
                    assert reader.scans(account)
                    continue
                for x, slack in [(line.here, solved.slack), *solved.proof]:
                    assert twin_slack(both.twin, account, line.at(x)) == slack
                    seen += 1
                for _ in range(30):  # what the intervals say holds everywhere
                    near = random.choice([line.here, line.last, *(x for x, _ in solved.proof)])
                    away = random.randint(-1, 1) * random.randint(0, 2 ** random.randint(0, 60))
                    x = min(line.last, max(line.first, near + away))
                    is_in = any(first <= x <= last for first, last in solved.unhealthy)
                    if not any(first <= x <= last for first, last in solved.undecided):
                        assert is_in == (twin_slack(both.twin, account, line.at(x)) < 0)
    assert seen > 100
