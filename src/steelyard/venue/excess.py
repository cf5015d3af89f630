"""Too much of one thing in plain Python integers, for explanations. See docs/concepts/requirements.md."""

from collections import Counter
from dataclasses import dataclass

from steelyard.model import keys as K
from steelyard.model.orders import FOR_OPEN, TO_OPEN, TO_WITHDRAW
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.reading import Reader


@dataclass(frozen=True, slots=True)
class Part:
    """What one position, or one asset, answers for of what its group has above a limit."""

    thing: int
    part: int
    total: int
    limit: int
    rate: int

    @property
    def asked(self) -> int:
        if self.part <= 0 or self.total <= self.limit:
            return 0
        return F.ppm_up(F.div_up(self.part * (self.total - self.limit), self.total), self.rate)


def asked(reader: Reader, account: int, question: int) -> int:
    """What it adds to M."""
    parts = [*of_positions(reader, account), *of_cash(reader, account, question)]
    return sum(part.asked for part in parts)


def of_positions(reader: Reader, account: int, market: int = 0, low: int = 0, high: int = 0) -> list[Part]:
    """With orders; in `market` (0: none) with lots between these instead."""
    state, orders, ends = reader.state, reader.state.leg_open, {}
    for leg in reader.legs(account) if account else ():
        row, quantity = reader.thing(leg) - MARKET_0, reader.quantity(leg)
        if row > 0 and not reader.market_rule(row).base:
            ends[row] = quantity - int(orders.ask_lots[leg]), quantity + int(orders.bid_lots[leg])
    if market:
        ends[market] = low, high
    sizes, totals = {}, Counter[int]()
    for row, both in ends.items():
        rule = reader.market_rule(row)
        largest = max(rule.notional(lots, reader.mark(row)) for lots in both)
        sizes[row] = F.charge(largest, reader.asset_price(rule.settle))
        totals[_group(int(state.market_rule[row, K.M_GROUP]), row)] += sizes[row]
    return [
        Part(MARKET_0 + row, size, totals[_group(int(rule[K.M_GROUP]), row)], int(rule[K.M_EXCESS_FROM]), rate)
        for row, size in sizes.items()
        for rule in (state.market_rule[row],)
        if (rate := int(rule[K.M_EXCESS_PPM]))
    ]


def of_cash(reader: Reader, account: int, question: int, asset: int = 0, held: int = 0) -> list[Part]:
    """Of `asset` (0: none) with so much instead."""
    state, amounts = reader.state, {}
    for leg in reader.legs(account) if account else ():
        if reader.thing(leg) < MARKET_0:
            amounts[reader.thing(leg)] = reader.quantity(leg)
    if asset:
        amounts[asset] = held
    counts = {row: _counts(reader, row, amount, question) for row, amount in amounts.items() if amount > 0}
    totals, everything = Counter[int](), sum(counts.values())
    for row, count in counts.items():
        totals[_group(int(state.asset_rule[row, K.A_GROUP]), row)] += count
    found = []
    for row, count in counts.items():
        rule = state.asset_rule[row]
        limit = min(everything * int(rule[K.A_EXCESS_SHARE_PPM]) // PPM, int(rule[K.A_EXCESS_FROM]))
        if rule[K.A_EXCESS_PPM]:
            total = totals[_group(int(rule[K.A_GROUP]), row)]
            found.append(Part(row, count, total, limit, int(rule[K.A_EXCESS_PPM])))
    return found


def _group(group: int, row: int) -> int:
    return group or -row


def _counts(reader: Reader, asset: int, quantity: int, question: int) -> int:
    price, rule, gap = reader.asset_price(asset), reader.asset_rule(asset), reader.asset_gap(asset)
    good = asset == 1 or reader.is_good(reader.feed_of_asset(asset), TO_OPEN if question == FOR_OPEN else TO_WITHDRAW)
    return max(0, F.value(quantity, price) - F.cash_needed(asset, rule, quantity, price, question, good, gap))
