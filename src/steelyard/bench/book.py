"""An order book in plain Python, as anyone would write it: dicts, deques, heaps, lazy cancels.

Twice: `Book` keeps every number of the outcome and can be looked at between orders; `play` does nothing but match, as
fast as plain Python gets, and is what the machine is measured against.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

ADD, CANCEL, MARKET = 0, 1, 2
BUY, SELL = 0, 1
BEYOND = 1 << 40  # a price no order reaches


@dataclass(frozen=True)
class Outcome:
    """What a flow leads to under strict price-time priority."""

    n_trades: int
    traded_qty: int
    traded_notional: int  # lots x ticks
    resting_orders: int
    resting_qty: int
    best_bid: int  # 0: none
    best_ask: int


class Book:
    """One market. Orders are known by number; a cancelled one stays in its queue until it would be met."""

    def __init__(self) -> None:
        self.left: dict[int, int] = {}  # number -> lots still to fill
        self.home: dict[int, tuple[int, int]] = {}  # number -> (side, price)
        self.gone: list[int] = []  # numbers that the last order filled whole
        self.queues: tuple[dict[int, deque[int]], dict[int, deque[int]]] = ({}, {})
        self.prices: tuple[list[int], list[int]] = ([], [])  # heaps; those of buys are negative
        self.trades = self.lots = self.notional = self.most = 0

    def best(self, side: int) -> int:
        """The best price of this side, or 0."""
        prices, queues = self.prices[side], self.queues[side]
        while prices:
            price = abs(prices[0])
            queue = queues[price]
            while queue and queue[0] not in self.left:
                queue.popleft()
            if queue:
                return price
            heappop(prices)
            del queues[price]
        return 0

    def add(self, number: int, side: int, price: int, lots: int) -> None:
        """Match, then let the rest stay in the book."""
        lots = self._match(side, price, lots)
        if lots == 0:
            return
        queues = self.queues[side]
        if price not in queues:
            queues[price] = deque()
            heappush(self.prices[side], price if side == SELL else -price)
        queues[price].append(number)
        self.left[number] = lots
        self.home[number] = side, price
        self.most = max(self.most, len(self.left))

    def market(self, side: int, lots: int) -> None:
        """Match at any price; the rest is dropped."""
        self._match(side, BEYOND if side == BUY else 0, lots)

    def cancel(self, number: int) -> None:
        del self.left[number]
        del self.home[number]

    def _match(self, side: int, limit: int, lots: int) -> int:
        self.gone.clear()
        while lots and (price := self.best(1 - side)):
            if price > limit if side == BUY else price < limit:
                break
            maker = self.queues[1 - side][price][0]
            taken = min(lots, self.left[maker])
            self.trades += 1
            self.lots += taken
            self.notional += taken * price
            lots -= taken
            self.left[maker] -= taken
            if self.left[maker] == 0:
                self.cancel(maker)
                self.gone.append(maker)
        return lots

    def outcome(self) -> Outcome:
        return Outcome(
            n_trades=self.trades,
            traded_qty=self.lots,
            traded_notional=self.notional,
            resting_orders=len(self.left),
            resting_qty=sum(self.left.values()),
            best_bid=self.best(BUY),
            best_ask=self.best(SELL),
        )


Columns = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int], Sequence[int]]


def play(columns: Columns) -> tuple[int, int, dict[int, int]]:
    """(trades, lots traded, lots left by order) of a flow given as lists of op, side, price, lots and number."""
    queues_of: tuple[dict[int, deque[int]], dict[int, deque[int]]] = ({}, {})
    prices_of: tuple[list[int], list[int]] = ([], [])
    left: dict[int, int] = {}
    trades = traded = 0
    for op, side, limit, lots, number in zip(*columns, strict=True):
        if op == 1:
            left.pop(number, None)
            continue
        if op == 2:
            limit = -1 if side else BEYOND
        prices, queues = prices_of[1 - side], queues_of[1 - side]
        while lots and prices:
            price = -prices[0] if side else prices[0]
            queue = queues[price]
            while queue and queue[0] not in left:
                queue.popleft()
            if not queue:
                heappop(prices)
                del queues[price]
                continue
            if price < limit if side else price > limit:
                break
            maker = queue[0]
            rest = left[maker]
            trades += 1
            if lots < rest:
                traded += lots
                left[maker] = rest - lots
                lots = 0
            else:
                traded += rest
                lots -= rest
                del left[maker]
                queue.popleft()
        if lots and op == 0:
            queues = queues_of[side]
            if limit not in queues:
                queues[limit] = deque()
                heappush(prices_of[side], limit if side else -limit)
            queues[limit].append(number)
            left[number] = lots
    return trades, traded, left
