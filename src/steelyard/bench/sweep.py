"""A million accounts, five million exposures: what finding the unhealthy costs, with alarms and by looking at all.

Ticks move one price by half a basis point at random; then everything falls, at once and in small steps. After each step
of the slow fall a full sweep says whether the alarms missed anybody. Nobody is liquidated meanwhile: whoever falls
stays in the queue, so that what is timed is finding them.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from steelyard.bench import commands as make
from steelyard.bench.crowd import FIRST_ROW, Crowd, crowd
from steelyard.bench.summing import Now, risk
from steelyard.engine import queries
from steelyard.model import keys
from steelyard.model import orders as word
from steelyard.state.tables import Limits, State

HALF_BASIS_POINT_PPM = 50
GAP_PPM = 50_000  # the fall in one instant
FALL_PPM = 200_000  # the fall in small steps
SMALL = 20_000  # accounts; up to here all books are checked too
SAMPLE = 1_000  # accounts whose equity and requirement are compared one by one

Rows = np.ndarray[Any, Any]
Progress = Callable[[str], None]


class Prices:
    """Price commands that go on from where the last ones ended."""

    def __init__(self, crowd: Crowd, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.exact = crowd.prices.astype(np.float64)
        self.now_ns = make.START_NS

    def at(self, feeds: Rows, step_ns: int) -> Rows:
        self.now_ns += step_ns
        return make.prices(self.now_ns, feeds, np.maximum(1, np.rint(self.exact[feeds - 1])).astype(np.int64))

    def tick(self) -> Rows:
        """One feed moves by half a basis point."""
        feed = int(self.random.integers(0, len(self.exact)))
        self.exact[feed] *= 1 + HALF_BASIS_POINT_PPM * (2 * int(self.random.integers(0, 2)) - 1) / 1_000_000
        return self.at(np.array([feed + 1]), keys.SECOND)

    def all(self, factor: float, step_ns: int = keys.SECOND) -> Rows:
        """Every feed moves at one instant."""
        self.exact *= factor
        return self.at(np.arange(1, len(self.exact) + 1), step_ns)


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def calm(crowd: Crowd, prices: Prices, ticks: int) -> dict[str, float]:
    """Half of the ticks in one batch for the mean, half one by one for the worst."""
    machine, row = crowd.machine, crowd.machine.state.machine
    together = np.concatenate([prices.tick() for _ in range(ticks)])
    judged = int(row.judged[0])
    mean = seconds(lambda: machine.submit(together)) / ticks
    each = int(row.judged[0]) - judged
    alone = [prices.tick() for _ in range(ticks)]
    worst = max(seconds(lambda tick=tick: machine.submit(tick)) for tick in alone)  # type: ignore[misc]
    return {"alarm_us_per_tick": mean * 1e6, "alarm_us_worst": worst * 1e6, "judged_per_tick": each / ticks}


def unqueued(crowd: Crowd, unhealthy: Rows) -> list[int]:
    """Account rows that NumPy finds unhealthy and that do not wait for liquidation."""
    rows = np.flatnonzero(unhealthy) + FIRST_ROW
    queued = np.asarray(crowd.machine.state.account)["queued"]
    return [int(row) for row in rows if not queued[row]]


def looking_at_all(crowd: Crowd, repeat: int) -> dict[str, float]:
    """The machine's own sweep and NumPy's; their answers must agree, account by account.

    The sweep is timed on all cores and on one, NumPy twice on one: on columns laid out for it beforehand, and starting
    from the tables, as the machine does.
    """
    state, columns = crowd.machine.state, crowd.columns
    marks = np.asarray(state.market)["mark"]
    kept = marks.copy()
    ours: list[float] = []
    on_one: list[float] = []
    on_columns: list[float] = []
    from_tables: list[float] = []
    for _ in range(repeat):
        ours.append(seconds(crowd.machine.unhealthy))
        on_one.append(seconds(lambda: crowd.machine.unhealthy(lanes=1)))
        on_columns.append(seconds(lambda: risk(columns, Now.of(state))))
        from_tables.append(seconds(lambda: risk(crowd.fresh_columns(), Now.of(state))))
    equity, requirement = risk(columns, Now.of(state))
    for account in np.random.default_rng(repeat).integers(0, len(equity), SAMPLE).tolist():
        row = account + FIRST_ROW
        exact = queries.equity(state.handle, row), queries.requirement(state.handle, row, word.FOR_MAINTAIN)
        there = equity[account], requirement[account]
        assert exact == there, f"account {row}: NumPy has {there}, the machine {exact}"
    marks[:] = kept * 9 // 10  # as if the alarms had not been told: many to find
    try:
        listed = crowd.machine.unhealthy()
        assert listed, "somebody is unhealthy after a fall of a tenth"
        assert listed == crowd.machine.unhealthy(lanes=1) == crowd.machine.unhealthy(lanes=3), "threads change nothing"
        equity, requirement = risk(columns, Now.of(state))
        assert listed == unqueued(crowd, equity < requirement), "NumPy lists other accounts"
    finally:
        marks[:] = kept
    figures = {"sweep_us": ours, "sweep_one_us": on_one, "numpy_us": from_tables, "numpy_columns_us": on_columns}
    return {"sweep_threads": crowd.machine.sweep_lanes()} | {name: median(each) * 1e6 for name, each in figures.items()}


def gap(crowd: Crowd, prices: Prices) -> dict[str, float]:
    """Everything falls in one instant: the command with all its judgements."""
    command = prices.all(1 - GAP_PPM / 1_000_000)
    return {"gap_ms": seconds(lambda: crowd.machine.submit(command)) * 1e3, "falls_gap": queued(crowd)}


def fall(crowd: Crowd, prices: Prices, steps: int, tell: Progress) -> dict[str, float]:
    """The slow fall, each step followed by a full sweep outside the clock."""
    machine = crowd.machine
    factor = (1 - FALL_PPM / 1_000_000) ** (1 / steps)
    spent, worst, missed = 0.0, 0.0, 0
    for step in range(steps):
        tell(f"fall: step {step + 1} of {steps}")
        command = prices.all(factor, 10 * 60 * keys.SECOND)
        took = seconds(lambda command=command: machine.submit(command))  # type: ignore[misc]
        spent, worst = spent + took, max(worst, took)
        missed += len(machine.unhealthy())
    return {
        "slide_steps": steps,
        "crash_ms": spent * 1e3,
        "slide_worst_step_ms": worst * 1e3,
        "missed": missed,
    }


def queued(crowd: Crowd) -> int:
    return int(crowd.machine.state.machine.queued[0])


def memory(state: State) -> dict[str, float]:
    """Bytes that the tables take for each account with its legs, each leg, and each order."""
    limits = state.describe()

    def size(**smaller: int) -> int:
        made = State(Limits(**{**limits, **smaller}))
        return sum(array.nbytes for array in vars(made).values() if isinstance(array, np.ndarray))

    few, some = {"accounts": 64, "owners": 64}, 512
    whole, orders = size(), 1 << 20
    return {
        "bytes_per_account": (whole - size(**few, legs=some)) / limits["accounts"],
        "bytes_per_leg": (size(**few) - size(**few, legs=some)) / (limits["legs"] - some),
        "bytes_per_order": (size(**few, orders=orders) - size(**few)) / orders,
    }


def sweep(
    accounts: int = 1_000_000,
    legs: int = 5_000_000,
    markets: int = 50,
    *,
    ticks: int = 10_000,
    steps: int = 200,
    repeat: int = 5,
    seed: int = 1,
    weaken_ppm: int = 0,
    tell: Progress = lambda text: None,
) -> dict[str, Any]:
    """Measure, and prove the answers: a wrong one raises AssertionError, a missed account is counted."""
    tell("filling the tables")
    made = crowd(accounts, legs, markets, seed=seed, weaken_ppm=weaken_ppm)
    if accounts <= SMALL:
        made.machine.check()
    prices = Prices(made, seed)
    result: dict[str, Any] = {"accounts": accounts, "legs": made.legs, "markets": markets, "ticks": ticks}
    tell("looking at all accounts")
    result |= looking_at_all(made, repeat)
    tell("calm ticks")
    result |= calm(made, prices, ticks)
    result["missed"] = len(made.machine.unhealthy())
    result["falls_calm"] = queued(made)
    tell("a gap")
    result |= gap(made, prices)
    result["missed"] += len(made.machine.unhealthy())
    slide = fall(made, prices, steps, tell)
    result["missed"] += slide.pop("missed")
    result |= slide
    result["falls"] = queued(made)
    if accounts <= SMALL:
        made.machine.check()
    result |= memory(made.machine.state)
    result["sweep_per_alarm"] = result["sweep_us"] / result["alarm_us_per_tick"]
    result["numpy_per_sweep"] = result["numpy_us"] / result["sweep_us"]
    return result
