"""`steelyard verify`, `replay` and `fork`: what can be asked of a journal without being its writer."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from steelyard.journal.sqlite import SqliteJournal

Folder = Annotated[Path, typer.Argument(help="The folder of the journal.", show_default=False)]
Until = Annotated[int | None, typer.Option(min=0, help="The last entry that counts.", show_default="all")]
DAMAGED = 1


@contextmanager
def _told() -> Iterator[None]:
    """Says what is wrong with a journal in one line, and leaves with 1."""
    from steelyard.journal.entries import JournalError

    try:
        yield
    except JournalError as error:
        typer.echo(f"{type(error).__name__}: {error}", err=True)
        raise typer.Exit(DAMAGED) from None


def _look(folder: Path) -> "SqliteJournal":
    from steelyard.journal.sqlite import SqliteJournal

    return SqliteJournal(folder, write=False)


def _end(journal: "SqliteJournal", until: int | None) -> int:
    """The last entry that counts."""
    if until is not None and until > journal.last:
        raise typer.BadParameter(f"the last entry is {journal.last:,}", param_hint="--until")
    return journal.last if until is None else until


@contextmanager
def _bar(label: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn(label), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def verify(folder: Folder) -> None:
    """Read the whole journal, run every command anew and compare the state with every snapshot."""
    with _told():
        journal = _look(folder)
        from steelyard.venue import durable
        from steelyard.venue.venue import Venue

        def run_again(group: int) -> tuple[Venue, int]:
            venue = Venue.empty(durable.limits_in(journal.header))
            with _bar("entries run again") as heard:
                return venue, durable.check_snapshots(
                    venue, journal, lambda saved: Venue.of_snapshot(saved).hash(), heard, group
                )

        started = time.perf_counter()
        venue, snapshots = durable.to_the_entry(run_again)
        seconds = time.perf_counter() - started
        venue.check()
        commands = venue.reader.seq
        typer.echo(
            f"{journal.last:,} entries, {commands:,} commands, {snapshots:,} snapshots: all as they were written."
        )
        typer.echo(f"chain {journal.chain.hex()}")
        typer.echo(f"state {venue.hash()}")
        typer.echo(f"run again in {seconds:,.1f} s, {commands / max(seconds, 1e-9):,.0f} commands a second")


def replay(folder: Folder, until: Until = None) -> None:
    """Tell the state after an entry: its hash, its clock, what there is."""
    with _told():
        journal = _look(folder)
        last = _end(journal, until)
        journal.close()
        from steelyard.venue.instruments import SYSTEM_NAMES
        from steelyard.venue.venue import Venue

        venue = Venue.open(folder, until=last)
        venue.check()
        typer.echo(f"after entry {last:,}: {venue!r}")
        typer.echo(f"state {venue.hash()}")
        for fund in (getattr(venue.funds(), name) for name in SYSTEM_NAMES):
            held = ", ".join(f"{amount} {asset}" for asset, amount in fund.balances.items() if amount)
            typer.echo(f"{fund.name:>10} {held or 'nothing'}")


def fork(
    folder: Folder,
    new: Annotated[Path, typer.Argument(help="A folder that has no journal yet.", show_default=False)],
    until: Until = None,
) -> None:
    """Begin a journal of its own with the entries of another, to go on from there differently."""
    with _told():
        from steelyard.journal.entries import JournalError
        from steelyard.journal.sqlite import SqliteJournal

        journal = _look(folder)
        last = _end(journal, until)
        if not journal.header:
            raise JournalError("nothing was written to this journal yet")
        target = SqliteJournal(new)
        if target.header:
            raise JournalError(f"there is a journal in {new} already")
        with _bar("entries") as heard:
            target.copy(journal, last, heard)
        target.close()
        typer.echo(f"{new}: {last:,} entries of {folder}; chain {target.chain.hex()}")
