"""What if: a copy of the whole venue to try things on. Nothing done to it reaches the original."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, Self, TypeVar


class Copyable(Protocol):
    def copy(self) -> Self: ...


V = TypeVar("V", bound=Copyable)


@contextmanager
def what_if(venue: V) -> Iterator[V]:
    """The copy lives as long as the block."""
    yield venue.copy()
