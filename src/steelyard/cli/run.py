"""`steelyard run`: a live market in the terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from steelyard.venue.machine import Progress

SIZE = (100, 30)  # of frames that go elsewhere than to a terminal
OPENING = 180  # steps before the first frame: quotes rest and most holders are in


def run(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same market.")] = 7,
    speed: Annotated[float, typer.Option(min=0.1, max=1000, help="Seconds of the market in one of yours.")] = 10.0,
    shock: Annotated[float, typer.Option(min=0.01, max=20, help="What one press of an arrow moves, in percent.")] = 1.0,
    frames: Annotated[int, typer.Option(min=0, help="Print so many frames as text and leave; needs no terminal.")] = 0,
) -> None:
    """Watch a simulated market live: book, positions, funds and liquidations. Press ? in it for its keys."""
    if not frames and not (sys.stdin.isatty() and sys.stdout.isatty()):
        which = "standard input" if sys.stdout.isatty() else "standard output"
        typer.echo(
            f"steelyard run draws on a terminal and reads keys from it, but {which} is not one.\n"
            "Start it in a terminal, or print frames as text: steelyard run --frames 3",
            err=True,
        )
        raise typer.Exit(2)
    from rich.console import Console

    console = Console(highlight=False)
    if frames and not console.is_terminal:
        import shutil

        width, height = shutil.get_terminal_size(SIZE)
        console = Console(highlight=False, width=width, height=height)
    with _preparing(Console(stderr=True, highlight=False)) as progress:
        from steelyard.cli.demo import Demo
        from steelyard.cli.view import View, print_frames, watch_live
        from steelyard.lab.market import DemoMarket

        market = DemoMarket(seed, progress=progress)
        market.step(OPENING)
        view = View(Demo(market), speed=speed, shock=shock / 100)
    if frames:
        print_frames(view, console, frames)
    else:
        watch_live(view, console)


@contextmanager
def _preparing(console: "Console") -> Iterator["Progress"]:
    """Says what the first start waits for; a later one is over before there is much to read."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from steelyard.num import CACHE_FOLDER

    cold = not (CACHE_FOLDER / "complete").exists()
    what = "Compiling the engine for this computer" if cold else "Loading the engine"
    if cold:
        console.print("The engine is compiled once, which takes a minute or two. It is kept for every later start.")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total)
