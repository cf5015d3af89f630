"""An account before and after something that is tried on a copy: what a deposit, a loan or an order would do to it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN
from steelyard.model.reject import Reject
from steelyard.venue.amounts import grouped, ratio_up, trimmed
from steelyard.venue.core import Core
from steelyard.venue.happened import LiquidationStarted
from steelyard.venue.instruments import Names, price_step_of
from steelyard.venue.reading import Reader
from steelyard.venue.records import Record
from steelyard.venue.refusals import Rejected
from steelyard.venue.solve import losing_price

C = TypeVar("C", bound=Core)


class Standing(Record, frozen=True, kw_only=True):
    """Where an account stands, in the unit of account.

    `liquidation_prices` names every position, collateral and debt of the account itself whose price alone can make it
    unhealthy, with the first such price on the side on which it loses; the present one if it is unhealthy already.
    """

    equity: Decimal
    open: Decimal
    maintain: Decimal
    free: Decimal  # equity above M(open), never below zero
    margin_ratio: Decimal | None  # M(maintain) / equity, rounded up; None if equity is not above zero
    healthy: bool
    liquidation_prices: dict[str, Decimal]


class Preview(Record, frozen=True, kw_only=True):
    """`reason` is NONE if it would be done; `liquidated` lists the accounts that would go into liquidation."""

    account: str
    unit: str
    reason: Reject
    message: str
    before: Standing
    after: Standing
    liquidated: tuple[str, ...]

    @property
    def is_done(self) -> bool:
        return not self.reason

    def __str__(self) -> str:
        before, after = self.before, self.after
        rows = [(f"{self.account}, in {self.unit}", "before", "after", "change")]
        for name, was, now in (
            ("E", before.equity, after.equity),
            ("M(open)", before.open, after.open),
            ("M(maintain)", before.maintain, after.maintain),
            ("free for new risk", before.free, after.free),
        ):
            rows.append((name, grouped(was), grouped(now), f"{'+' if now > was else ''}{grouped(now - was)}"))
        rows.append(("M / E", _text(before.margin_ratio), _text(after.margin_ratio), ""))
        for name in {**before.liquidation_prices, **after.liquidation_prices}:
            was_at, now_at = before.liquidation_prices.get(name), after.liquidation_prices.get(name)
            rows.append((f"liquidated by {name} at", _text(was_at), _text(now_at), ""))
        widths = [max(len(row[place]) for row in rows) for place in range(4)]
        lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows]
        if not self.is_done:
            lines.append(f"It would be refused: {self.reason.name}: {self.message}")
        if self.liquidated:
            lines.append(f"It would liquidate {', '.join(self.liquidated)}.")
        return "\n".join(lines)


def _text(value: Decimal | None) -> str:
    return "-" if value is None else trimmed(value)


def standing(reader: Reader, names: Names, account: int) -> Standing:
    unit = names.asset_at(1).atom.back
    equity = reader.equity(account)
    opening, maintain = (reader.requirement(account, question) for question in (FOR_OPEN, FOR_MAINTAIN))
    prices: dict[str, Decimal] = {}
    for leg in reader.legs(account):
        thing = reader.thing(leg)
        leader = reader.lent_by(thing) or thing
        found = None if leader == 1 else losing_price(reader, account, thing)
        if found is not None:
            fed = names.thing_at(leader)
            prices.setdefault(fed.name, price_step_of(fed).back(found))
    return Standing(
        equity=unit(equity),
        open=unit(opening),
        maintain=unit(maintain),
        free=unit(max(0, equity - opening)),
        margin_ratio=ratio_up(maintain, equity),
        healthy=equity >= maintain,
        liquidation_prices=prices,
    )


def preview(venue: C, copy: C, account: int, act: Callable[[C], Any]) -> Preview:
    """`act` is done to the copy. What it did before it was refused, if anything, counts."""
    refusal = None
    try:
        act(copy)
    except Rejected as error:
        refusal = error
    started = [each.account for each in copy.drain() if isinstance(each, LiquidationStarted)]
    return Preview(
        account=venue.names.account_name(account),
        unit=venue.names.asset_at(1).name,
        reason=Reject(0) if refusal is None else refusal.reason,
        message="" if refusal is None else refusal.message,
        before=standing(venue.reader, venue.names, account),
        after=standing(copy.reader, copy.names, account),
        liquidated=tuple(dict.fromkeys(started)),
    )
