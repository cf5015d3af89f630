"""The events a venue has seen, as raw rows: decoded when somebody looks, forgotten when there are too many."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from steelyard.venue.builders import Rows
from steelyard.venue.event_rows import Row, plain_rows


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of commands `first_seq`, `first_seq + 1`, ... given at these instants."""

    rows: Rows
    first_seq: int
    at_ns: tuple[int, ...]

    @property
    def times(self) -> dict[int, int]:
        return dict(enumerate(self.at_ns, self.first_seq))


class Forgotten(LookupError):
    """Events that were asked for are no longer kept."""


class Log:
    def __init__(self, keep: int) -> None:
        self.keep = keep  # rows; the last batch is always kept
        self._batches: deque[Batch] = deque()
        self._rows = 0
        self._first = 0  # number of the oldest batch that is kept
        self._is_whole = True

    @property
    def end(self) -> int:
        """A cursor: the number of the next batch."""
        return self._first + len(self._batches)

    @property
    def is_whole(self) -> bool:
        """Nothing has been forgotten, and nothing happened before."""
        return self._is_whole and self._first == 0

    def forget_beginning(self) -> None:
        """The venue this log belongs to has a past that the log has not seen."""
        self._is_whole = False

    @property
    def last(self) -> Batch | None:
        return self._batches[-1] if self._batches else None

    def append(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._rows += len(batch.rows)
        while self._rows > self.keep and len(self._batches) > 1:
            self._rows -= len(self._batches.popleft().rows)
            self._first += 1

    def since(self, cursor: int) -> Iterator[Batch]:
        if cursor < self._first:
            raise Forgotten(
                f"{self._first - cursor} batches of events are no longer kept; drain more often, or keep more events"
            )
        for place in range(cursor - self._first, len(self._batches)):
            yield self._batches[place]

    def kept(self) -> Iterator[Batch]:
        return iter(tuple(self._batches))

    def plain(self) -> Iterator[tuple[Row, int]]:
        """Every row that is kept, as integers, with the instant of its command."""
        for batch in self.kept():
            times = batch.times
            for row in plain_rows(batch.rows):
                yield row, times.get(row.seq, 0)

    def copy(self) -> "Log":
        other = Log(self.keep)
        other._batches = self._batches.copy()
        other._rows, other._first, other._is_whole = self._rows, self._first, self._is_whole
        return other


def rows_of(rows: Rows, seq: int) -> Any:
    """The events of one command."""
    return rows[rows["seq"] == seq]
