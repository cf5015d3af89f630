"""A journal in one SQLite file: WAL, synchronous = FULL, one writer by an advisory lock."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from steelyard.journal.entries import Damaged, Entry, Journal, JournalError, JournalFailed, Locked, Saved, digest, link

FILE, LOCK = "journal.sqlite", "lock"
_TABLES = """
CREATE TABLE IF NOT EXISTS header (id INTEGER PRIMARY KEY CHECK (id = 1), data BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY, rows BLOB NOT NULL, notes BLOB NOT NULL, chain BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL, chain BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS snapshot (number INTEGER PRIMARY KEY, data BLOB NOT NULL, digest BLOB NOT NULL);
"""
_ENTRY = "INSERT INTO entry VALUES (?, ?, ?, ?)"
_HEAD = "INSERT OR REPLACE INTO head VALUES (1, ?, ?)"
_PRUNE = """
DELETE FROM snapshot WHERE number NOT IN (SELECT number FROM snapshot ORDER BY number DESC LIMIT ?)
"""
SNAPSHOTS_KEPT = 3


class SqliteJournal:
    """`write=False` looks at a journal that exists, also while somebody else writes it."""

    def __init__(self, folder: str | os.PathLike[str], *, write: bool = True) -> None:
        self.folder = Path(folder)
        self._lock: int | None = None
        self.failed = ""
        if write:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(self.folder / LOCK)
        elif not (self.folder / FILE).is_file():
            raise JournalError(f"there is no journal in {self.folder}")
        try:
            self._open(write)
        except BaseException:
            self.close()
            raise

    def _open(self, write: bool) -> None:
        path = self.folder / FILE
        with _readable():
            mode = "rwc" if write else "ro"
            self._file = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
            )
            if write:
                self._file.execute("PRAGMA journal_mode = WAL")
                self._file.execute("PRAGMA synchronous = FULL")
                self._file.execute("PRAGMA fullfsync = 1")
                self._file.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")
            self.header = self._one("SELECT data FROM header")
            head = self._file.execute("SELECT number, chain FROM head").fetchone()
        self._genesis = digest(self.header)
        self.last, self.chain = (int(head[0]), bytes(head[1])) if head else (0, self._genesis)

    def _one(self, query: str) -> bytes:
        row = self._file.execute(query).fetchone()
        return bytes(row[0]) if row else b""

    def give_up(self, why: str) -> None:
        self.failed = why

    def begin(self, header: bytes) -> None:
        assert not self.header, "a journal begins once"
        with self._at_once():
            self._file.execute("INSERT INTO header VALUES (1, ?)", (header,))
        self.header = header
        self._genesis = self.chain = digest(header)

    def append(self, rows: bytes, notes: bytes) -> Entry:
        number = self.last + 1
        entry = Entry(number, rows, notes, link(self.chain, number, rows, notes))
        with self._at_once():
            self._file.execute(_ENTRY, (number, rows, notes, entry.chain))
            self._file.execute(_HEAD, (number, entry.chain))
        self.last, self.chain = number, entry.chain
        return entry

    def copy(self, other: Journal, until: int, heard: Callable[[int, int], None]) -> None:
        """Take over the beginning of another journal: all of it, or nothing."""
        assert not self.header, "there is nothing here yet"
        chain = digest(other.header)
        with self._at_once():
            self._file.execute("INSERT INTO header VALUES (1, ?)", (other.header,))
            for entry in other.read(0, until):
                chain = entry.chain
                self._file.execute(_ENTRY, (entry.number, entry.rows, entry.notes, entry.chain))
                heard(entry.number, until)
            self._file.execute(_HEAD, (until, chain))
        self.header, self.last, self.chain, self._genesis = other.header, until, chain, digest(other.header)

    def save(self, data: bytes) -> None:
        row = (self.last, data, digest(self.chain, data))
        with self._at_once():
            self._file.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)", row)
            self._file.execute(_PRUNE, (SNAPSHOTS_KEPT,))

    @contextlib.contextmanager
    def _at_once(self) -> Iterator[None]:
        """What is written inside is on the disk together when it ends, or is not there."""
        if self._lock is None:
            raise JournalFailed(f"the journal in {self.folder} is not open for writing")
        if self.failed:
            raise JournalFailed(f"the journal failed before ({self.failed}); open it again")
        try:
            self._file.execute("BEGIN IMMEDIATE")
            yield
            self._file.execute("COMMIT")
        except BaseException as error:
            # Whether it is on the disk is not known now: only reading the file anew can tell.
            self.failed = str(error)
            with contextlib.suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise JournalFailed(f"the journal in {self.folder} could not be written: {error}") from error
            raise

    def read(self, after: int = 0, until: int | None = None) -> Iterator[Entry]:
        end = self.last if until is None else until
        with _readable():
            before = self._chain_of(after)
            expected = after
            for number, rows, notes, chain in self._file.execute(
                "SELECT number, rows, notes, chain FROM entry WHERE number > ? AND number <= ? ORDER BY number",
                (after, end),
            ):
                expected += 1
                if number != expected:
                    raise Damaged("it is missing", expected)
                entry = Entry(number, bytes(rows), bytes(notes), bytes(chain))
                if entry.chain != link(before, number, entry.rows, entry.notes):
                    raise Damaged("its chain does not follow from the one before and from what it says", number)
                before = entry.chain
                yield entry
        if expected < min(end, self.last):
            raise Damaged("it is missing, and so is all that came after", expected + 1)
        if expected == self.last and before != self.chain:
            raise Damaged("it is not the one that was written last", expected)

    def _chain_of(self, number: int) -> bytes:
        if number == 0:
            return self._genesis
        row = self._file.execute("SELECT chain FROM entry WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise Damaged("it is missing", number)
        return bytes(row[0])

    def saved(self, until: int | None = None) -> Saved | None:
        end = self.last if until is None else until
        query = "SELECT number, data, digest FROM snapshot WHERE number <= ? ORDER BY number DESC LIMIT 1"
        return next(self._proven(query, (end,)), None)

    def all_saved(self) -> Iterator[Saved]:
        return self._proven("SELECT number, data, digest FROM snapshot ORDER BY number", ())

    def _proven(self, query: str, values: tuple[int, ...]) -> Iterator[Saved]:
        with _readable():
            for number, data, seal in self._file.execute(query, values):
                if bytes(seal) != digest(self._chain_of(number), bytes(data)):
                    raise Damaged("the snapshot taken after it is not what was written", number)
                yield Saved(number, bytes(data))

    def close(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
        self.failed = self.failed or "it was closed"
        if self._lock is not None:
            fcntl.flock(self._lock, fcntl.LOCK_UN)  # also where a child of this process has it
            os.close(self._lock)
            self._lock = None


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        # Busy, or not allowed; a table that is missing is damage.
        if "no such" in str(error) or "malformed" in str(error):
            raise Damaged(f"the file cannot be read: {error}") from error
        raise JournalError(f"the file cannot be read now: {error}") from error
    except sqlite3.Error as error:
        raise Damaged(f"the file cannot be read: {error}") from error


def _lock(path: Path) -> int:
    """Held as long as the process lives, and no longer."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Locked(f"another process writes the journal in {path.parent}") from None
    return handle
