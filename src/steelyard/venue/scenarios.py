"""Requirements by scenarios in plain Python integers, for explanations. See docs/concepts/requirements.md."""

from collections.abc import Iterable
from dataclasses import dataclass

from steelyard.model import keys as K
from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN, FOR_RESTORE
from steelyard.num.limits import PPM, SCENARIOS
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.reading import Reader


@dataclass(frozen=True, slots=True)
class Held:
    """A market of which an account holds, or may come to hold, lots between these."""

    market: int
    low: int
    high: int
    price: int  # of what it settles in
    array: tuple[int, ...]

    def change(self, scenario: int) -> int:
        """What it gains in a scenario at the worse end, in value, rounded down."""
        return min(F.value(F.ppm_down(lots, self.array[scenario]), self.price) for lots in (self.low, self.high))

    def side(self, sign: int) -> int:
        """What of it is on one side of its group, rounded up."""
        per_lot = sign * self.array[K.S_BASIS]
        return max(0, *(F.charge(F.ppm_up(lots, per_lot), self.price) for lots in (self.low, self.high)))

    def short(self) -> int:
        return F.charge(F.ppm_up(max(0, -self.low), self.array[K.S_SHORT]), self.price)


@dataclass(frozen=True, slots=True)
class Group:
    """Markets that offset each other: what their worst scenario costs, and what stands beside it."""

    held: tuple[Held, ...]

    @property
    def worst(self) -> tuple[int, int]:
        """(the first of the worst scenarios, what it costs)"""
        changes = [sum(each.change(scenario) for each in self.held) for scenario in range(SCENARIOS)]
        return changes.index(min(changes)), max(0, -min(changes))

    @property
    def basis(self) -> int:
        return min(sum(each.side(sign) for each in self.held) for sign in (1, -1))

    @property
    def shorts(self) -> int:
        return sum(each.short() for each in self.held)

    @property
    def scan(self) -> int:
        return self.worst[1] + self.basis + self.shorts


def grouped(held: Iterable[tuple[int, Held]]) -> list[Group]:
    """Of (group, market held), in the order given."""
    found: dict[int, list[Held]] = {}
    for group, each in held:
        found.setdefault(group, []).append(each)
    return [Group(tuple(each)) for each in found.values()]


def groups(reader: Reader, account: int, question: int) -> list[Group]:
    """In order of thing; of all questions but open without orders."""
    found, state = [], reader.state
    for leg in reader.legs(account):
        market = reader.thing(leg) - MARKET_0
        if market > 0 and not (rule := reader.market_rule(market)).base:
            quantity, orders = reader.quantity(leg), state.leg_open
            asks, bids = (int(orders.ask_lots[leg]), int(orders.bid_lots[leg])) if question == FOR_OPEN else (0, 0)
            array = tuple(int(each) for each in state.array_rule[market])
            price = reader.asset_price(rule.settle)
            found.append((rule.group, Held(market, quantity - asks, quantity + bids, price, array)))
    return grouped(found)


def weight(held: Held) -> int:
    """What lots require with nothing else beside them, at least 1; 0 of none."""
    if held.low == 0:
        return 0
    return max(1, max(0, *(-held.change(scenario) for scenario in range(SCENARIOS))) + held.short())


def share(reader: Reader, account: int, market: int, question: int) -> int:
    """A position's part of what scenarios require, by weight; up."""
    weights = {each.market: weight(each) for group in groups(reader, account, FOR_MAINTAIN) for each in group.held}
    total, mine = sum(weights.values()), weights.get(market, 0)
    return F.div_up(scanned(reader, account, question) * mine, total) if mine else 0


def factor(reader: Reader, account: int, question: int) -> int:
    """What the scan is multiplied by: the strictest of the markets held."""
    state, factors = reader.state, [PPM]
    for leg in reader.legs(account):
        market, orders = reader.thing(leg) - MARKET_0, reader.state.leg_open
        if market <= 0 or reader.market_rule(market).base:
            continue
        if reader.quantity(leg) or orders.bid_lots[leg] or orders.ask_lots[leg]:
            if question == FOR_OPEN:
                factors.append(int(state.array_rule[market, K.S_OPEN_PPM]))
            else:
                rule = reader.market_rule(market)
                factors.append(rule.restore if question == FOR_RESTORE else rule.takeover)
    return max(factors) if question in (FOR_OPEN, FOR_RESTORE) else min(factors)


def scanned(reader: Reader, account: int, question: int) -> int:
    """The position part of M by scenarios, in value."""
    total = sum(group.scan for group in groups(reader, account, question))
    return total if question == FOR_MAINTAIN else F.ppm_up(total, factor(reader, account, question))
