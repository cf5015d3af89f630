"""A golden file: one line about the story, then one line of JSON per command row."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from steelyard.model.commands import COMMAND, Command
from steelyard.model.events import EVENT, Event
from steelyard.state.tables import Limits
from steelyard.venue.machine import Machine
from tests.telling import rows_of

FOLDER = Path(__file__).parent / "journals"

# Narrow enough to be started a hundred times, and that tables fill.
SMALL = Limits(
    assets=4,
    feeds=8,
    markets=4,
    risk_tiers=4,
    owners=24,
    accounts=40,
    legs=300,
    orders=120,
    references=200,
    recent_client_ids=8,
    ladder_ticks=1 << 16,
    orders_per_account=12,
    staged_rows=64,
    liquidations_per_command=8,
    triggers_per_command=4,
    events_per_command=64,
)


@dataclass
class Told:
    """What a journal gave."""

    events: str
    state: str
    counts: dict = field(default_factory=dict)


@dataclass
class Journal:
    name: str
    rows: np.ndarray
    limits: Limits = SMALL
    told: Told | None = None

    @property
    def path(self):
        return FOLDER / f"{self.name}.jsonl"

    def write(self):
        FOLDER.mkdir(exist_ok=True)
        head = {"limits": asdict(self.limits), **asdict(self.told)}
        self.path.write_text("\n".join([json.dumps(head), *map(line_of, self.rows)]) + "\n")


def line_of(row):
    """Columns that are not zero; the kind by its name; `last` only where it is not."""
    line = {"kind": Command(row["kind"]).name if row["kind"] in Command.__members__.values() else int(row["kind"])}
    for column in COMMAND.names:
        if column not in ("kind", "last") and row[column]:
            line[column] = int(row[column])
    if row["last"] != 1:
        line["last"] = int(row["last"])
    return json.dumps(line)


def read(name):
    head, *lines = map(json.loads, (FOLDER / f"{name}.jsonl").read_text().splitlines())
    for line in lines:
        line["kind"] = Command[line["kind"]] if isinstance(line["kind"], str) else line["kind"]
        line.setdefault("last", 1)
    limits = Limits(**head.pop("limits"))
    return Journal(name, rows_of(lines), limits, Told(**head))


def names():
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def run(journal, cuts=(), between=None, *, sweep=False):
    """Run a journal in batches cut before these rows; `between` may replace the machine at each cut."""
    machine, digest, kinds = Machine(journal.limits, sweep=sweep), hashlib.blake2b(digest_size=16), Counter()
    for batch in np.split(journal.rows, sorted(cuts)):
        events = machine.submit(batch)
        digest.update(np.ascontiguousarray(events, EVENT).tobytes())
        kinds.update(events["kind"].tolist())
        machine.check()
        if between:
            machine = between(machine) or machine
    counts = {Event(kind).name: kinds[kind] for kind in sorted(kinds)}
    return Told(digest.hexdigest(), machine.hash(), counts)
