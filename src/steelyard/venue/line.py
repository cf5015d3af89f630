"""Lines of prices, and how far a leg strays from a straight line along them. See docs/concepts/liquidation-price.md.

Promises
- Along a line every price rises or stands still.
- Between two points of a line, E - M(maintain) of a leg differs from the straight line between its ends by at most the
  leg's `bend`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from steelyard.num.limits import ASSET_PRICE_SCALE, PPM, VALUE_MAX
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.reading import Prices, Reader


@dataclass(frozen=True, slots=True)
class Line:
    """Prices that move together: the first of `things` leads, the others follow in proportion, rounded down."""

    things: tuple[int, ...]
    present: tuple[int, ...]
    last: int  # the highest price of what leads
    first: int = 1  # the lowest

    @property
    def here(self) -> int:
        return self.present[0]

    def at(self, x: int) -> Prices:
        if len(self.things) == 1:
            return [(self.things[0], x)]
        followers = [max(1, price * x // self.here) for price in self.present[1:]]
        return list(zip(self.things, [x, *followers], strict=True))


def line_of(reader: Reader, things: Sequence[int]) -> Line:
    """All of them have a price."""
    present = tuple(reader.price(thing) for thing in things)
    here, first, last = present[0], reader.lowest_price(things[0]), reader.highest_price(things[0])
    for thing, price in zip(things[1:], present[1:], strict=True):
        lowest = reader.lowest_price(thing)
        first = max(first, F.div_up(lowest * here, price) if lowest > 1 else 1)
        last = min(last, ((reader.highest_price(thing) + 1) * here - 1) // price)
    return Line(tuple(things), present, max(last, here), min(first, here))


class Curve(Protocol):
    """A leg that moves along a line."""

    @property
    def leg(self) -> int: ...

    @property
    def places(self) -> tuple[int, ...]:
        """Which prices of the line it depends on."""

    def bend(self, a: Prices, b: Prices) -> int | None:
        """None: nothing is known but that E and M are monotone in each price."""


@dataclass(frozen=True, slots=True)
class Cash:
    """A straight line but for roundings."""

    leg: int
    places: tuple[int, ...]
    roundings: int

    def bend(self, a: Prices, b: Prices) -> int | None:
        return self.roundings


@dataclass(frozen=True, slots=True)
class Position:
    """A contract: `mark` and `settle` are places on the line, or None where that price stands still."""

    leg: int
    places: tuple[int, ...]
    rule: F.MarketRule
    quantity: int
    paid: int  # cost and funding owed, in atoms
    mark: int | None
    settle: int | None
    still_mark: int
    still_price: int

    def bend(self, a: Prices, b: Prices) -> int | None:
        ends = [self._terms(prices) for prices in (a, b)]
        (price_a, notional_a, worth_a, kept_a), (price_b, notional_b, worth_b, kept_b) = ends
        top, most = max(price_a, price_b), max(abs(worth_a), abs(worth_b))
        if max(most, kept_a, kept_b) * top >= VALUE_MAX * ASSET_PRICE_SCALE:
            return None  # clamped
        low, high = sorted((notional_a, notional_b))
        first, last = self.rule.bracket(low), self.rule.bracket(high)
        rates = [bracket.maintain for bracket in self.rule.brackets[first : last + 1]]
        gap = F.div_up((high - low) * (max(rates) - min(rates)), 4 * PPM) + last - first + 2
        moved = abs(worth_b - worth_a) + abs(kept_b - kept_a)
        marks = sorted(self._mark(prices) for prices in (a, b))
        if self.rule.is_inverse:  # 1 / m lies below its chord from a to b by at most its rise x (b - a) / (a + b)
            gap += F.div_up(moved * (marks[1] - marks[0]), sum(marks)) + 3
        if self.mark:  # it follows: its tick was rounded
            gap += 4 * self._tick(marks[0])
        wide = gap * top + F.div_up(moved * abs(price_b - price_a), 4)
        if self.settle:
            wide += 2 * (most + max(kept_a, kept_b))
        return F.div_up(wide, ASSET_PRICE_SCALE) + 2

    def _terms(self, prices: Prices) -> tuple[int, int, int, int]:
        """(settlement price, notional, E, M(maintain)), the latter three in atoms."""
        price = self.still_price if self.settle is None else prices[self.settle][1]
        worth = self.rule.worth(self.quantity, self._mark(prices))
        return price, abs(worth), worth - self.paid, F.maintain_atoms(self.rule, abs(worth))

    def _mark(self, prices: Prices) -> int:
        return self.still_mark if self.mark is None else prices[self.mark][1]

    def _tick(self, mark: int) -> int:
        """What the tick above this mark moves the position by, in atoms."""
        lots = abs(self.quantity) * self.rule.scale
        return F.div_up(lots, mark * (mark + 1)) + 1 if self.rule.is_inverse else lots


def curves(reader: Reader, account: int, line: Line) -> list[Curve]:
    """The legs of an account that move along a line."""
    found: list[Curve] = []
    for leg in reader.legs(account):
        thing, quantity = reader.thing(leg), reader.quantity(leg)
        if quantity == 0:
            continue
        if thing < MARKET_0:
            if thing in line.things:
                place = line.things.index(thing)
                found.append(Cash(leg, (place,), _roundings(reader.asset_rule(thing), quantity, place > 0)))
            continue
        rule = reader.market_rule(thing - MARKET_0)
        mark = line.things.index(thing) if thing in line.things else None
        settle = line.things.index(rule.settle) if rule.settle in line.things else None
        places = tuple(place for place in (mark, settle) if place is not None)
        if places:
            table, index = reader.state.leg, int(reader.state.market.funding_index[rule.row])
            paid = int(table.cost[leg])
            paid += rule.accrued_up(quantity, index, int(table.index_at_touch[leg]))
            still = reader.mark(rule.row), reader.asset_price(rule.settle)
            found.append(Position(leg, places, rule, quantity, paid, mark, settle, *still))
    return found


def _roundings(rule: F.AssetRule, quantity: int, follows: bool) -> int:
    """What rounding may do to E - M of cash between two points."""
    if quantity > 0:
        below = 0
        for upper, _, maintain in rule.tiers:
            if maintain and quantity > below:
                break
            below = upper
        else:
            return 0  # nothing of it weighs anything: E = M at every price
        roundings = 2 + 2 * len(rule.tiers)
    else:
        roundings = 6  # a borrow weight is at most 4
    if follows:  # its price was rounded
        roundings += 2 * F.div_up(4 * abs(quantity), ASSET_PRICE_SCALE)
    return roundings
