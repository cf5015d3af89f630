"""The machine as an object: tables, kernels, and a batch between them. Integers in, integers out."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np

from steelyard.engine import queries, rebuild
from steelyard.engine.machine import run
from steelyard.model import keys
from steelyard.model.commands import COMMAND
from steelyard.model.events import EVENT
from steelyard.num import warm
from steelyard.num.limits import ORDER_ID_SHIFT
from steelyard.state import invariants, snapshot
from steelyard.state.tables import SWEEP_LANES, Limits, State

ACCOUNTS_PER_LANE = 20_000  # fewer are looked at before a thread has started

Rows = np.ndarray[Any, Any]
Progress = Callable[[int, int, str], None]


def _write_key_ranges(state: State) -> None:
    """Ranges and defaults of every parameter, where compiled code finds them."""
    tables = (keys.ASSET_KEYS, keys.FEED_KEYS, keys.MARKET_KEYS, keys.TIER_KEYS, keys.OWNER_KEYS, keys.CURVE_KEYS)
    for kind, ranges in enumerate((*tables, keys.ARRAY_KEYS), start=1):
        for (key, count), (low, high, default, fixed) in ranges.items():
            for place in range(key, key + count):
                state.key_range[kind * keys.MARKET_WIDTH + place] = (1, low, high, default, int(fixed))


class Machine:
    """One state and the compiled code that moves it.

    `sweep` judges every account whenever a price moved instead of trusting alarms: slower, and the same events.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        sweep: bool = False,
        progress: Progress | None = None,
        state: State | None = None,
    ) -> None:
        warm(progress)
        self.state = state or State(limits)
        self._look_at(self.state)
        _write_key_ranges(self.state)
        self.state.machine.sweep_all[0] = int(sweep)
        if state is None:
            rebuild.genesis(self.state.handle)

    def _look_at(self, state: State) -> None:
        """Plain arrays of what every batch reads: columns of records take longer to find than a small batch to run."""
        self._machine, self._events = np.asarray(state.machine), np.asarray(state.event)

    @property
    def sweep(self) -> bool:
        return bool(self.state.machine.sweep_all[0])

    def stream(self, commands: Rows) -> Iterator[Rows]:
        """Run a batch; its events in parts, each a view that the next part overwrites."""
        handle, machine, events = self.state.handle, self._machine, self._events
        fatal, told = machine["fatal"], machine["events"]
        self.state.load(np.require(commands, COMMAND, ["C", "A"]))
        done, rows = 0, len(commands)
        while done < rows:
            done = run(handle, done)
            assert fatal[0] == 0, "the machine met an impossible state"
            yield events[: told[0]]

    def submit(self, commands: Rows) -> Rows:
        """Run a batch; all its events."""
        # As bytes: structured rows would be copied column by column.
        parts = [part.view(np.uint8).copy() for part in self.stream(commands)]
        if len(parts) == 1:
            return parts[0].view(EVENT)
        return np.concatenate(parts).view(EVENT) if parts else np.zeros(0, EVENT)

    def hash(self) -> str:
        return snapshot.state_hash(self.state)

    def snapshot(self) -> bytes:
        return snapshot.dump(self.state)

    @classmethod
    def restore(cls, data: bytes, *, sweep: bool = False) -> "Machine":
        """A machine with the facts of a snapshot, its indices made anew, its hash proven."""
        state, expected = snapshot.load(data)
        machine = cls(state=state, sweep=sweep)
        machine._build_indices()
        assert machine.hash() == expected, "the restored state has the hash the snapshot names"
        return machine

    def _build_indices(self) -> None:
        state = self.state
        order = np.asarray(state.order)
        rows = np.flatnonzero(order["state"])
        moved = np.asarray(state.note)["priority"][rows]
        priority = np.where(moved > 0, moved, order["id"][rows] >> ORDER_ID_SHIFT)
        rows = rows[np.argsort(priority, kind="stable")]
        state.scratch[: len(rows)] = rows
        rebuild.rebuild(state.handle, len(rows))

    def copy(self) -> "Machine":
        return Machine.restore(self.snapshot(), sweep=self.sweep)

    def rebuild(self) -> None:
        """Throw every index away and make it again from the facts."""
        self.state = self.copy().state
        self._look_at(self.state)

    def check(self) -> None:
        """Raise AssertionError if a promise about the facts is broken."""
        invariants.check(self.state)

    def sweep_lanes(self) -> int:
        """Threads that a full sweep uses: one for a small crowd, at most one for each core."""
        return min(SWEEP_LANES, os.cpu_count() or 1, 1 + int(self.state.machine.accounts[0]) // ACCOUNTS_PER_LANE)

    def unhealthy(self, lanes: int | None = None) -> list[int]:
        """Accounts outside the queue with E < M(maintain), found by looking at all of them, on all cores."""
        state, last = self.state, int(self.state.machine.accounts[0])
        lanes = lanes or self.sweep_lanes()
        edges = [1 + last * lane // lanes for lane in range(lanes + 1)]

        def look(lane: int) -> list[int]:
            first = edges[lane]
            count = int(queries.sweep(state.handle, first, edges[lane + 1], lane))
            found: list[int] = np.asarray(state.scratch)[first : first + count].tolist()
            return found

        if lanes == 1:
            return look(0)
        with ThreadPoolExecutor(lanes) as pool:
            return list(chain.from_iterable(pool.map(look, range(lanes))))
