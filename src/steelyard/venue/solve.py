"""Liquidation prices, solved on the machine's own health function. See docs/concepts/liquidation-price.md.

Promises
- Every price is told apart: healthy, unhealthy, or (at the end of what a search may cost) undecided.
- At each end of an interval the account is unhealthy, and one step outside it is healthy: both are evaluated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from steelyard.model.orders import FOR_MAINTAIN
from steelyard.venue.instruments import Asset, Market, Names, price_step_of, thing_of
from steelyard.venue.line import Curve, Line, UnknownLine, curves, line_of
from steelyard.venue.reading import Prices, Reader
from steelyard.venue.records import Interval, LiquidationPrice

LOOKS_MAX = 20_000  # points that one search looks at
Run = tuple[int, int, bool | None]  # (first, last) seen from the present price, and whether unhealthy


@dataclass(frozen=True, slots=True)
class Solved:
    """In units of the leading price; intervals are (lowest, highest), in order, and `proof` holds (price, slack)."""

    here: int
    slack: int
    unhealthy: tuple[tuple[int, int], ...]
    undecided: tuple[tuple[int, int], ...]
    proof: tuple[tuple[int, int], ...]

    @property
    def unhealthy_now(self) -> bool:
        return self.slack < 0

    @property
    def low(self) -> int | None:
        """The nearest unhealthy price below a healthy one, unless something undecided is nearer."""
        return self._nearest([last for _, last in self.unhealthy], [last for _, last in self.undecided], -1)

    @property
    def high(self) -> int | None:
        return self._nearest([first for first, _ in self.unhealthy], [first for first, _ in self.undecided], 1)

    def _nearest(self, unhealthy: Sequence[int], undecided: Sequence[int], way: int) -> int | None:
        if self.unhealthy_now:
            return None
        found = [price for price in (*unhealthy, *undecided) if (price - self.here) * way > 0]
        nearest = min(found, key=lambda price: abs(price - self.here), default=None)
        return None if nearest in undecided else nearest


class Search:
    """E - M(maintain) of one account along a line, each point evaluated once."""

    def __init__(self, reader: Reader, account: int, line: Line) -> None:
        self.line = line
        self._reader, self._account = reader, account
        self._curves: list[Curve] = curves(reader, account, line)
        self._slacks: dict[int, int] = {}
        self._terms: dict[tuple[Any, ...], tuple[int, int]] = {}

    def slack(self, x: int) -> int:
        found = self._slacks.get(x)
        if found is None:
            found = self._slacks[x] = self._reader.slack_at(self._account, self.line.at(x))
        return found

    def runs(self, end: int) -> Iterator[Run]:
        """What the prices are after the present one and up to `end`, outward; neighbours may be alike."""
        here = self.line.here
        step = 1 if end > here else -1
        waiting = [(here, end, True)] if end != here else []
        while waiting:
            near, far, may_guess = waiting.pop()
            if abs(far - near) == 1:
                yield far, far, self.slack(far) < 0
                continue
            before, after = self.slack(near), self.slack(far)
            if len(self._slacks) + len(self._terms) > LOOKS_MAX:
                yield near + step, far, None
                continue
            is_alike = (before < 0) == (after < 0)
            if is_alike and self._is_alike(near, far, before, after):
                yield near + step, far, after < 0
                continue
            middle = (near + far) // 2
            if not is_alike and may_guess:  # where a straight line would be zero; every other cut is in the middle
                guess = near + (far - near) * before // (before - after)
                middle = min(max(guess, min(near, far) + 1), max(near, far) - 1)
            waiting += [(middle, far, is_alike or not may_guess), (near, middle, is_alike or not may_guess)]

    def first_unhealthy(self, end: int) -> int | None:
        """The first unhealthy price on the way from a healthy one to `end`; None also where that is undecided."""
        for first, _, is_unhealthy in self.runs(end):
            if is_unhealthy is not False:
                return first if is_unhealthy else None
        return None

    def _is_alike(self, a: int, b: int, slack_a: int, slack_b: int) -> bool:
        """Whether the account, healthy at both or unhealthy at both, is proven so at every price between."""
        prices = self.line.at(a), self.line.at(b)
        room = min(slack_a, slack_b) if slack_a >= 0 else -1 - max(slack_a, slack_b)
        for curve in self._curves:
            bend = curve.bend(*prices)
            if bend is None or bend > room:
                return self._is_alike_monotone(a, prices)
            room -= bend
        return True

    def _is_alike_monotone(self, a: int, prices: tuple[Prices, Prices]) -> bool:
        """The same from what E and M of each leg are at the corners."""
        least = most = self.slack(a)
        for curve in self._curves:
            here = self._corner(curve, [prices[0][place] for place in curve.places])
            ways = product(*({prices[0][place], prices[1][place]} for place in curve.places))
            equities, needs = zip(*(self._corner(curve, corner) for corner in ways), strict=True)
            least += min(equities) - max(needs) - here[0] + here[1]
            most += max(equities) - min(needs) - here[0] + here[1]
        return most < 0 if self.slack(a) < 0 else least >= 0

    def _corner(self, curve: Curve, prices: Prices) -> tuple[int, int]:
        key = curve.leg, *prices
        if key not in self._terms:
            with self._reader.at_prices(prices):
                equity = self._reader.leg_equity(curve.leg)
                self._terms[key] = equity, self._reader.leg_requirement(curve.leg, FOR_MAINTAIN)
        return self._terms[key]


def solve(reader: Reader, account: int, line: Line) -> Solved:
    search = Search(reader, account, line)
    here, slack = line.here, search.slack(line.here)
    runs: list[Run] = [(here, here, slack < 0)]
    runs += search.runs(line.last)
    for first, last, is_unhealthy in search.runs(line.first):
        runs.insert(0, (last, first, is_unhealthy))
    found: dict[bool | None, list[tuple[int, int]]] = {True: [], False: [], None: []}
    for first, last, is_unhealthy in runs:
        alike = found[is_unhealthy]
        if alike and alike[-1][1] == first - 1:
            alike[-1] = alike[-1][0], last
        else:
            alike.append((first, last))
    proof: list[tuple[int, int]] = []
    undecided = {edge for first, last in found[None] for edge in (first, last)}
    for first, last in found[True]:
        for end, outside in ((first, first - 1), (last, last + 1)):
            if line.first <= outside <= line.last and outside not in undecided:
                proof += [(end, search.slack(end)), (outside, search.slack(outside))]
                assert proof[-2][1] < 0 <= proof[-1][1], "Invariant: unhealthy at an end, healthy one step outside"
    return Solved(here, slack, tuple(found[True]), tuple(found[None]), tuple(proof))


def losing_price(reader: Reader, account: int, thing: int) -> int | None:
    """The first price of what a leg is of at which its account is unhealthy, on the side on which the leg loses.

    The present one if it is unhealthy already; None if there is none, no price yet, or the line is not followed. The
    price of a share in a pool is that of what the pool lends.
    """
    leg, leader = reader.find(account, thing), reader.lent_by(thing) or thing
    quantity, here = reader.quantity(leg) if leg else 0, reader.price(leader)
    if quantity == 0 or here == 0:
        return None
    line = line_of(reader, (leader,))
    try:
        search = Search(reader, account, line)
    except UnknownLine:
        return None
    if search.slack(here) < 0:
        return here
    return search.first_unhealthy(line.first if quantity > 0 else line.last)


def liquidation_price(
    reader: Reader, names: Names, account: int, fed: Asset | Market, together: Sequence[Asset | Market]
) -> LiquidationPrice:
    """Of the account that holds the market: an isolated position's own, if it is one."""
    holder = reader.acting(account, fed.row) if isinstance(fed, Market) else account
    unit = names.asset_at(1).atom
    step = price_step_of(fed)
    things = [thing_of(each) for each in (fed, *together)]
    if reader.price(things[0]):
        solved = solve(reader, holder, line_of(reader, things))
    else:
        solved = Solved(0, reader.slack(holder), (), (), ())

    def spans(found: tuple[tuple[int, int], ...]) -> tuple[Interval, ...]:
        return tuple(Interval(low=step.back(first), high=step.back(last)) for first, last in found)

    return LiquidationPrice(
        account=names.account_name(holder),
        symbol=fed.name,
        together=tuple(each.name for each in together),
        price=step.back(solved.here),
        slack=unit.back(solved.slack),
        unhealthy_now=solved.unhealthy_now,
        low=None if solved.low is None else step.back(solved.low),
        high=None if solved.high is None else step.back(solved.high),
        unhealthy=spans(solved.unhealthy),
        undecided=spans(solved.undecided),
        proof=tuple((step.back(price), unit.back(slack)) for price, slack in solved.proof),
    )
