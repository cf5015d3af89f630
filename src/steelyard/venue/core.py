"""What every part of a venue shares: the machine, the names, the log, and one way to send a command."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from steelyard.journal.entries import Journal
from steelyard.model import events
from steelyard.model import reject as no
from steelyard.model.commands import COMMAND
from steelyard.model.orders import CHILD, KEEPER
from steelyard.model.reject import Reject
from steelyard.venue.builders import Rows
from steelyard.venue.decode import Decoder
from steelyard.venue.happened import Happened
from steelyard.venue.instruments import Names
from steelyard.venue.log import Batch, Log, rows_of
from steelyard.venue.machine import Machine
from steelyard.venue.reading import Reader
from steelyard.venue.reasons import Reasons
from steelyard.venue.refusals import Rejected
from steelyard.venue.requests import Requests

Listener = Callable[[Happened], None]


class Result:
    """What became of one command: `reason` is NONE if it was done."""

    def __init__(self, reason: Reject, message: str, batch: Batch | None, seq: int, decoder: Decoder) -> None:
        self.reason = reason
        self.message = message
        self.seq = seq
        self._batch = batch
        self._decoder = decoder

    @property
    def is_done(self) -> bool:
        return self.reason == no.NONE

    @property
    def rows(self) -> Any:
        """Its events as raw rows."""
        return np.zeros(0, events.EVENT) if self._batch is None else rows_of(self._batch.rows, self.seq)

    @property
    def events(self) -> tuple[Happened, ...]:
        return () if self._batch is None else self._decoder.decode(self.rows, self._batch.times)

    def __repr__(self) -> str:
        return f"Result({self.reason.name}{f', {self.message!r}' if self.message else ''}, seq={self.seq})"


class Core:
    """Holds the parts together. Everything public is added by the classes that build on it."""

    def __init__(self, machine: Machine, names: Names, log: Log) -> None:
        self.machine = machine
        self.names = names
        self.log = log
        self.reader = Reader(machine)
        self.rows = Requests(self.reader, names)  # commands as rows, not sent: for batches and journals
        self._reasons = Reasons(self.reader, names)
        self._decoder = Decoder(names)
        self._listeners: list[Listener] = []
        self._cursor = log.end
        self._accounts = self.reader.accounts
        self._journal: Journal | None = None

    # --- sending

    def submit(self, rows: Rows) -> list[Result]:
        """Run any number of whole commands, one result for each. Nothing is raised for a refusal."""
        if len(rows) == 0:
            return []
        rows = np.require(rows, COMMAND, ["C", "A"])
        if self._journal is not None:
            self._journal.append(rows.tobytes(), self.names.take_changes())  # durable from here on, or never run
        try:
            batch, ends = self._run(rows)
        except BaseException:
            if self._journal is not None:
                self._journal.give_up("a command in it did not end")
            raise
        first, told = batch.first_seq, batch.rows
        starts = [0, *(ends[:-1] + 1).tolist()]
        refused = {}
        for place in np.flatnonzero(told["kind"] == events.REJECTED).tolist():
            event = told[place]
            refused[int(event["seq"])] = (Reject(int(event["reason"])), int(event["order"]))
        results = []
        for place, (start, end) in enumerate(zip(starts, ends.tolist(), strict=True)):
            reason, detail = refused.get(first + place, (Reject(no.NONE), 0))
            message = self._reasons.tell(reason, detail, rows[start : end + 1]) if reason else ""
            results.append(Result(reason, message, batch, first + place, self._decoder))
        if self._listeners:
            for happened in self._decoder.decode(told, batch.times):
                for listener in tuple(self._listeners):
                    listener(happened)
        return results

    def _run(self, rows: Rows) -> tuple[Batch, Rows]:
        """(what it told, the last row of each command)"""
        first = self.reader.seq + 1
        told = self.machine.submit(rows)
        self._adopt()
        ends = np.flatnonzero(rows["last"])
        batch = Batch(told, first, tuple(rows["at_ns"][ends].tolist()))
        self.log.append(batch)
        return batch, ends

    def run_again(self, rows: Rows) -> None:
        """Commands that a journal holds already."""
        self._run(rows)

    def _note_names(self) -> None:
        """Names given after the command that made what they name."""
        if self._journal is not None:
            notes = self.names.take_changes()
            if notes:
                self._journal.append(b"", notes)

    def send(self, build: Callable[[], Rows], check: bool = True) -> Result:
        """Build and run one command. A refusal is raised, or with `check=False` told in the result."""
        try:
            rows = build()
        except Rejected as refusal:
            if check:
                raise
            return Result(refusal.reason, refusal.message, None, self.reader.seq, self._decoder)
        (result,) = self.submit(rows)
        if check and result.reason:
            raise Rejected(result.reason, result.message)
        return result

    def batch(self, commands: Iterable[Rows | Callable[[Requests], Rows]]) -> list[Result]:
        """Run several commands in one go: rows made with `venue.rows`, or functions that are given it.

        Each command stands for itself: one that is refused does not stop the others. All are built before the first
        runs.
        """
        built = [each(self.rows) if callable(each) else each for each in commands]
        return self.submit(np.concatenate(built)) if built else []

    def _adopt(self) -> None:
        """Name accounts that the machine opened: isolated positions, and whatever came from elsewhere."""
        accounts = self.reader.accounts
        if accounts == self._accounts:
            return
        table = self.reader.state.account
        for row in range(self._accounts + 1, accounts + 1):
            if int(table.role[row]) == CHILD:
                parent = self.names.account_name(int(table.parent[row]))
                self.names.add_account(f"{parent}/{self.names.symbol(int(table.market[row]))}", row)
            elif int(table.role[row]) == KEEPER:
                share = self.reader.state.asset.keeper.tolist().index(row)
                self.names.add_account(f"keeper/{self.names.asset_at(share).name}", row)
        self._accounts = accounts

    # --- listening

    @property
    def events(self) -> tuple[Happened, ...]:
        """What the last call made happen."""
        batch = self.log.last
        return () if batch is None else self._decoder.decode(batch.rows, batch.times)

    def on_event(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; the function that is returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def drain(self) -> list[Happened]:
        """Every event since the last time, oldest first."""
        drained: list[Happened] = []
        for batch in self.log.since(self._cursor):
            drained += self._decoder.decode(batch.rows, batch.times)
        self._cursor = self.log.end
        return drained
