"""What a person sees: frozen records with names and decimals, each with its ccxt shape where there is one.

Attributes are exact decimals unless they say otherwise. Ratios, rates of return and average prices are rounded for
display: ratios up, averages half to even. `to_ccxt()` speaks ccxt's field names and, like ccxt, floats;
`to_ccxt(number=str)` or `number=Decimal` keeps every digit.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from steelyard.model.reject import Reject
from steelyard.venue.amounts import average, grouped, iso8601, milliseconds, quotient, trimmed
from steelyard.venue.happened import Fill

Shape = dict[str, Any]
Numeric = Callable[[Decimal], Any]
ZERO = Decimal(0)
LISTED = 8  # intervals that a text shows


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all views."""

    def _info(self) -> Any:
        return msgspec.to_builtins(self)


class Ramp(Record, frozen=True, kw_only=True):
    """Parameters on their way: each by name, as (now, where it was set)."""

    name: str
    started_ns: int
    until_ns: int
    ways: dict[str, tuple[Decimal, Decimal]]


def _maybe(number: Numeric, value: Decimal | None) -> Any:
    return None if value is None else number(value)


def _percent(part: Decimal, whole: Decimal) -> Decimal | None:
    return average(part, whole, 6) if whole > 0 else None


class Account(msgspec.Struct, frozen=True):
    """A handle. Every method that takes one also takes its name or its id."""

    id: int
    name: str

    def __str__(self) -> str:
        return self.name


class Requirements(Record, frozen=True, kw_only=True):
    """M for each question, in the unit of account."""

    open: Decimal
    maintain: Decimal
    restore: Decimal
    takeover: Decimal


class Balance(Record, frozen=True, kw_only=True):
    """Cash of one asset. `free` could be withdrawn now as far as margin goes; below zero `total` is a loan."""

    asset: str
    total: Decimal
    free: Decimal
    used: Decimal
    debt: Decimal
    price: Decimal
    value: Decimal  # in the unit of account, rounded down


class Position(Record, frozen=True, kw_only=True):
    """A position in one market, cross or isolated. Margins and equity are in the unit of account."""

    account: str
    symbol: str
    side: str | None  # "long", "short", or None if there is none
    contracts: Decimal  # size, in the base unit
    entry_price: Decimal | None  # average, rounded
    mark_price: Decimal
    notional: Decimal  # in the settlement asset
    unrealized_pnl: Decimal  # value less cost, in the settlement asset
    funding_owed: Decimal  # accrued and not yet settled, in the settlement asset; negative is to be received
    leverage: int
    margin_mode: str
    initial_margin: Decimal
    maintenance_margin: Decimal
    collateral: Decimal  # equity of the account that holds the position
    margin_ratio: Decimal | None  # M(maintain) / equity of that account, rounded up
    liquidation_price: Decimal | None  # the first mark at which that account is unhealthy
    at_ns: int

    def to_ccxt(self, number: Numeric = float) -> Shape:
        return {
            "id": f"{self.account}:{self.symbol}",
            "symbol": self.symbol,
            "contracts": number(self.contracts),
            "contractSize": number(Decimal(1)),
            "unrealizedPnl": number(self.unrealized_pnl),
            "leverage": number(Decimal(self.leverage)),
            "liquidationPrice": _maybe(number, self.liquidation_price),
            "collateral": number(self.collateral),
            "notional": number(self.notional),
            "markPrice": number(self.mark_price),
            "entryPrice": _maybe(number, self.entry_price),
            "timestamp": milliseconds(self.at_ns),
            "datetime": iso8601(self.at_ns),
            "initialMargin": number(self.initial_margin),
            "initialMarginPercentage": _maybe(number, _percent(self.initial_margin, self.notional)),
            "maintenanceMargin": number(self.maintenance_margin),
            "maintenanceMarginPercentage": _maybe(number, _percent(self.maintenance_margin, self.notional)),
            "marginRatio": _maybe(number, self.margin_ratio),
            "marginMode": self.margin_mode,
            "side": self.side,
            "hedged": False,
            "percentage": _maybe(number, _percent(self.unrealized_pnl * 100, self.initial_margin)),
            "stopLossPrice": None,
            "takeProfitPrice": None,
            "info": self._info(),
        }


class Roll(Record, frozen=True, kw_only=True):
    """A position that was closed in one market and opened in another."""

    closed: "Order"
    opened: "Order | None"  # None if nothing was closed

    @property
    def spread(self) -> Decimal | None:
        """What the new price is above the old one, on average."""
        new, old = self.opened.average if self.opened else None, self.closed.average
        return None if new is None or old is None else new - old


