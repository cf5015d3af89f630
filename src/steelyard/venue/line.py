"""Lines of prices, and how far a leg strays from a straight line along them. See docs/concepts/liquidation-price.md.

Promises
- Along a line every price rises or stands still.
- Between two points of a line, E - M(maintain) of a leg differs from the straight line between its ends by at most the
  leg's `bend`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from steelyard.num.limits import ASSET_PRICE_SCALE, PPM, SIZE_SCALE, VALUE_MAX, VIRTUAL_ATOMS, VIRTUAL_SHARES
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.reading import Prices, Reader


class UnknownLine(ValueError):
    """Nobody knows how an account's requirement moves along this line."""


@dataclass(frozen=True, slots=True)
class Follower:
    """A price that is a share, rounded down, of one before it on the line."""

    thing: int
    of: int  # its place
    numerator: int
    denominator: int
    least: int

    def at(self, price: int) -> int:
        return max(self.least, price * self.numerator // self.denominator)

    def first(self, least: int) -> int:
        """The lowest price before it at which it is at least this."""
        return F.div_up(least * self.denominator, self.numerator) if least > self.least else 1

    def last(self, most: int) -> int:
        """The highest price before it at which it is at most this."""
        return ((most + 1) * self.denominator - 1) // self.numerator


@dataclass(frozen=True, slots=True)
class Line:
    """Prices that move together, told by that of what leads."""

    leader: int
    here: int
    first: int  # the lowest price of what leads
    last: int  # the highest
    followers: tuple[Follower, ...]

    @property
    def things(self) -> tuple[int, ...]:
        return self.leader, *(each.thing for each in self.followers)

    def at(self, x: int) -> Prices:
        prices = [(self.leader, x)]
        for each in self.followers:
            prices.append((each.thing, each.at(prices[each.of][1])))
        return prices


def line_of(reader: Reader, things: Sequence[int]) -> Line:
    """The first leads, the others follow in proportion: all of them have a price. Shares of pools always follow."""
    leader, *others = things
    here = reader.price(leader)
    first, last = reader.lowest_price(leader), reader.highest_price(leader)
    followers = []
    for thing in others:
        follower = Follower(thing, 0, reader.price(thing), here, 1)
        first = max(first, follower.first(reader.lowest_price(thing)))
        last = min(last, follower.last(reader.highest_price(thing)))
        followers.append(follower)
    for place, thing in enumerate(things):
        for share in reader.shares_of(thing):
            assets, shares = reader.pool_assets(share), int(reader.state.asset.deposited[share])
            follower = Follower(share, place, assets + VIRTUAL_ATOMS, shares + VIRTUAL_SHARES, 0)
            most = follower.last(reader.highest_price(share))
            last = min(last, followers[place - 1].last(most) if place else most)
            followers.append(follower)
    return Line(leader, here, min(first, here), max(last, here), tuple(followers))


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
    is_scanned: bool  # what it requires does not move with the mark

    def bend(self, a: Prices, b: Prices) -> int | None:
        ends = [self._terms(prices) for prices in (a, b)]
        (price_a, notional_a, worth_a, kept_a), (price_b, notional_b, worth_b, kept_b) = ends
        top, most = max(price_a, price_b), max(abs(worth_a), abs(worth_b))
        if max(most, kept_a, kept_b) * top >= VALUE_MAX * ASSET_PRICE_SCALE:
            return None  # clamped
        low, high = sorted((notional_a, notional_b))
        first, last = self.rule.bracket(low), self.rule.bracket(high)
        rates = [bracket.maintain * (SIZE_SCALE // PPM) for bracket in self.rule.brackets[first : last + 1]]
        if any(self.rule.size_maintain):
            rates.append(F.size_rate(self.rule.size_maintain, self.quantity))
        gap = F.div_up((high - low) * (max(rates) - min(rates)), 4 * SIZE_SCALE) + last - first + 3
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
        kept = 0 if self.is_scanned else F.kept_atoms(self.rule, self.quantity, abs(worth))
        return price, abs(worth), worth - self.paid, kept

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
            if settle is not None and reader.scans(account):
                raise UnknownLine("scenarios are not followed along the price of what a position settles in")
            found.append(Position(leg, places, rule, quantity, paid, mark, settle, *still, reader.scans(account)))
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
