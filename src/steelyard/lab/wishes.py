"""What agents see and what they may ask for. Neither names a machine, so an agent can trade on a venue far away.

Prices are ticks and sizes are lots: whole numbers, so that a float never reaches the venue.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

BUY, SELL = 1, -1


@dataclass(frozen=True, slots=True)
class Terms:
    """What a market's listing says: the sizes of its steps, in money."""

    symbol: str
    tick: float
    lot: float

    def lots(self, notional: float, ticks: float) -> int:
        """How many whole lots so much money buys at a price."""
        return int(notional / (ticks * self.tick * self.lot))


@dataclass(frozen=True, slots=True)
class Place:
    """Without `ticks` it is a market order; with a trigger it waits for the mark."""

    account: str
    market: str
    side: int
    lots: int = 0
    ticks: int = 0
    post_only: bool = False
    immediate: bool = False
    reduce_only: bool = False
    closes: bool = False  # whatever the position is by then
    stop: int = 0
    take_profit: int = 0
    trail_ppm: int = 0


@dataclass(frozen=True, slots=True)
class CancelAll:
    account: str
    market: str


@dataclass(frozen=True, slots=True)
class SetLeverage:
    account: str
    market: str
    leverage: int


@dataclass(frozen=True, slots=True)
class Deposit:
    account: str
    asset: str  # the unit of account where there is none
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Borrow:
    """Takes so much out of the venue; what is not there is lent."""

    account: str
    asset: str
    amount: Decimal


Wish = Place | CancelAll | SetLeverage | Deposit | Borrow


class Sees(Protocol):
    """What one can know without running the venue: the world's price, public prices, and one's own accounts."""

    @property
    def now(self) -> float:
        """Seconds."""

    def terms(self, market: str) -> Terms: ...

    def world(self, market: str) -> float:
        """What the same thing trades at elsewhere, in ticks of this market."""

    def best(self, market: str) -> tuple[int, int]:
        """Best bid and best ask in ticks; 0 where the side is empty."""

    def position(self, account: str, market: str) -> int:
        """Signed lots, wherever they are held."""

    def equity(self, account: str, market: str) -> float:
        """Of the account that backs this market, in money."""

    def cash(self, account: str, asset: str) -> float:
        """Coins, or money without an asset's name; below zero it is owed."""

    def is_busy(self, account: str, market: str) -> bool:
        """In liquidation, or with orders of its own still waiting or resting there."""


class Agent(Protocol):
    def act(self, sees: Sees) -> list[Wish]: ...
