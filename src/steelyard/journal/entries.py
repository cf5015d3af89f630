"""What a journal consists of, and how each part is bound to the one before."""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

HASH_BYTES = 32
_LINK = struct.Struct("<32sQQ")


class JournalError(Exception):
    """Something about a journal; never raised for a command that is refused."""


class JournalFailed(JournalError):
    """It could not be written. What was to be written has not run."""


class Damaged(JournalError):
    """It is not what was written."""

    def __init__(self, what: str, entry: int = 0) -> None:
        super().__init__(f"entry {entry}: {what}" if entry else what)
        self.entry = entry


class Locked(JournalError):
    """Somebody else writes it."""


class WrongVersion(JournalError):
    """It was written by another version of the machine."""


@dataclass(frozen=True, slots=True)
class Entry:
    number: int
    rows: bytes
    notes: bytes
    chain: bytes


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot of the state after an entry (0: before the first)."""

    number: int
    data: bytes


def digest(*parts: bytes) -> bytes:
    hashed = hashlib.blake2b(digest_size=HASH_BYTES)
    for part in parts:
        hashed.update(part)
    return hashed.digest()


def link(before: bytes, number: int, rows: bytes, notes: bytes) -> bytes:
    """The chain of an entry."""
    return digest(_LINK.pack(before, number, len(rows)), rows, notes)


class Journal(Protocol):
    """What every kind of journal does. `append` returns when the entry is durable, or raises JournalFailed."""

    @property
    def header(self) -> bytes:
        """Empty: nothing was written yet."""

    @property
    def last(self) -> int:
        """The number of the last entry, 0 if there is none."""

    @property
    def chain(self) -> bytes:
        """That of the last entry."""

    @property
    def failed(self) -> str:
        """Why nothing more can be written; empty: all is well."""

    def give_up(self, why: str) -> None:
        """What was written last did not come to its end: nothing may follow it."""

    def begin(self, header: bytes) -> None: ...

    def append(self, rows: bytes, notes: bytes) -> Entry: ...

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        """Entries in order, each proven; Damaged at the first that is not what was written."""

    def save(self, data: bytes) -> None:
        """Keep a snapshot of the state after the last entry."""

    def saved(self, until: int | None = None) -> Saved | None:
        """The last snapshot, or the last that is not beyond an entry; proven."""

    def all_saved(self) -> Iterator[Saved]: ...

    def close(self) -> None: ...
