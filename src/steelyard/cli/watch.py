"""What the view remembers of the events it has seen: trades, marks over time, news, and how much happens."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from steelyard.cli.words import Narrator, Note
from steelyard.venue import happened as H

SAMPLE_NS = 4_000_000_000  # between points of the graph
TRADES_KEPT, NEWS_KEPT, MARKS_KEPT = 128, 512, 512


@dataclass
class Trade:
    at_ns: int
    order: int
    side: str  # of the taker
    price: Decimal
    amount: Decimal
    is_liquidation: bool


class Watch:
    def __init__(self, markets: Iterable[str]) -> None:
        self.trades: dict[str, deque[Trade]] = {each: deque(maxlen=TRADES_KEPT) for each in markets}
        self.marks: dict[str, deque[float]] = {each: deque(maxlen=MARKS_KEPT) for each in self.trades}
        self.opened: dict[str, Decimal] = {}
        self.news: deque[Note] = deque(maxlen=NEWS_KEPT)
        self.rate = 0.0  # events per second of ours
        self.liquidations = 0
        self._sampled: dict[str, int] = {}
        self._narrator = Narrator()

    def read(self, events: list[H.Happened], seconds: float) -> None:
        """`seconds` of ours have passed since the last time."""
        for event in events:
            if isinstance(event, H.Fill):
                self._fill(event)
            elif isinstance(event, H.MarkSet):
                self._mark(event)
            elif isinstance(event, H.LiquidationStarted):
                self.liquidations += 1
            self.news.extend(self._narrator.tell(event))
        self.news.extend(self._narrator.rest())
        if seconds > 0:
            share = min(1.0, seconds / 1.5)
            self.rate += share * (len(events) / seconds - self.rate)

    def say(self, note: Note) -> None:
        self.news.append(note)

    def _fill(self, event: H.Fill) -> None:
        if event.is_maker or event.symbol not in self.trades:
            return
        trades = self.trades[event.symbol]
        last = trades[-1] if trades else None
        if last and last.order == event.order and last.price == event.price and last.at_ns == event.at_ns:
            last.amount += event.amount
            return
        trades.append(Trade(event.at_ns, event.order, event.side, event.price, event.amount, event.is_liquidation))

    def _mark(self, event: H.MarkSet) -> None:
        if event.symbol not in self.marks:
            return
        self.opened.setdefault(event.symbol, event.mark)
        if event.at_ns - self._sampled.get(event.symbol, 0) >= SAMPLE_NS:
            self._sampled[event.symbol] = event.at_ns
            self.marks[event.symbol].append(float(event.mark))
