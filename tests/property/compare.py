"""Machine against twin, command by command: `python -m tests.property.compare --seed 7 --commands 2000`.

At the first difference it prints where, what, and the commands that lead there as a test to paste. `--shrink` first
leaves out whatever is not needed.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from random import Random

from steelyard.engine import queries
from steelyard.model.commands import Command
from steelyard.model.events import EVENT, Event
from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN, FOR_RESTORE, FOR_TAKEOVER
from steelyard.state.tables import Limits
from steelyard.venue.machine import Machine
from tests.property.bounds import broken_bounds
from tests.property.flows import random_commands
from tests.property.towns import small_limits
from tests.reference import invariants
from tests.reference.facts import differences, facts_of_state
from tests.reference.health import equity, requirement
from tests.reference.twin import Twin
from tests.telling import columns_of, rows_of

COLUMNS = tuple(column for column in EVENT.names if column != "spare")
QUESTIONS = (FOR_OPEN, FOR_MAINTAIN, FOR_RESTORE, FOR_TAKEOVER)
SHAKEN = 0.02  # how often indices are made anew before a command
PLACES = tuple(EVENT.names.index(column) for column in COLUMNS)


@dataclass
class Difference:
    """The first command after which the two disagree, and in what."""

    limits: Limits
    batches: list  # all commands up to this one
    lines: list  # what differs, in words

    def __str__(self):
        head = f"command {len(self.batches) - 1}: {described(self.batches[-1])}"
        return "\n".join([head, *self.lines])


class Both:
    """A machine and a twin that are told the same."""

    def __init__(self, limits, *, sweep=False, shake=None):
        self.limits = limits
        self.shake = shake  # a random number generator: indices are made anew now and then
        self.machine = Machine(limits, sweep=sweep)
        self.twin = Twin(limits)
        self.batches = []
        self.facts = self.twin.facts()

    def submit(self, batch, *, with_facts=True):
        """Runs one command on both; the difference, or None."""
        self.batches.append(batch)
        if self.shake and self.shake.random() < SHAKEN:
            self.machine.rebuild()
        expected = self.twin.submit(batch)
        try:
            found = plain_events(self.machine.submit(batch))
        except AssertionError as error:
            return Difference(self.limits, self.batches, [f"the machine fails: {error}"])
        lines = event_differences(expected, found)
        if with_facts or lines:
            lines += self.fact_differences(expected)
        else:
            self.facts = None  # not looked at: too old to compare the next ones with
        return Difference(self.limits, self.batches, lines) if lines else None

    def fact_differences(self, expected):
        before, self.facts = self.facts, self.twin.facts()
        theirs = facts_of_state(self.machine.state)
        lines = [
            f"fact {table}[{row}].{column}: twin {ours}, machine {other}"
            for table, row, column, ours, other in differences(self.facts, theirs)
        ]
        handle = self.machine.state.handle
        for row in self.twin.accounts:
            ours, answers = answers_of_twin(self.twin, row), answers_of_machine(handle, row)
            if ours != answers:
                lines.append(f"account {row}, equity and requirements: twin {ours}, machine {answers}")
        if not lines:  # both agree: then let both be right
            lines += invariants.broken(theirs)
            lines += broken_bounds(self.machine.state)
            # Not several commands, of which one was refused: one last row, all of its kind, and none staged before.
            rows = self.batches[-1]
            alone = (rows["last"] != 0).sum() == 1 and (rows["kind"] == rows["kind"][0]).all()
            known = alone and before is not None and not before["machine"][0]["staged"]
            refused = invariants.changed_though_refused(before, self.facts, expected) if known else []
            lines += [f"refused, and yet {each} changed" for each in refused]
            lines += invariants.cheaper_shares(before, self.facts, expected) if before is not None else []
            lines += invariants.dearer_gains(before, self.facts) if before is not None else []
        return lines


def answers_of_twin(twin, row):
    legs = twin.legs_of(row)
    return [equity(twin, legs), *(requirement(twin, legs, question) for question in QUESTIONS)]


def answers_of_machine(handle, row):
    return [queries.equity(handle, row), *(queries.requirement(handle, row, question) for question in QUESTIONS)]


def plain_events(rows):
    return [{column: row[place] for column, place in zip(COLUMNS, PLACES, strict=True)} for row in rows.tolist()]


def event_differences(expected, found):
    if expected == found:
        return []
    lines = []
    for place in range(max(len(expected), len(found))):
        ours = expected[place] if place < len(expected) else None
        theirs = found[place] if place < len(found) else None
        if ours == theirs:
            lines.append(f"event {place}: both {told(ours)}")
        elif ours and theirs and ours["kind"] == theirs["kind"]:
            wrong = [f"{column}: twin {ours[column]}, machine {theirs[column]}" for column in COLUMNS]
            wrong = [each for each, column in zip(wrong, COLUMNS, strict=True) if ours[column] != theirs[column]]
            lines.append(f"event {place}: {told(ours)}  <-- {'; '.join(wrong)}")
        else:
            lines.append(f"event {place}: twin {told(ours)}  <-- machine {told(theirs)}")
    return lines


def told(event):
    if event is None:
        return "nothing"
    columns = " ".join(f"{column}={number}" for column, number in event.items() if number and column not in ("kind",))
    kind = event["kind"]
    return f"{Event(kind).name if kind in Event.__members__.values() else kind} {columns}"


def described(batch):
    return "; ".join(f"{name_of(line.get('kind', 0))} {line}" for line in columns_of(batch))


def name_of(kind):
    return Command(kind).name if kind in Command.__members__.values() else str(kind)


def replay(limits, batches, *, sweep=False):
    """The first difference of these commands, or None. Only the last ones' facts are compared, for speed."""
    both = Both(limits, sweep=sweep)
    for place, batch in enumerate(batches):
        difference = both.submit(batch, with_facts=place >= len(batches) - 2)
        if difference:
            return difference
    return None


