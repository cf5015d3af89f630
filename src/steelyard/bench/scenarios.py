"""The named scenarios, one after another, and where their figures go."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from steelyard.bench import results as report
from steelyard.bench.matching import flows_of, matching
from steelyard.bench.starting import starts
from steelyard.bench.sweep import sweep

RESULTS = Path("bench") / "results.json"
PAGE = Path("README.md")

Tell = Callable[[str], None]
Measure = Callable[[Tell], dict[str, Any]]


@dataclass(frozen=True)
class Sizes:
    """How large everything is."""

    ops: int = 1_000_000
    matching: tuple[tuple[int, int], ...] = ((100_000, 1), (1_000_000, 1), (100_000, 50))  # accounts, markets
    repeat: int = 5
    sweep: tuple[int, int, int] = (1_000_000, 5_000_000, 50)  # accounts, exposures, markets
    ticks: int = 10_000
    steps: int = 200

    def times(self, factor: float) -> "Sizes":
        """Smaller crowds and flows; as many markets, steps and repetitions."""
        if factor == 1:
            return self

        def part(size: int) -> int:
            return max(1, round(size * factor))

        accounts, exposures, markets = self.sweep
        return replace(
            self,
            ops=max(20_000, part(self.ops)),
            matching=tuple((part(accounts), markets) for accounts, markets in self.matching),
            sweep=(part(accounts), part(exposures), markets),
            ticks=part(self.ticks),
        )


@dataclass(frozen=True)
class Scenario:
    name: str  # where it stands in the results; several of one name make a list
    title: str
    measure: Measure


def scenarios(sizes: Sizes) -> Iterator[Scenario]:
    yield Scenario("compile", "a cold and a warm start", lambda tell: starts())
    for accounts, markets in sizes.matching:
        yield Scenario(
            "matching",
            f"orders of {accounts:,} accounts, {report.markets(markets)}",
            partial(_matching, sizes, accounts, markets),
        )
    yield Scenario("sweep", f"alarms over {sizes.sweep[0]:,} accounts", partial(_sweep, sizes))


def _matching(sizes: Sizes, accounts: int, markets: int, tell: Tell) -> dict[str, Any]:
    tell("flows")
    return matching(flows_of(sizes.ops, markets), accounts, repeat=sizes.repeat, peer=True, tell=tell)


def _sweep(sizes: Sizes, tell: Tell) -> dict[str, Any]:
    return sweep(*sizes.sweep, ticks=sizes.ticks, steps=sizes.steps, repeat=sizes.repeat, tell=tell)


def collect(done: list[tuple[Scenario, dict[str, Any]]]) -> report.Results:
    """Figures of all scenarios under their names."""
    found = report.header()
    for scenario, figures in done:
        if scenario.name == "matching":
            found.setdefault("matching", []).append(figures)
        else:
            found[scenario.name] = figures
    return found


def keep(found: report.Results, folder: Path) -> list[Path]:
    """Write the figures below the folder, and the table into its page if it has a place for one."""
    path = folder / RESULTS
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    page = folder / PAGE
    if not page.exists():
        return [path]
    page.write_text(report.with_table(page.read_text(encoding="utf-8"), found), encoding="utf-8")
    return [path, page]
