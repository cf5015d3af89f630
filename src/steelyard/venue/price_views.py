"""What a feed says, what its price is good for, and if not, why. See docs/concepts/prices.md."""

from decimal import Decimal

from steelyard.model import keys as K
from steelyard.model.orders import (
    ACTIONS,
    DEMAND_NARROW,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    DEMAND_WHOLE,
    TO_LIQUIDATE,
)
from steelyard.num.limits import PPM, SOURCES_MAX
from steelyard.venue.amounts import Step, clock_text, trimmed
from steelyard.venue.instruments import Asset, Market
from steelyard.venue.parameters import FEED_ACTIONS, rate
from steelyard.venue.reading import Reader
from steelyard.venue.records import Record


class PriceView(Record, frozen=True, kw_only=True):
    """Prices are None until there is one."""

    name: str
    price: Decimal | None
    low: Decimal | None  # opening counts assets at it
    high: Decimal | None  # and debts at this
    now: Decimal | None  # what the sources say; the price itself without a policy
    average: Decimal | None  # over the feed's window; None without one
    pending: Decimal | None  # takes effect at `pending_ns`
    pending_ns: int | None
    fresh_until_ns: int
    not_good_for: dict[str, str]  # action: why not; good for every action that is missing here
    at_ns: int


class PriceViews:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def price(self, fed: Asset | Market) -> PriceView:
        row, table = fed.feed, self.reader.state.feed
        step: Step = fed.tick if isinstance(fed, Market) else fed.price_step

        def shown(price: int) -> Decimal | None:
            return step.back(price) if price else None

        price = int(table.price[row])
        has_policy, window = (int(self.reader.state.feed_rule[row, key]) for key in (K.F_HAS_POLICY, K.F_WINDOW_NS))
        below, above, pending = int(table.below[row]), int(table.above[row]), int(table.pending[row])
        reasons = {name: self.why_not(row, action) for action, name in enumerate(FEED_ACTIONS)}
        return PriceView(
            name=fed.name,
            price=shown(price),
            low=step.back(price - below) if price else None,
            high=shown(price + above),
            now=shown(int(table.now_price[row]) if has_policy else price),
            average=shown(self._average(row)) if window else None,
            pending=shown(pending),
            pending_ns=int(table.pending_ns[row]) if pending else None,
            fresh_until_ns=int(table.fresh_until_ns[row]),
            not_good_for={name: why for name, why in reasons.items() if why},
            at_ns=self.reader.now_ns,
        )

    def why_not(self, row: int, action: int) -> str:
        """Why a feed's price is not good for an action; empty if it is."""
        reader, table = self.reader, self.reader.state.feed
        if reader.is_good(row, action):
            return ""
        if not int(table.price[row]):
            return "it has no price yet"
        rule = [int(value) for value in reader.state.feed_rule[row]]
        if rule[K.F_HALTED]:
            return "the feed is halted"
        if reader.now_ns > int(table.fresh_until_ns[row]):
            return (
                f"it was fresh until {clock_text(int(table.fresh_until_ns[row]))}: {self._fresh(row, rule)} of "
                f"{rule[K.F_QUORUM]} sources are fresh"
            )
        until = int(reader.state.feed_until[row, action])
        if action == TO_LIQUIDATE and reader.now_ns <= until:
            return f"after an outage liquidation waits until {clock_text(int(table.calm_ns[row]))}"
        return "; ".join(self._broken(row, rule, rule[K.F_DEMANDS + action])) or "its last judgement has lapsed"

    def _broken(self, row: int, rule: list[int], demands: int) -> list[str]:
        """Which demands do not hold."""
        table, broken = self.reader.state.feed, []
        price, now, average = int(table.price[row]), int(table.now_price[row]), self._average(row)
        width, away = int(table.below[row]) + int(table.above[row]), abs(now - average)
        if demands & DEMAND_QUORUM and self._fresh(row, rule) < rule[K.F_STRICT_QUORUM]:
            broken.append(f"{self._fresh(row, rule)} sources are fresh, {rule[K.F_STRICT_QUORUM]} are demanded")
        if demands & DEMAND_NARROW and width * PPM > price * rule[K.F_WIDTH_MAX_PPM]:
            share, most = _share(width, price), trimmed(rate(rule[K.F_WIDTH_MAX_PPM]))
            broken.append(f"its interval is {share} of it wide, at most {most} is allowed")
        if demands & DEMAND_STEADY and away * PPM > average * rule[K.F_DIVERGENCE_MAX_PPM]:
            share, most = _share(away, average), trimmed(rate(rule[K.F_DIVERGENCE_MAX_PPM]))
            broken.append(f"what the sources say is {share} away from its average, at most {most} is allowed")
        if demands & DEMAND_WHOLE and not broken:
            broken.append("it is held back by its step or cut to its growth")
        return broken

    def _fresh(self, row: int, rule: list[int]) -> int:
        """How many sources with a weight have a report that is young and narrow enough."""
        source, found = self.reader.state.source, 0
        for number in range(SOURCES_MAX):
            each = row * SOURCES_MAX + number
            price, age = int(source.price[each]), self.reader.now_ns - int(source.at_ns[each])
            staleness = rule[K.F_SOURCE_STALENESS_NS + number] or rule[K.F_STALENESS_NS]
            narrow = int(source.confidence[each]) * PPM <= price * rule[K.F_CONFIDENCE_MAX_PPM]
            found += rule[K.F_WEIGHT + number] > 0 and price > 0 and age <= staleness and narrow
        return found

    def _average(self, row: int) -> int:
        """As the feed was last recomputed."""
        table, window = self.reader.state.feed, int(self.reader.state.feed_rule[row, K.F_WINDOW_NS])
        before, mean, length = (int(column[row]) for column in (table.before, table.mean, table.mean_ns))
        return before + (mean - before) * length // window if window else int(table.now_price[row])


def _share(part: int, whole: int) -> str:
    return trimmed(round(Decimal(part) / whole, 6)) if whole else "all"


assert len(FEED_ACTIONS) == ACTIONS