def pasted(limits, *commands):
    """For tests: each command a list of {column: number}."""
    return replay(Limits(**limits), [rows_of(lines) for lines in commands])


def snippet(difference):
    """A test to paste."""
    lines = ["def test_machine_equals_twin_here():", f"    limits = {asdict(difference.limits)}"]
    lines += ["    assert pasted(", "        limits,"]
    lines += [f"        {columns_of(batch)}," for batch in difference.batches]
    return "\n".join([*lines, "    ) is None"])


def shrunk(difference, *, sweep=False, seconds=120):
    """The same kind of difference from fewer commands: halves, quarters ... are left out while it stays."""
    batches, best, until = list(difference.batches), difference, time.monotonic() + seconds
    size = len(batches) // 2
    while size and time.monotonic() < until:
        start, removed = 0, False
        while start < len(batches) - 1 and time.monotonic() < until:
            fewer = batches[:start] + batches[min(start + size, len(batches) - 1) :]
            found = replay(difference.limits, fewer, sweep=sweep)
            if found:
                best, batches, removed = found, list(found.batches), True
            else:
                start += size
        if size == 1 and not removed:
            break
        size = max(1, size // 2) if size > 1 or removed else 0
    return best


def first_difference(seed, count, *, sweep=False, shake=False):
    both = Both(small_limits(seed), sweep=sweep, shake=Random(seed) if shake else None)
    for batch in random_commands(seed, count, both.twin):
        difference = both.submit(batch)
        if difference:
            return difference
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, help="so many seeds, one after the other")
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--sweep", action="store_true", help="the machine judges everybody instead of trusting alarms")
    parser.add_argument("--shake", action="store_true", help="throw the machine's indices away now and then")
    parser.add_argument("--shrink", action="store_true", help="leave out what is not needed")
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.seeds):
        started = time.monotonic()
        difference = first_difference(seed, options.commands, sweep=options.sweep, shake=options.shake)
        if difference:
            print(f"seed {seed}: {difference}\n")
            if options.shrink:
                difference = shrunk(difference, sweep=options.sweep)
                print(f"shrunk to {len(difference.batches)} commands: {difference}\n")
                print(snippet(difference))
            return 1
        print(f"seed {seed}: no difference in {options.commands} commands ({time.monotonic() - started:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