class Order(Record, frozen=True, kw_only=True):
    """An order as it stands, with the fills that the command which returned it made."""

    id: int  # 0 if it was refused
    client_id: str | None
    account: str
    symbol: str
    type: str  # "limit" or "market"
    side: str
    price: Decimal | None
    amount: Decimal
    filled: Decimal
    remaining: Decimal
    status: str  # "open", "waiting" (for its trigger), "closed" (filled), "canceled", "expired", "rejected"
    time_in_force: str
    post_only: bool
    reduce_only: bool
    trigger: str | None = None  # "stop", "take_profit" or "trailing"
    trigger_on: str | None = None
    trigger_price: Decimal | None = None
    callback_rate: Decimal | None = None
    expires_ns: int | None = None
    at_ns: int = 0
    fills: tuple[Fill, ...] = ()
    closed_because: str | None = None
    reason: Reject = Reject(0)
    message: str = ""

    @property
    def cost(self) -> Decimal:
        """What the fills listed here were worth, in the settlement asset."""
        return sum((fill.cost for fill in self.fills), ZERO)

    @property
    def average(self) -> Decimal | None:
        """Average price of the fills listed here, rounded; of an inverse contract the price of their sum."""
        amount = sum((fill.amount for fill in self.fills), ZERO)
        if not amount:
            return None
        if self.fills[0].is_inverse:
            coins = sum((quotient(fill.amount, fill.price) for fill in self.fills), ZERO)
            return average(amount, coins, 8)
        return average(sum((fill.price * fill.amount for fill in self.fills), ZERO), amount, 8)

    @property
    def fee(self) -> Decimal:
        return sum((fill.fee for fill in self.fills), ZERO)

    def to_ccxt(self, number: Numeric = float) -> Shape:
        last = self.fills[-1].at_ns if self.fills else None
        stop = self.trigger_price if self.trigger == "stop" else None
        profit = self.trigger_price if self.trigger == "take_profit" else None
        fees = [fill.to_ccxt(number)["fee"] for fill in self.fills]
        total = {"currency": self.fills[0].fee_asset, "cost": number(self.fee)} if self.fills else None
        return {
            "id": str(self.id),
            "clientOrderId": self.client_id,
            "timestamp": milliseconds(self.at_ns),
            "datetime": iso8601(self.at_ns),
            "lastTradeTimestamp": None if last is None else milliseconds(last),
            "lastUpdateTimestamp": milliseconds(last or self.at_ns),
            "symbol": self.symbol,
            "type": self.type,
            "timeInForce": "PO" if self.post_only else self.time_in_force,
            "postOnly": self.post_only,
            "reduceOnly": self.reduce_only,
            "side": self.side,
            "price": _maybe(number, self.price),
            "triggerPrice": _maybe(number, self.trigger_price),
            "takeProfitPrice": _maybe(number, profit),
            "stopLossPrice": _maybe(number, stop),
            "amount": number(self.amount),
            "cost": number(self.cost),
            "average": _maybe(number, self.average),
            "filled": number(self.filled),
            "remaining": number(self.remaining),
            "status": "open" if self.status == "waiting" else self.status,
            "fee": total,
            "fees": fees,
            "trades": [fill.to_ccxt(number) for fill in self.fills],
            "info": self._info(),
        }


class AccountView(Record, frozen=True, kw_only=True):
    """One account. Equity and requirements are its own: an isolated position has an account of its own, its child."""

    id: int
    name: str
    owner: int
    role: str  # "user", "child", "system" or "keeper" (of a stake pool)
    equity: Decimal
    requirements: Requirements
    free: Decimal  # equity above M(open), never below zero
    margin_ratio: Decimal | None  # M(maintain) / equity, rounded up; None if equity is not above zero
    healthy: bool
    queued: str | None  # "waiting", "cooling down" or "owing" while in liquidation
    balances: tuple[Balance, ...]
    positions: tuple[Position, ...]  # isolated ones included
    orders: tuple[Order, ...]  # those of isolated positions included
    children: tuple[str, ...]
    unit: str
    at_ns: int

    def to_ccxt(self, number: Numeric = float) -> Shape:
        """ccxt's balance: per asset, and per column."""
        shape: Shape = {"info": self._info(), "timestamp": milliseconds(self.at_ns), "datetime": iso8601(self.at_ns)}
        for each in self.balances:
            shape[each.asset] = {
                "free": number(each.free),
                "used": number(each.used),
                "total": number(each.total),
                "debt": number(each.debt),
            }
        for column in ("free", "used", "total", "debt"):
            shape[column] = {each.asset: number(getattr(each, column)) for each in self.balances}
        return shape


class Interval(Record, frozen=True, kw_only=True):
    """Prices from `low` to `high`, both included."""

    low: Decimal
    high: Decimal

    def __str__(self) -> str:
        return trimmed(self.low) if self.low == self.high else f"{trimmed(self.low)} to {trimmed(self.high)}"


