"""`steelyard bench`: time named scenarios; an answer that is wrong fails, however fast it came."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

bench = typer.Typer(help="Time named scenarios on this computer.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON and nothing else.")]
Repeat = Annotated[int, typer.Option(min=1, help="Repetitions; the median counts.")]


@bench.command()
def matching(
    flow: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="An .npz file of orders, one for each market in turn. Markets without one get a generated flow.",
        ),
    ] = None,
    accounts: Annotated[int, typer.Option(min=1, help="Accounts that send the orders, drawn at random.")] = 100_000,
    markets: Annotated[int, typer.Option(min=1, max=64, help="Markets, held in cross margin.")] = 1,
    ops: Annotated[int, typer.Option(min=1, help="Operations of all generated flows together.")] = 1_000_000,
    repeat: Repeat = 5,
    batch: Annotated[int, typer.Option(min=1, help="Rows of commands handed over at once.")] = 4_096,
    seed: Annotated[int, typer.Option(min=0, help="Decides flows, accounts and deposits.")] = 1,
    peer: Annotated[bool, typer.Option("--peer", help="Run a plain Python book beside it, turn by turn.")] = False,
    as_json: AsJson = False,
) -> None:
    """Orders through the complete machine: margin, positions, fees, events, alarms."""
    with _watching() as tell:
        from steelyard.bench.flow import kept, load
        from steelyard.bench.matching import matching as measure

        tell("flows")
        files = flow or []
        if len(files) > markets:
            raise typer.BadParameter(f"{len(files)} files for {markets} markets", param_hint="--flow")
        flows = [load(path) for path in files]
        flows += [kept(max(1, ops // markets), seed + market) for market in range(len(files), markets)]
        figures = measure(flows, accounts, repeat=repeat, peer=peer, batch=batch, seed=seed, tell=tell)
    _print(figures, as_json)


@bench.command()
def sweep(
    accounts: Annotated[int, typer.Option(min=1, help="Accounts.")] = 1_000_000,
    exposures: Annotated[int, typer.Option(min=1, help="Positions and collateral of all accounts.")] = 5_000_000,
    markets: Annotated[int, typer.Option(min=1, max=64, help="Markets.")] = 50,
    ticks: Annotated[int, typer.Option(min=1, help="Ticks of half a basis point.")] = 10_000,
    steps: Annotated[int, typer.Option(min=1, help="Steps of the slow fall, each followed by a full sweep.")] = 200,
    repeat: Repeat = 5,
    seed: Annotated[int, typer.Option(min=0, help="Decides accounts and ticks.")] = 1,
    weaken: Annotated[int, typer.Option(min=0, help="Widen alarms by so many ppm, to see accounts missed.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Alarms against looking at everybody, and whether they miss anybody."""
    with _watching() as tell:
        from steelyard.bench.sweep import sweep as measure

        figures = measure(
            accounts,
            exposures,
            markets,
            ticks=ticks,
            steps=steps,
            repeat=repeat,
            seed=seed,
            weaken_ppm=weaken,
            tell=tell,
        )
    _print(figures, as_json)
    if figures["missed"]:
        typer.echo(f"{figures['missed']} accounts were unhealthy and no alarm had told", err=True)
        raise typer.Exit(1)


@bench.command("compile")
def compile_(as_json: AsJson = False) -> None:
    """What a first start costs, and every later one."""
    with _watching() as tell:
        from steelyard.bench.starting import starts

        tell("two new processes")
        figures = starts()
    _print(figures, as_json)


@bench.command("all")
def all_(
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for bench/results.json, and of the README with the table.")
    ] = Path(),
    scale: Annotated[float, typer.Option(min=0.0001, max=1, help="Shrink all sizes, to try it out.")] = 1.0,
) -> None:
    """Everything, into bench/results.json and the table of the README."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from steelyard.bench.results import lines
    from steelyard.bench.scenarios import Sizes, collect, keep, scenarios

    console = Console(highlight=False)
    todo = list(scenarios(Sizes().times(scale)))
    done = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar, _failing():
        task = bar.add_task("", total=len(todo))
        for scenario in todo:
            title = scenario.title

            def tell(text: str, title: str = title) -> None:
                bar.update(task, description=f"{title}: {text}" if text else title)

            tell("")
            done.append((scenario, scenario.measure(tell)))
            bar.advance(task)
            bar.console.print(f"{title}: done")
    found = collect(done)
    _table(console, lines(found))
    for path in keep(found, into):
        console.print(f"Written: {path}")


@contextmanager
def _failing() -> Iterator[None]:
    """A wrong answer is told and fails the command; so are sizes that cannot be."""
    try:
        yield
    except ValueError as wrong:
        raise typer.BadParameter(str(wrong)) from wrong
    except AssertionError as wrong:
        typer.echo(f"The answer is wrong: {wrong}", err=True)
        raise typer.Exit(1) from wrong


@contextmanager
def _watching() -> Iterator[Callable[[str], None]]:
    """Say on a terminal what is going on, beside whatever is printed."""
    from rich.console import Console

    with _failing(), Console(stderr=True).status("loading the engine") as status:
        yield status.update


def _print(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    from rich.console import Console

    _table(Console(highlight=False), [(name.replace("_", " "), _text(figure)) for name, figure in figures.items()])


def _text(figure: Any) -> str:
    if isinstance(figure, dict):
        return ", ".join(f"{name} {_text(value)}" for name, value in figure.items())
    return f"{figure:,.4g}" if isinstance(figure, float) and figure < 1_000 else f"{figure:,.0f}"


def _table(console: "Console", rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    console.print(table)
