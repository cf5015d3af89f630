"""A venue and its journal: what the header says, running entries again, and looking for damage.

Promises
- Entries are run in their order, each once, none left out.
- The state after them is the one they led to before, or something is raised that names the entry.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TypeVar

import numpy as np

from steelyard.journal.entries import Damaged, Entry, Journal, JournalError, Saved, WrongVersion
from steelyard.model.commands import COMMAND
from steelyard.state.snapshot import VERSION
from steelyard.state.tables import Limits
from steelyard.venue.core import Core

GROUP_BYTES = COMMAND.itemsize << 14  # entries are run together up to here: cutting changes nothing but speed
_ROWS = hashlib.blake2b(repr(COMMAND.descr).encode(), digest_size=8).hexdigest()

Heard = Callable[[int, int], None]  # (entries done, of so many)


class Unrunnable(JournalError):
    """A command stops the machine: it met a state that it holds to be impossible."""

    def __init__(self, first: int, last: int) -> None:
        which = f"entry {first}" if first == last else f"one of the entries {first} to {last}"
        super().__init__(
            f"{which}: a command in it stops the machine; the state before it can be looked at with until={first - 1}"
        )
        self.first, self.last = first, last


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a venue came to be where it is."""

    snapshot: int  # the entry that its snapshot was taken after; 0: it began with the first entry
    entries: int  # run again
    commands: int


def header_of(limits: Limits) -> bytes:
    return json.dumps({"version": VERSION, "rows": _ROWS, "limits": asdict(limits)}, sort_keys=True).encode()


def limits_in(header: bytes) -> Limits:
    if not header:
        raise JournalError("nothing was written to this journal yet")
    try:
        told = json.loads(header)
    except ValueError as error:
        raise Damaged(f"the header cannot be read: {error}") from error
    if told["version"] != VERSION or told["rows"] != _ROWS:
        raise WrongVersion(
            f"the journal was written by a machine of version {told['version']} with command rows {told['rows']}; "
            f"this one is of version {VERSION} with rows {_ROWS}"
        )
    return Limits(**told["limits"])


T = TypeVar("T")


def to_the_entry(run: Callable[[int], T]) -> T:
    """Run entries again by groups of a size; once more one by one where that tells which of them stops the machine."""
    try:
        return run(GROUP_BYTES)
    except Unrunnable:
        return run(1)


def replay(
    core: Core, entries: Iterator[Entry], total: int, group: int = GROUP_BYTES, heard: Heard | None = None
) -> int:
    """Run entries again; how many there were."""
    done = 0
    for together in _grouped(entries, group):
        rows = b"".join(each.rows for each in together)
        for each in together:
            if each.notes:
                core.names.apply(each.notes)
        try:
            if rows:
                core.run_again(np.frombuffer(rows, COMMAND))
        except AssertionError as error:
            raise Unrunnable(together[0].number, together[-1].number) from error
        done += len(together)
        if heard:
            heard(done, total)
    return done


def _grouped(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    together: list[Entry] = []
    held = 0
    for entry in entries:
        if len(entry.rows) % COMMAND.itemsize:
            raise Damaged("it holds no whole number of commands", entry.number)
        together.append(entry)
        held += len(entry.rows)
        if held >= size:
            yield together
            together, held = [], 0
    if together:
        yield together


def check_snapshots(
    core: Core, journal: Journal, hash_in: Callable[[Saved], str], heard: Heard | None = None, group: int = GROUP_BYTES
) -> int:
    """Run everything anew from the first entry and compare the state with every snapshot; how many there were."""
    after, compared = 0, 0
    for saved in journal.all_saved():
        replay(core, journal.read(after, saved.number), journal.last, group, heard)
        after = saved.number
        if hash_in(saved) != core.machine.hash():
            raise Damaged("the state in the snapshot taken after it is not the one that its commands lead to", after)
        compared += 1
    replay(core, journal.read(after), journal.last, group, heard)
    return compared
