"""Runs of a simulation, their checks, and what is told when one fails."""

import time
from dataclasses import asdict, dataclass
from random import Random

import numpy as np

from steelyard.model import reject as no
from steelyard.model.events import REJECTED
from steelyard.state.tables import Limits
from steelyard.venue.machine import Machine
from tests.simulation.crowd import Crowd, nothing
from tests.simulation.ghost import Ghost
from tests.simulation.town import found, limits_of
from tests.telling import columns_of, command, rows_of

# Refused before the clock moves: only the sequence number changes.
UNTIMELY = (no.UNKNOWN_COMMAND, no.INCOMPLETE_COMMAND, no.TIME_WENT_BACK, no.TIME_JUMPS_TOO_FAR)


@dataclass
class Failure(Exception):
    """What broke, after which command, and all that was said up to it."""

    reason: str
    limits: Limits
    said: list

    def __str__(self):
        return f"command {len(self.said) - 1}: {self.reason}\n  {columns_of(self.said[-1])}"


class Watched:
    """A machine, its ghost, and if wanted a second machine that judges everybody: told the same, watched."""

    def __init__(self, limits, *, sweep_check=False, every=1, refusals=None):
        self.limits, self.every, self.refusals = limits, every, refusals
        self.curious = min(0.04, 8 / limits.accounts)  # how often a refusal is looked at closely; copies cost time
        self.machine = Machine(limits)
        self.other = Machine(limits, sweep=True) if sweep_check else None
        self.ghost = Ghost()
        self.said = []
        self.refused = 0  # refusals looked at closely

    def submit(self, batch):
        """One command."""
        self.said.append(batch)
        before = self.machine.snapshot() if self.refusals and self.refusals.random() < self.curious else None
        try:
            events = self.machine.submit(batch)
            if self.other:
                self.same(events, self.other.submit(batch))
            self.ghost.take(batch, events)
            if before:
                self.refusal_changed_nothing(before, batch, events)
            if len(self.said) % self.every == 0:
                self.look()
        except AssertionError as error:
            raise Failure(str(error) or repr(error), self.limits, list(self.said)) from error
        return events

    def same(self, events, swept):
        if events.tobytes() != swept.tobytes():
            place = next(
                (i for i, (a, b) in enumerate(zip(events, swept, strict=False)) if a != b), min(len(events), len(swept))
            )
            shown = [
                dict(zip(rows.dtype.names, rows[place].tolist(), strict=True))
                for rows in (events, swept)
                if place < len(rows)
            ]
            raise AssertionError(f"a full sweep tells another story from event {place} on: {shown}")

    def look(self):
        """Every promise that can be checked between commands."""
        self.machine.check()
        unhealthy = self.machine.unhealthy()
        assert not unhealthy, f"accounts {unhealthy[:5]} are unhealthy and nobody noticed"
        self.ghost.compare(self.machine.state)
        if self.other:
            assert self.machine.hash() == self.other.hash(), "a full sweep gives another state"

    def refusal_changed_nothing(self, before, batch, events):
        """A refused command leaves what a command that can do nothing leaves."""
        seq = int(self.machine.state.machine.seq[0])
        reasons = [int(row["reason"]) for row in events if row["kind"] == REJECTED and row["seq"] == seq]
        if len(reasons) != 1 or int(batch["last"][-1]) == 0 or len(np.unique(batch["kind"])) > 1:
            return
        copy = Machine.restore(before)
        at_ns = int(batch["at_ns"][-1])
        copy.submit(command(99, at_ns) if reasons[0] in UNTIMELY else nothing(at_ns))
        assert copy.hash() == self.machine.hash(), "a refused command changed something"
        self.refused += 1


def simulate(seed, *, accounts=60, commands=1_000, sweep_check=True, every=1, rebuilds=True, progress=None):
    """One town, one day; the watched machine at its end, or a Failure."""
    random = Random(f"town {seed}")
    limits = limits_of(random, accounts, commands)
    watched = Watched(limits, sweep_check=sweep_check, every=every, refusals=Random(f"refusals {seed}"))

    crowd = None

    def hear(batch):
        events = watched.submit(batch)
        crowd.follow(events)
        if progress:
            progress(watched)
        return events

    crowd = Crowd(seed, accounts, watched.machine, hear)
    found(crowd.teller, random, accounts, dict(crowd.fair), Random(f"dates {seed}"), Random(f"rules {seed}"))
    assert not watched.ghost.counts[REJECTED], "the town is founded"
    crowd.settle_in()
    for _ in range(commands):
        if rebuilds and random.random() < 0.002:
            watched.machine.rebuild()
            crowd.state = watched.machine.state
        crowd.step()
    watched.look()
    return watched


# --- After a failure ---


def replay(limits, said, *, sweep_check=True, every=1):
    """For tests: each command a list of {column: number}. Raises what breaks."""
    watched = Watched(Limits(**limits), sweep_check=sweep_check, every=every)
    for lines in said:
        watched.submit(lines if isinstance(lines, np.ndarray) else rows_of(lines))
    return watched


def breaks(limits, said, sweep_check):
    try:
        replay(asdict(limits), said, sweep_check=sweep_check, every=1)
    except Failure as failure:
        return failure
    return None


def shrunk(failure, *, sweep_check=True, seconds=60):
    """Fewer commands that fail in the same way: halves, quarters ... are left out while it stays."""
    best, until = breaks(failure.limits, failure.said, sweep_check) or failure, time.monotonic() + seconds
    size = len(best.said) // 2
    while size and time.monotonic() < until:
        start = 0
        while start < len(best.said) - 1 and time.monotonic() < until:
            fewer = best.said[:start] + best.said[min(start + size, len(best.said) - 1) :]
            found_again = breaks(failure.limits, fewer, sweep_check)
            if found_again and kind_of(found_again) == kind_of(failure):
                best = found_again
            else:
                start += size
        size //= 2
    return best


def kind_of(failure):
    """The words of a failure without its numbers."""
    return "".join(letter for letter in failure.reason.split("(at ")[0] if letter not in "0123456789-")


def snippet(failure, name):
    """A test to paste."""
    lines = ["from tests.simulation.run import replay", "", "", f"def test_{name}():"]
    lines += [f"    limits = {asdict(failure.limits)}", "    replay(", "        limits,", "        ["]
    lines += [f"            {columns_of(batch)}," for batch in failure.said]
    return "\n".join([*lines, "        ],", "    )"])
