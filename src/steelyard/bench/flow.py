"""Order flows: made from a seed, kept in .npz files, replayed by the plain book.

A flow is five columns: `op` (0 limit order, 1 cancel, 2 market order), `side` (0 buy, 1 sell), `price` in ticks, `qty`
in lots and `oid`, the number of the order: its place in the flow counted from 1, or the place of the one to cancel.
Beside them stand the outcome's seven numbers.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.bench.book import ADD, BUY, CANCEL, MARKET, Book, Columns, Outcome

SEED = 1
MIDDLE = 50_000  # ticks
CALM = 200  # resting orders below which nobody cancels
_CHANCES = (0.60, 0.95)  # of a limit order; of that or a cancel; the rest are market orders
_VERSION = 1

Column = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Flow:
    op: Column
    side: Column
    price: Column
    qty: Column
    oid: Column
    outcome: Outcome

    def __len__(self) -> int:
        return len(self.op)

    def lists(self) -> Columns:
        """The columns as plain Python integers."""
        return self.op.tolist(), self.side.tolist(), self.price.tolist(), self.qty.tolist(), self.oid.tolist()


def generate(size: int, seed: int = SEED) -> Flow:
    """60 % limit orders, most of them behind a wandering middle, 35 % cancels, 5 % market orders.

    Whoever cancels names an order that rests at that moment, more often a recent one.
    """
    random = np.random.default_rng(seed)
    op = np.searchsorted(_CHANCES, random.random(size), side="right").astype(np.uint8)
    side = random.integers(0, 2, size).astype(np.uint8)
    behind = random.geometric(0.06, size) - 2 + (random.random(size) < 0.05) * random.integers(50, 800, size)
    steps = (random.random(size) < 0.02) * (2 * random.integers(0, 2, size) - 1)
    price = MIDDLE + np.cumsum(steps) + np.where(side == BUY, -behind, behind)
    qty = np.minimum(500, 1 + np.exp(2 + random.standard_normal(size)).astype(np.int64))
    greed = random.random(size)
    choice = random.random(size) ** 3
    oid = np.arange(1, size + 1)

    book = Book()
    live: list[int] = []  # numbers of resting orders, about the newest last
    place: dict[int, int] = {}  # number -> place in `live`

    def forget(number: int) -> None:
        last = live.pop()
        at = place.pop(number)
        if last != number:
            live[at] = last
            place[last] = at

    for i in range(size):
        number = i + 1
        if op[i] == CANCEL and len(live) < CALM:
            op[i] = ADD
        if op[i] == CANCEL:
            number = live[-1 - int(len(live) * choice[i])]
            oid[i], qty[i] = number, book.left[number]
            side[i], price[i] = book.home[number]
            price[i] = 0
            book.cancel(number)
            forget(number)
            continue
        if op[i] == MARKET:
            price[i] = 0
            qty[i] = 1 + int(greed[i] * 0.008 * (len(live) + CALM))
            book.market(int(side[i]), int(qty[i]))
        else:
            book.add(number, int(side[i]), int(price[i]), int(qty[i]))
        for filled in book.gone:
            forget(filled)
        if number in book.left:
            place[number] = len(live)
            live.append(number)
    return Flow(op, side, _narrow(price), _narrow(qty), _narrow(oid), book.outcome())


def _narrow(column: Column) -> Column:
    return column.astype(np.int32)


def save(flow: Flow, path: Path) -> None:
    columns = {each.name: getattr(flow, each.name) for each in fields(flow) if each.name != "outcome"}
    np.savez_compressed(path, **columns, **asdict(flow.outcome))


def load(path: Path) -> Flow:
    with np.load(path) as file:
        outcome = Outcome(**{each.name: int(file[each.name]) for each in fields(Outcome)})
        return Flow(file["op"], file["side"], file["price"], file["qty"], file["oid"], outcome)


def kept(size: int, seed: int = SEED) -> Flow:
    """A generated flow, made only once as long as the folder for temporary files lives."""
    folder = Path(tempfile.gettempdir()) / "steelyard-bench"
    path = folder / f"flow-{_VERSION}-{size}-{seed}.npz"
    if path.exists():
        return load(path)
    flow = generate(size, seed)
    folder.mkdir(exist_ok=True)
    draft = path.with_suffix(".part.npz")
    save(flow, draft)
    draft.replace(path)
    return flow


@dataclass(frozen=True)
class Replay:
    """What the plain book says about a flow."""

    outcome: Outcome
    middles: list[int]  # price between the best two, after as many operations as were asked for
    most_resting: int


def replay(flow: Flow, looks: Iterable[int] = ()) -> Replay:
    """Run a flow through the plain book; `looks` are counts of operations, rising, after which the middle is noted.

    While a side is empty the middle stays where it was; it starts at the first price of the flow.
    """
    book = Book()
    columns = flow.lists()
    middle = next((price for op, price in zip(columns[0], columns[2], strict=True) if op == ADD), MIDDLE)
    middles: list[int] = []
    done = 0
    for look in [*looks, len(flow)]:
        for op, side, price, lots, number in zip(*(each[done:look] for each in columns), strict=True):
            if op == ADD:
                book.add(number, side, price, lots)
            elif op == CANCEL:
                book.cancel(number)
            else:
                book.market(side, lots)
        done = look
        bid, ask = book.best(0), book.best(1)
        if bid and ask:
            middle = (bid + ask) // 2
        middles.append(middle)
    return Replay(book.outcome(), middles[:-1], book.most)
