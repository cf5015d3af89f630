"""Commands by the thousand: whole arrays of rows instead of one row at a time, and a venue to send them to."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from steelyard.model import commands as do
from steelyard.model import keys
from steelyard.model.events import REJECTED
from steelyard.model.orders import STP_NONE
from steelyard.num.limits import NOTIONAL_MAX
from steelyard.state.tables import State
from steelyard.venue.machine import Machine

Rows = np.ndarray[Any, Any]

START_NS = 1_700_000_000 * keys.SECOND
TICKS_MAX = (1 << 17) - 1
ATOMS_PER_TICK_LOT = 1_000
BATCH = 4_096
PAGE = 4_096  # bytes

FOUR_BRACKETS = {
    keys.M_BRACKETS: 4,
    **dict(enumerate((5 * 10**10, 5 * 10**11, 5 * 10**12, NOTIONAL_MAX), keys.M_BRACKET_UPPER)),
    **dict(enumerate((5_000, 10_000, 20_000, 40_000), keys.M_BRACKET_MAINTAIN_PPM)),
    **dict(enumerate((10_000, 20_000, 40_000, 80_000), keys.M_BRACKET_OPEN_PPM)),
}


def rows(kind: int, at_ns: int, count: int, **columns: Any) -> Rows:
    """As many commands of one row each."""
    made = np.zeros(count, do.COMMAND)
    made["kind"], made["at_ns"], made["last"] = kind, at_ns, 1
    for column, values in columns.items():
        made[column] = values
    return made


def spanning(made: Rows) -> Rows:
    """The rows as one command."""
    made["last"][:-1] = 0
    return made


def configure(table: int, values: Mapping[int, int]) -> Rows:
    """A new row of a rule table."""
    given = {"order": list(values), "lots": list(values.values())}
    return spanning(rows(do.CONFIGURE, START_NS, len(values), account=table, **given))


def prices(at_ns: int, feeds: Any, ticks: Any) -> Rows:
    """Prices of one instant."""
    return spanning(rows(do.PRICE, at_ns, len(feeds), market=feeds, price=ticks, trigger=at_ns))


def feeds(count: int) -> Iterator[Rows]:
    for _ in range(count):
        yield configure(do.FEED, {keys.F_QUORUM: 1})


def market(feed: int, values: Mapping[int, int]) -> Rows:
    given = {keys.M_FEED: feed, keys.M_TICKS_MAX: TICKS_MAX, keys.M_ATOMS_PER_TICK_LOT: ATOMS_PER_TICK_LOT}
    return configure(do.MARKET, {**given, **FOUR_BRACKETS, **values})


def owners(count: int) -> Rows:
    """Owners who may trade with themselves."""
    return rows(do.CONFIGURE, START_NS, count, account=do.OWNER, order=keys.O_STP, lots=STP_NONE)


def accounts(count: int) -> Rows:
    """One account for each owner but the system's."""
    return rows(do.OPEN_ACCOUNT, START_NS, count, account=np.arange(2, count + 2))


def deposits(first: int, amounts: Any) -> Rows:
    """Cash in the unit of account for accounts in a row."""
    given = {"account": np.arange(first, first + len(amounts)), "market": keys.UNIT, "lots": amounts}
    return rows(do.DEPOSIT, START_NS, len(amounts), client0=np.arange(1, len(amounts) + 1), client1=1, **given)


def cut(commands: Rows, size: int = BATCH) -> list[Rows]:
    return [commands[at : at + size] for at in range(0, len(commands), size)]


def set_up(machine: Machine, parts: list[Rows]) -> None:
    """Run what prepares a scenario: nothing of it may be refused."""
    for part in parts:
        for batch in cut(part, 1 << 16):
            refused = rejections(machine.submit(batch))
            if len(refused):
                raise AssertionError(f"the venue could not be set up: {refused[0]}")


def touch_pages(state: State) -> None:
    """Make the system hand out all memory of the tables now, as it long has on a machine that has run for a while."""
    for table in vars(state).values():
        if isinstance(table, np.ndarray):
            rows = np.asarray(table)[:: max(1, PAGE // table.strides[0])]
            first = rows[rows.dtype.names[0]] if rows.dtype.names else rows
            np.bitwise_or(first, 0, out=first)


def rejections(events: Rows) -> Rows:
    refused: Rows = events[events["kind"] == REJECTED]
    return refused