class LiquidationPrice(Record, frozen=True, kw_only=True):
    """The prices at which an account would not be healthy, everything else staying as it is.

    The price is the mark of a market or the price of an asset; what is named in `together` moves with it in
    proportion. `low` is the nearest unhealthy price below the present one and `high` the nearest above; None if there
    is none, down to one step and up to the highest price that is allowed, or if the account is unhealthy now.
    `unhealthy` lists all of them; `undecided` is empty unless the search became too long. `proof` holds
    (price, E - M(maintain)) at each end of an interval and one step outside it.
    """

    account: str
    symbol: str
    together: tuple[str, ...]
    price: Decimal
    slack: Decimal
    unhealthy_now: bool
    low: Decimal | None
    high: Decimal | None
    unhealthy: tuple[Interval, ...]
    undecided: tuple[Interval, ...]
    proof: tuple[tuple[Decimal, Decimal], ...]

    def __str__(self) -> str:
        moving = " with ".join((self.symbol, *filter(None, (", ".join(self.together),))))
        lines = []
        if self.unhealthy_now:
            lines.append(
                f"{self.account} is unhealthy at the present price {trimmed(self.price)} of {moving}: "
                f"E - M(maintain) = {grouped(self.slack)}"
            )
        else:
            found = [
                f"{trimmed(price)} ({word})" for price, word in ((self.low, "falling"), (self.high, "rising")) if price
            ]
            where = f"at {' and '.join(found)}" if found else "at no price"
            lines.append(f"{self.account} in {moving}: unhealthy {where}; now {trimmed(self.price)}")
        if self.unhealthy_now or len(self.unhealthy) > 1:
            lines.append(f"  unhealthy: {_listed(self.unhealthy)}")
        if self.undecided:
            lines.append(f"  undecided: {_listed(self.undecided)}")
        lines += [
            f"  at {trimmed(price)}: E - M(maintain) = {grouped(slack)}" for price, slack in self._nearest_proof()
        ]
        return "\n".join(lines)

    def _nearest_proof(self) -> list[tuple[Decimal, Decimal]]:
        """The ends next to the present price."""
        ends = {self.low, self.high} | {
            end for each in self.unhealthy if each.low <= self.price <= each.high for end in (each.low, each.high)
        }
        pairs = zip(self.proof[::2], self.proof[1::2], strict=True)
        return [point for pair in pairs if pair[0][0] in ends for point in pair]


def _listed(intervals: tuple[Interval, ...]) -> str:
    """A few of them: near an end, where rounding decides, there may be many."""
    shown = [*intervals[: LISTED // 2], *intervals[max(LISTED // 2, len(intervals) - LISTED // 2) :]]
    text = "; ".join(map(str, shown))
    return text if len(shown) == len(intervals) else f"{text} ({len(intervals) - len(shown)} between not shown)"


class Offer(Record, frozen=True, kw_only=True):
    """What an account in liquidation gives for a debt now: a bid that repays all of `repay` gets `receive`."""

    account: str
    debt_asset: str
    collateral_asset: str
    curve: int
    gives: str | None  # what `rate` is: a "bonus", or the "price" of a coin in parts of its index
    rate: Decimal
    repay: Decimal
    receive: Decimal
    fee: Decimal  # of the collateral, to the insurance fund
    reason: Reject  # why there is none, or NONE

    def __str__(self) -> str:
        pair = f"{self.account}: {self.collateral_asset} for {self.debt_asset}"
        if self.reason:
            return f"{pair}: no offer ({self.reason.name})"
        repay, receive = grouped(self.repay), grouped(self.receive)
        return f"{pair}: repay up to {repay}, receive {receive} ({self.gives} {trimmed(self.rate)})"


class Liquidation(Record, frozen=True, kw_only=True):
    """One closing of a position by force: on the book, by the backstop, or against a counterparty."""

    account: str
    symbol: str
    side: str  # of the closing: "sell" for a long position
    contracts: Decimal
    price: Decimal | None  # of all of them; None if no price would bring that little
    base_value: Decimal
    quote_value: Decimal
    way: str  # "book", "takeover" or "deleveraging"
    at_ns: int

    def to_ccxt(self, number: Numeric = float) -> Shape:
        return {
            "symbol": self.symbol,
            "contracts": number(self.contracts),
            "contractSize": number(Decimal(1)),
            "price": _maybe(number, self.price),
            "side": self.side,
            "baseValue": number(self.base_value),
            "quoteValue": number(self.quote_value),
            "timestamp": milliseconds(self.at_ns),
            "datetime": iso8601(self.at_ns),
            "info": self._info(),
        }
