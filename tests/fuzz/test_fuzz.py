"""Abuse runs in a process of its own, so that a crash is a failed test and not the end of all tests."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from steelyard.model.events import DELEVERAGED, FILL, LIQUIDATION_STARTED
from tests.fuzz import rounds

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 2_000 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 90


@pytest.mark.parametrize("seed", (1, 2))
def test_nothing_hurts_the_machine(seed):
    command = [sys.executable, "-m", "tests.fuzz", "--seed", str(seed), "--rounds", str(ROUNDS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3_000)
    last = "\n".join((done.stdout.splitlines() or [""])[-1:] + done.stderr.splitlines()[-30:])
    assert done.returncode == 0, f"it ended with {done.returncode} in the round after\n{last}"


def test_abuse_reaches_deep():
    """Numbers at their ends still trade, fail and deleverage; otherwise the rounds would prove little."""
    counts = dict.fromkeys((FILL, LIQUIDATION_STARTED, DELEVERAGED), 0)
    for number in range(2, 77, 3):
        watched = rounds.extremes(np.random.Generator(np.random.PCG64([7, number])), steps=100)
        for kind in counts:
            counts[kind] += watched.ghost.counts[kind]
    assert all(count > 10 for count in counts.values()), counts


def test_spoilt_rows_are_mostly_honest():
    """Half of what a spoilt journal says must still be understood."""
    random = np.random.Generator(np.random.PCG64(5))
    honest = rounds.journal.read("day").rows
    made = rounds.on_time(random, rounds.spoilt(random, honest, 500), int(honest["at_ns"][-1]))
    assert 0.3 < np.mean([row in honest[["kind", "last", "account"]] for row in made[["kind", "last", "account"]]]) < 1
