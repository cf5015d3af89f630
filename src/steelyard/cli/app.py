"""The `steelyard` command: groups meet here, each command lives in a module of its own.

Whatever is slow to import (the machine, its kernels) is imported inside the command that needs it, so that `--help`
answers at once.
"""

from typing import Annotated

import typer

from steelyard import __version__
from steelyard.cli.bench import bench
from steelyard.cli.journal import fork, replay, verify
from steelyard.cli.run import run

app = typer.Typer(
    name="steelyard",
    help="An open leverage engine for crypto markets.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)

app.add_typer(bench, name="bench")
for each in (run, verify, replay, fork):
    app.command()(each)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"steelyard {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """An open leverage engine for crypto markets."""


def main() -> None:
    app()
