"""Figures as a file and as the table of the README."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
LIBRARIES = ("numba", "llvmlite", "numpy")

Results = dict[str, Any]


def computer() -> dict[str, Any]:
    """What the figures were measured on, without a name that identifies it."""
    return {"processor": processor(), "cores": os.cpu_count(), "system": platform.system()}


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def versions() -> dict[str, str]:
    libraries = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"steelyard": importlib.metadata.version("steelyard"), "python": platform.python_version(), **libraries}


def header() -> Results:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": today, "computer": computer(), "versions": versions()}


def many(number: float) -> str:
    """A count for people: thousands apart, no more than three digits that matter."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:.3g} million"
    return f"{round(number):,}"


def times(ratio: float) -> str:
    return f"{ratio:,.0f} x" if ratio >= 100 else f"{ratio:.2g} x" if ratio < 1 else f"{ratio:.1f} x"


def duration(us: float) -> str:
    if us >= 1e6:
        return f"{us / 1e6:.1f} s"
    return f"{us / 1e3:.3g} ms" if us >= 1e3 else f"{us:.0f} us" if us >= 10 else f"{us:.2g} us"


def markets(count: int) -> str:
    return "one market" if count == 1 else f"{count} markets"


def lines(results: Results) -> list[tuple[str, str, str]]:
    """(what, figure, what stands beside it)."""
    made = [
        (
            f"orders through the complete machine, {markets(run['markets'])}, {run['accounts']:,} accounts",
            f"{many(run['ops_per_s'])} a second",
            f"plain Python book alone: {many(run['peer_ops_per_s'])}; ratio {times(run['ratio'])}",
        )
        for run in results.get("matching", [])
    ]
    if sweep := results.get("sweep"):
        crowd = f"{many(sweep['accounts'])} accounts, {many(sweep['legs'])} exposures"
        lost = "nobody missed" if sweep["missed"] == 0 else f"{sweep['missed']:,} missed"
        made += [
            (
                f"one price tick, {crowd}",
                f"{duration(sweep['alarm_us_per_tick'])}, at worst {duration(sweep['alarm_us_worst'])}",
                f"looking at everybody: {times(sweep['sweep_per_alarm'])} as long",
            ),
            (
                "looking at everybody",
                f"{duration(sweep['sweep_us'])} on {sweep['sweep_threads']} cores, "
                f"{duration(sweep['sweep_one_us'])} on one",
                f"NumPy on one, the same integers: {duration(sweep['numpy_us'])} from the same tables, "
                f"{duration(sweep['numpy_columns_us'])} from columns laid out for it beforehand",
            ),
            (
                "a fall of 5 % in one instant, then of 20 % in small steps",
                f"{duration(sweep['gap_ms'] * 1e3)}, then {duration(sweep['crash_ms'] * 1e3)}",
                f"{sweep['falls']:,} accounts fell, {lost}",
            ),
            (
                "memory",
                f"{sweep['bytes_per_account']:,.0f} bytes an account with its legs",
                f"{sweep['bytes_per_order']:,.0f} bytes an open order",
            ),
        ]
    if start := results.get("compile"):
        made.append(
            ("start to first command", f"{start['warm_s']:.2g} s", f"the very first compiles: {start['cold_s']:.0f} s")
        )
    return made


def table(results: Results) -> str:
    """The figures in Markdown."""
    where, made = results["computer"], results["versions"]
    text = ["| | figure | beside it |", "|---|---|---|"]
    text += [f"| {' | '.join(line)} |" for line in lines(results)]
    text += [
        "",
        f"Measured by `make bench` on {results['date']}: {where['processor']}, {where['cores']} cores, "
        f"{where['system']}, Python {made['python']}, Numba {made['numba']}, NumPy {made['numpy']}. "
        "Times differ between computers; ratios less.",
    ]
    return "\n".join(text)


def with_table(text: str, results: Results) -> str:
    """A page with what stands between its two marks replaced."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for the table: {BEGIN} ... {END}")
    return f"{before}{begin}\n{table(results)}\n{end}{after}"
