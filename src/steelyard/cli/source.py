"""What the terminal view reads: records and events, wherever they come from.

A market simulated in this process answers today; a server can answer tomorrow, because nothing here names a machine.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from steelyard.venue.explain import Explanation
from steelyard.venue.happened import Happened
from steelyard.venue.market_records import Book, Funds, MarketView, QueueEntry
from steelyard.venue.records import AccountView, LiquidationPrice


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at the venue. `accounts` are those that are watched, and the backstop.

    `together` holds the liquidation prices of those who hold a coin that has a market here: the market leads, the coin
    follows.
    """

    now_ns: int
    unit: str
    markets: tuple[MarketView, ...]
    book: Book
    accounts: tuple[AccountView, ...]
    funds: Funds
    queue: tuple[QueueEntry, ...]
    together: tuple[LiquidationPrice, ...] = ()

    def market(self, symbol: str) -> MarketView:
        return next(each for each in self.markets if each.symbol == symbol)


class Source(Protocol):
    @property
    def markets(self) -> tuple[str, ...]: ...

    def snapshot(self, market: str) -> Snapshot: ...

    def events(self) -> list[Happened]:
        """What happened since the last time, oldest first."""

    def explain(self, account: str) -> Explanation: ...

    def advance(self, seconds: float, patience: float | None = None) -> None:
        """Let so much time of the market pass, or less if it takes longer than `patience` seconds of ours."""

    def shock(self, move: float) -> None:
        """Move all prices by a fraction."""

    def refill(self) -> Decimal:
        """Pay money into the insurance fund; says how much."""
