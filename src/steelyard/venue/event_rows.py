"""Rows of EVENT as plain integers, and the words their codes stand for."""

from typing import Any, NamedTuple

from steelyard.model import commands, events, orders

SIDES = {orders.BUY: "buy", orders.SELL: "sell"}
TYPES = ("limit", "market")
TIFS = ("GTC", "IOC", "FOK", "GTT")
MODES = ("cross", "isolated")
ROLES = ("user", "child", "system", "keeper")
TABLES = {
    commands.ASSET: "asset",
    commands.FEED: "feed",
    commands.MARKET: "market",
    commands.RISK_TIER: "risk tier",
    commands.OWNER: "owner",
    commands.CURVE: "curve",
    commands.RISK_ARRAY: "risk array",
}
SOURCES = ("average", "index", "mark", "agreed")  # of a settlement price
CLOSED = {v: k.removeprefix("CLOSED_").lower() for k, v in vars(events).items() if k.startswith("CLOSED_")}
ENDED = {v: k.removeprefix("ENDED_").lower() for k, v in vars(events).items() if k.startswith("ENDED_")}

assert events.EVENT.names is not None
_FIELDS = tuple(events.EVENT.names)


class Row(NamedTuple):
    """One row of EVENT as plain integers."""

    seq: int
    kind: int
    reason: int
    side: int
    options: int
    spare: int
    market: int
    account: int
    order: int
    other: int
    price: int
    lots: int
    amount: int
    fee: int
    extra: int
    extra2: int


assert Row._fields == _FIELDS, "a row is read by position"


def plain_rows(rows: Any) -> list[Row]:
    return [Row(*row) for row in rows.tolist()]
