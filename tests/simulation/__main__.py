"""`python -m tests.simulation --seed 7`: one simulated day of a venue, checked as it goes."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from steelyard.model.events import Event
from tests.simulation.run import Failure, shrunk, simulate, snippet

LINES_SHOWN = 60


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--commands", type=int, default=20_000, help="after everybody has settled in")
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--sweep-check", action="store_true", help="a second machine judges everybody: same events")
    parser.add_argument("--every", type=int, help="commands between two full checks; 1 in small towns")
    parser.add_argument("--shrink", type=int, default=60, help="seconds spent on fewer commands after a failure")
    options = parser.parse_args()
    every = options.every or max(1, options.accounts * options.commands // 400_000)
    started = time.monotonic()
    heard = [started]

    def progress(watched):
        if time.monotonic() - heard[0] > 10:
            heard[0] = time.monotonic()
            print(f"  {len(watched.said)} commands, {watched.ghost.fills // 2} fills", flush=True)

    print(
        f"seed {options.seed}: {options.accounts} accounts, {options.commands} commands, checks every {every}",
        flush=True,
    )
    try:
        watched = simulate(
            options.seed,
            accounts=options.accounts,
            commands=options.commands,
            sweep_check=options.sweep_check,
            every=every,
            progress=progress,
        )
    except Failure as failure:
        print(f"seed {options.seed} fails at {failure}", flush=True)
        tell(failure, options)
        return 1
    counts = sorted(watched.ghost.counts.items())
    print(", ".join(f"{Event(kind).name} {count}" for kind, count in counts))
    print(f"seed {options.seed}: every promise held through {len(watched.said)} commands", end=" ")
    print(f"({time.monotonic() - started:.1f} s, {watched.refused} refusals looked at); {watched.machine.hash()}")
    return 0


def tell(failure, options):
    """The failure in as few commands as can be found, as a test to paste."""
    small = shrunk(failure, sweep_check=options.sweep_check, seconds=options.shrink)
    print(f"with {len(small.said)} of {len(failure.said)} commands: {small}")
    text = snippet(small, f"simulation_{options.seed}")
    if len(small.said) > LINES_SHOWN:
        path = Path(tempfile.gettempdir()) / f"test_simulation_{options.seed}.py"
        path.write_text(text + "\n")
        print(f"the test to paste is in {path}")
    else:
        print(text)


if __name__ == "__main__":
    sys.exit(main())
