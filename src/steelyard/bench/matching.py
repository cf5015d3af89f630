"""Orders through the complete machine: margin checks, positions, fees, events and alarms, beside a plain Python book.

Every order of a flow is sent by an account drawn at random. A first pass with rich accounts, which names orders by
client ids, learns order ids and what each account needs. The machine is deterministic: the timed passes, with accounts
that hold little more than that and cancels that name ids, meet the same ones. Only the machine is timed, up to its
events in memory.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np

from steelyard.bench import commands as make
from steelyard.bench.book import ADD, BUY, CANCEL, MARKET, Columns, Outcome, play
from steelyard.bench.flow import SEED, Flow, Replay, kept, replay
from steelyard.model import commands as do
from steelyard.model import keys, reject
from steelyard.model import orders as word
from steelyard.model.events import FILL, FILL_MAKER, ORDER_ACCEPTED, ORDER_CLOSED, REJECTED
from steelyard.num.limits import AMOUNT_MAX, PPM
from steelyard.state.tables import MARKET_0, Limits
from steelyard.venue.machine import Machine

PRICE_EVERY = 1_000  # operations
STEP_NS = keys.SECOND // 1_000
TELLING = (100_000, 10_000)  # operations and accounts from which on some certificates must break
# What an account is given, at least: so much of its largest possible position and of all that it trades. The opening
# requirement is a twentieth at most sizes; the rest is for crossing orders, for fees, and for losses on the way.
SIDE_PPM = 90_000
TRADED_PPM = 1_000

Rows = make.Rows
Progress = Callable[[str], None]


class Mismatch(AssertionError):
    """The machine, the plain book and the flow do not agree about what happened."""


@dataclass(frozen=True)
class Stream:
    """Flows interleaved at random. Row by row: what is done, where, and whose."""

    flows: Sequence[Flow]
    replays: Sequence[Replay]
    market: Rows  # from 1
    op: Rows
    side: Rows
    price: Rows
    qty: Rows
    target: Rows  # the stream row of the order that is placed or cancelled
    account: Rows
    marks: Rows  # one row per PRICE command, the first before anything else; one column per market

    def __len__(self) -> int:
        return len(self.op)


def interleave(flows: Sequence[Flow], accounts: int, seed: int) -> Stream:
    random = np.random.default_rng(seed)
    market = np.repeat(np.arange(1, len(flows) + 1), [len(flow) for flow in flows])
    random.shuffle(market)
    size = len(market)
    columns = {name: np.zeros(size, np.int64) for name in ("op", "side", "price", "qty", "target")}
    looks = np.arange(PRICE_EVERY, size, PRICE_EVERY)
    replays = []
    for m, flow in enumerate(flows, 1):
        at = np.flatnonzero(market == m)
        for name in ("op", "side", "price", "qty"):
            columns[name][at] = getattr(flow, name)
        columns["target"][at] = at[flow.oid - 1]
        replays.append(replay(flow, [0, *np.searchsorted(at, looks)]))
    account = random.integers(0, accounts, size)[columns["target"]]
    marks = np.array([each.middles for each in replays]).T
    return Stream(flows, replays, market, **columns, account=account + word.SYSTEM_ACCOUNTS + 1, marks=marks)


def limits_for(stream: Stream, accounts: int) -> Limits:
    markets = len(stream.flows)
    pairs = len(np.unique(stream.account * (markets + 1) + stream.market))
    placed = np.bincount(stream.account[stream.op == ADD], minlength=1)
    return Limits(
        assets=4,
        feeds=markets,
        markets=markets,
        owners=accounts + 1,
        accounts=accounts + word.SYSTEM_ACCOUNTS,
        legs=pairs + 1_024,
        orders=sum(each.most_resting for each in stream.replays) + 64,
        references=accounts + 64,
        ladder_ticks=markets * (make.TICKS_MAX + 1),
        orders_per_account=int(placed.max()) + 8,
    )


def venue(stream: Stream, deposits: Rows) -> list[Rows]:
    """Commands that make markets, first prices, and an account for each deposit."""
    markets, accounts = len(stream.flows), len(deposits)
    parts = [make.configure(do.ASSET, {keys.A_SUPPLY_MAX: AMOUNT_MAX}), *make.feeds(markets)]
    parts += [make.market(feed, {}) for feed in range(1, markets + 1)]
    parts.append(make.prices(make.START_NS, np.arange(1, markets + 1), stream.marks[0]))
    parts += [make.owners(accounts), make.accounts(accounts)]
    parts.append(make.deposits(word.SYSTEM_ACCOUNTS + 1, deposits))
    return parts


def orders(stream: Stream, ids: Rows | None) -> Rows:
    """The stream as commands. Without ids, orders are given client ids and are cancelled by them."""
    size, markets = len(stream), len(stream.flows)
    blocks = len(stream.marks) - 1  # PRICE commands within the stream
    at = np.arange(size)
    place = at + markets * np.minimum(at // PRICE_EVERY, blocks)
    made = np.zeros(size + blocks * markets, do.COMMAND)
    made["last"] = 1
    lines = np.zeros(size, do.COMMAND)
    lines["last"] = 1
    lines["at_ns"] = make.START_NS + STEP_NS * (at + 1)
    lines["account"] = stream.account
    cancels = stream.op == CANCEL
    places = ~cancels
    lines["kind"] = np.where(cancels, do.CANCEL_ORDER, do.PLACE_ORDER)
    lines["market"][places] = stream.market[places]
    lines["side"][places] = np.where(stream.side == BUY, word.BUY, word.SELL)[places]
    lines["lots"][places] = stream.qty[places]
    lines["price"][stream.op == ADD] = stream.price[stream.op == ADD]
    lines["order_type"][stream.op == MARKET] = word.MARKET
    if ids is None:
        lines["client0"] = stream.target + 1
    else:
        lines["order"][cancels] = ids[stream.target[cancels]]
    made[place] = lines
    every = np.arange(1, markets + 1)
    for block in range(1, blocks + 1):
        first = block * (PRICE_EVERY + markets) - markets
        at_ns = make.START_NS + STEP_NS * block * PRICE_EVERY
        made[first : first + markets] = make.prices(at_ns, every, stream.marks[block])
    return made


@dataclass(frozen=True)
class Lesson:
    """What a first pass with rich accounts teaches."""

    ids: Rows  # of the order in each row of the stream; 0 where it got none
    needs: Rows  # atoms that each account needs, so that nothing is refused


def learn(machine: Machine, stream: Stream, accounts: int) -> Lesson:
    made = orders(stream, None)
    first = int(machine.state.machine.seq[0])
    ids = np.zeros(len(stream), np.int64)
    command = np.cumsum(made["last"])  # number of the command that each row ends
    row_of = np.full(command[-1] + 1, -1)
    is_order = made["kind"] != do.PRICE
    row_of[command[is_order]] = np.arange(len(stream))
    moves = []
    for batch in make.cut(made):
        events = machine.submit(batch)
        accepted = events[events["kind"] == ORDER_ACCEPTED]
        ids[row_of[accepted["seq"] - first]] = accepted["order"]
        moving = np.isin(events["kind"], (ORDER_ACCEPTED, FILL, ORDER_CLOSED))
        moves.append(events[["kind", "market", "account", "side", "lots"]][moving])
    return Lesson(ids, needs(np.concatenate(moves), stream, accounts))


def needs(moves: Rows, stream: Stream, accounts: int) -> Rows:
    """From what moved positions and open orders: the largest |q + bids| or |q - asks| in each market, at its top."""
    width = len(stream.flows) + 1
    pair = (moves["account"] - word.SYSTEM_ACCOUNTS - 1) * width + moves["market"]
    order = np.argsort(pair, kind="stable")
    pair, moves = pair[order], moves[order]
    is_fill = moves["kind"] == FILL
    lots, side = moves["lots"], moves["side"]
    opened = np.where(moves["kind"] == ORDER_ACCEPTED, lots, -lots)  # a fill takes from the order what it gives
    starts = np.flatnonzero(np.diff(pair, prepend=-1))
    counts = np.diff(starts, append=len(pair))

    def running(change: Rows) -> Rows:
        total = np.cumsum(change)
        before: Rows = np.repeat(total[starts] - change[starts], counts)
        return total - before

    held = running(np.where(is_fill, side * lots, 0))
    bids, asks = running(np.where(side > 0, opened, 0)), running(np.where(side < 0, opened, 0))
    most = np.maximum.reduceat(np.maximum(abs(held + bids), abs(held - asks)), starts)
    traded = np.add.reduceat(np.where(is_fill, lots, 0), starts)
    atoms = stream.marks.max(axis=0)[pair[starts] % width - 1] * make.ATOMS_PER_TICK_LOT
    each = atoms * (most * SIDE_PPM + traded * TRADED_PPM) // PPM
    total = np.zeros(accounts, np.int64)
    np.add.at(total, pair[starts] // width, each)
    return total


@dataclass
class Tally:
    """What the events say, per market (column 0 unused)."""

    trades: Rows
    lots: Rows
    notional: Rows
    empty_book: int = 0  # market orders that met nobody

    @classmethod
    def of(cls, markets: int) -> "Tally":
        return cls(*np.zeros((3, markets + 1), np.int64))

    def count(self, events: Rows) -> None:
        made = events[(events["kind"] == FILL) & (events["options"] & FILL_MAKER != 0)]
        np.add.at(self.trades, made["market"], 1)
        np.add.at(self.lots, made["market"], made["lots"])
        np.add.at(self.notional, made["market"], made["lots"] * made["price"])
        refused = events[events["kind"] == REJECTED]
        for reason in refused["reason"].tolist():
            if reason != reject.NO_LIQUIDITY:
                raise Mismatch(f"the machine refused an order: {reject.Reject(reason).name}")
        self.empty_book += len(refused)


def outcomes(machine: Machine, tally: Tally) -> list[Outcome]:
    """What happened in each market, from the events and the tables."""
    state = machine.state
    resting = np.asarray(state.order)
    resting = resting[resting["state"] == word.RESTING]
    where = np.asarray(state.leg)["thing"][resting["leg"]] - MARKET_0
    found = []
    for market in range(1, len(tally.trades)):
        here = resting[where == market]
        found.append(
            Outcome(
                n_trades=int(tally.trades[market]),
                traded_qty=int(tally.lots[market]),
                traded_notional=int(tally.notional[market]),
                resting_orders=len(here),
                resting_qty=int(here["remaining"].sum()),
                best_bid=int(state.market.best_bid[market]),
                best_ask=int(state.market.best_ask[market]),
            )
        )
    return found


def compare(stream: Stream, found: Sequence[Outcome]) -> None:
    """The machine, the plain book and what the flow itself expects: all three, in every market."""
    for market, (flow, book, here) in enumerate(zip(stream.flows, stream.replays, found, strict=True), 1):
        if not flow.outcome == book.outcome == here:
            raise Mismatch(f"market {market}: machine {here}, plain book {book.outcome}, flow {flow.outcome}")


def run(machine: Machine, batches: Sequence[Rows], stream: Stream) -> tuple[float, int, dict[str, int]]:
    """(seconds in the machine, events, counters), after the outcome has been compared."""
    before = counters(machine)
    tally = Tally.of(len(stream.flows))
    seconds, events_seen = 0.0, 0
    for batch in batches:
        parts = machine.stream(batch)
        while True:
            start = time.perf_counter()
            events = next(parts, None)
            seconds += time.perf_counter() - start
            if events is None:
                break
            events_seen += len(events)
            tally.count(events)
    compare(stream, outcomes(machine, tally))
    after = counters(machine)
    counted = {name: after[name] - before[name] for name in after}
    return seconds, events_seen, {**counted, "empty_book": tally.empty_book}


def counters(machine: Machine) -> dict[str, int]:
    row = machine.state.machine
    return {"judged": int(row.judged[0]), "rearmed": int(row.rearmed[0])}


def peer_seconds(flows: Sequence[Columns], expected: Sequence[Outcome]) -> float:
    """Plain Python on the same flows, one market after another, which suits its caches best."""
    gc.collect()
    start = time.perf_counter()
    results = [play(columns) for columns in flows]
    seconds = time.perf_counter() - start
    for (trades, traded, left), outcome in zip(results, expected, strict=True):
        got = (trades, traded, len(left), sum(left.values()))
        if got != (outcome.n_trades, outcome.traded_qty, outcome.resting_orders, outcome.resting_qty):
            raise Mismatch(f"the plain book got {got}, expected {outcome}")
    return seconds


def flows_of(ops: int, markets: int, seed: int = SEED) -> list[Flow]:
    return [kept(ops // markets, seed + market) for market in range(markets)]


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


def matching(
    flows: Sequence[Flow],
    accounts: int,
    *,
    repeat: int = 5,
    peer: bool = False,
    batch: int = make.BATCH,
    seed: int = SEED,
    tell: Progress = lambda text: None,
) -> dict[str, Any]:
    """Time the flows, `repeat` times, each time in a new machine."""
    tell("replaying in the plain book")
    stream = interleave(flows, accounts, seed)
    size, limits = len(stream), limits_for(stream, accounts)

    def new_machine(deposits: Rows) -> Machine:
        gc.collect()
        machine = Machine(limits)
        make.touch_pages(machine.state)
        make.set_up(machine, venue(stream, deposits))
        return machine

    tell("learning order ids")
    lesson = learn(new_machine(np.full(accounts, AMOUNT_MAX // 2 // accounts)), stream, accounts)
    spare = np.random.default_rng(seed).random(accounts)
    deposits = make.ATOMS_PER_TICK_LOT + (lesson.needs * (1 + spare)).astype(np.int64)
    batches = make.cut(orders(stream, lesson.ids), batch)
    lists = [flow.lists() for flow in flows] if peer else []
    ours: list[float] = []
    theirs: list[float] = []
    events, counted = 0, dict[str, int]()
    for turn in range(repeat):
        tell(f"turn {turn + 1} of {repeat}")
        machine = new_machine(deposits)
        seconds, events, counted = run(machine, batches, stream)
        ours.append(size / seconds)
        if turn == 0:
            machine.check()
        del machine
        if peer:
            theirs.append(size / peer_seconds(lists, [flow.outcome for flow in flows]))
    if size >= TELLING[0] and accounts >= TELLING[1] and not (counted["judged"] and counted["rearmed"]):
        raise Mismatch("no certificate broke: the scenario does not exercise what it is meant to")
    outcome = total([flow.outcome for flow in flows])
    result: dict[str, Any] = {"ops": size, "accounts": accounts, "markets": len(flows), "batch": batch}
    result |= {"repeat": repeat, "ops_per_s": median(ours), "ops_per_s_spread": spread(ours)}
    if peer:
        result |= {"peer_ops_per_s": median(theirs), "peer_ops_per_s_spread": spread(theirs)}
        result["ratio"] = median(ours) / median(theirs)
    return {**result, **outcome, **counted, "events": events}


def total(each: Sequence[Outcome]) -> dict[str, int]:
    """Sums over markets; best prices are those of the first."""
    sums = {name: sum(asdict(outcome)[name] for outcome in each) for name in asdict(each[0])}
    return {**sums, "best_bid": each[0].best_bid, "best_ask": each[0].best_ask}
