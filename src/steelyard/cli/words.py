"""Short sentences about liquidations, made from events as they arrive."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from steelyard.cli.drawing import ACCENT, DOWN, PLAIN, SOFT, UP, WARN, coin, percent, short
from steelyard.venue import happened as H


@dataclass(frozen=True, slots=True)
class Note:
    """`account` is whom it is about, an isolated position by its own name."""

    at_ns: int
    account: str
    text: str
    style: str


def _plain(value: Decimal) -> str:
    return f"{value:,f}"


def sentence(event: H.Happened) -> Note | None:
    """One event in a few words; None for what is not news."""
    match event:
        case H.LiquidationStarted():
            text = f"starts: E {short(event.equity)} < M {short(event.maintain)}"
            return Note(event.at_ns, event.account, text, f"bold {DOWN}")
        case H.FundPaid():
            return Note(event.at_ns, event.account, f"insurance pays {short(event.amount)} {event.asset}", WARN)
        case H.TakenOver():
            text = f"backstop takes {_plain(event.amount)} {coin(event.symbol)}"
            return Note(event.at_ns, event.account, text, WARN)
        case H.Deleveraged():
            text = f"{event.counterparty} deleveraged by {_plain(event.amount)} {coin(event.symbol)}"
            return Note(event.at_ns, event.account, text, f"bold {ACCENT}")
        case H.Converted():
            text = f"{short(event.sold)} {event.sold_asset} → {short(event.bought)} {event.bought_asset}"
            return Note(event.at_ns, event.account, text, PLAIN)
        case H.Absorbed():
            text = f"{short(event.repaid)} {event.debt_asset} → {short(event.received)} {event.collateral_asset}"
            return Note(event.at_ns, event.account, f"absorbed by {event.share}: {text}", PLAIN)
        case H.ClaimsIssued():
            text = (
                f"{short(event.received)} {event.collateral_asset} issued for {short(event.repaid)} {event.debt_asset}"
            )
            return Note(event.at_ns, event.account, text, WARN)
        case H.DebtSpread():
            text = f"{short(event.repaid)} {event.debt_asset} → {short(event.received)} {event.collateral_asset}"
            return Note(event.at_ns, event.account, f"taken over by others who owe: {text}", WARN)
        case H.LiquidationEnded(because="healthy") if event.maintain > 0:
            text = f"healthy, E {short(event.equity)} ≥ M {short(event.maintain)}"
            return Note(event.at_ns, event.account, text, UP)
        case H.LiquidationEnded():
            return Note(event.at_ns, event.account, f"closed out, {short(event.equity)} left", SOFT)
        case H.OrderTriggered():
            text = f"trigger: {event.side} {coin(event.symbol)} at {_plain(event.price)}"
            return Note(event.at_ns, event.account, text, SOFT)
        case H.MarketSettled():
            return Note(event.at_ns, event.symbol, f"settled at {_plain(event.price)}", ACCENT)
        case H.FundingSet():
            return Note(event.at_ns, event.symbol, f"funding {percent(event.rate, 4, sign=True)}", SOFT)
    return None


@dataclass
class _Slice:
    """One liquidation order and what it has found so far."""

    order: H.LiquidationOrder
    filled: Decimal = Decimal(0)
    cost: Decimal = Decimal(0)

    def note(self) -> Note:
        order, verb = self.order, "sold" if self.order.side == "sell" else "bought"
        if not self.filled:
            who = "bids down" if order.side == "sell" else "asks up"
            return Note(order.at_ns, order.account, f"no {who} to {_plain(order.limit)}", SOFT)
        at = (self.cost / self.filled).quantize(order.limit)
        text = f"{verb} {_plain(self.filled)} {coin(order.symbol)} at {_plain(at)}"
        return Note(order.at_ns, order.account, text, PLAIN)


class Narrator:
    """Keeps the fills of one liquidation order together, so that a slice is one line."""

    def __init__(self) -> None:
        self._slice: _Slice | None = None

    def tell(self, event: H.Happened) -> Iterator[Note]:
        now = self._slice
        if now and isinstance(event, H.Fill) and event.seq == now.order.seq and event.is_liquidation:
            if event.account == now.order.account and event.symbol == now.order.symbol:
                now.filled += event.amount
                now.cost += event.amount * event.price
                return
        news = sentence(event)
        starts = isinstance(event, H.LiquidationOrder)
        if now and (news or starts or event.seq != now.order.seq):
            yield now.note()
            self._slice = None
        if isinstance(event, H.LiquidationOrder):
            self._slice = _Slice(event)
        if news:
            yield news

    def rest(self) -> Iterator[Note]:
        """At the end of a batch of whole commands nothing more can follow."""
        if self._slice:
            yield self._slice.note()
            self._slice = None
