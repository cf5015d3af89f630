"""Kernels as plain Python over NumPy scalars, and kernels that look at every index: the same stories.

Without the JIT an overflow that compiled code would not notice is a warning, and warnings are errors. With bounds
checking an index beyond its table raises.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.run import simulate

ROOT = Path(__file__).resolve().parents[2]
SEED, ACCOUNTS, COMMANDS = 3, 16, 500
SIMULATION = ("-m", "tests.simulation", "--seed", SEED, "--accounts", ACCOUNTS, "--commands", COMMANDS, "--every", 25)


def told(*words, **flags):
    """What another Python says and complains of."""
    command = [sys.executable, "-W", "error", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | flags, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def hash_of_simulation():
    return simulate(SEED, accounts=ACCOUNTS, commands=COMMANDS, sweep_check=False, every=25).machine.hash()


@pytest.mark.parametrize(
    "flags",
    [{"NUMBA_DISABLE_JIT": "1"}, pytest.param({"NUMBA_BOUNDSCHECK": "1"}, marks=pytest.mark.slow)],
    ids=["without the JIT", "with bounds checking"],
)
def test_the_same_stories(flags, hash_of_simulation):
    code, said, complaints = told("-m", "tests.golden", **flags)
    assert (code, complaints) == (0, ""), said
    code, said, complaints = told(*SIMULATION, **flags)
    assert (code, complaints) == (0, ""), said
    assert hash_of_simulation in said


BEYOND = """
from steelyard.model import commands as do
from steelyard.state.tables import Limits
from steelyard.venue.machine import Machine
from tests.golden.journal import read
from tests.telling import command

journal = read("trading")
machine = Machine(journal.limits)
machine.submit(journal.rows)
machine.state.account.first_leg[7] = 1_000_000
machine.submit(command(do.CANCEL_ALL, int(machine.state.machine.now_ns[0]), {"account": 7}))
"""


@pytest.mark.slow
def test_bounds_checking_sees_an_index_beyond_its_table():
    _, _, complaints = told("-c", BEYOND, NUMBA_BOUNDSCHECK="1")
    assert "IndexError: index is out of bounds" in complaints


WIDE = """
import numpy as np
from steelyard.engine import queries
from tests.golden.journal import read
from steelyard.venue.machine import Machine

journal = read("trading")
machine = Machine(journal.limits)
machine.submit(journal.rows)
position = int(np.flatnonzero(np.asarray(machine.state.leg)["thing"] > 256)[0])
machine.state.leg.quantity[position] = 2**62
queries.leg_equity(machine.state.handle, position)
"""


def test_without_the_jit_an_overflow_is_an_error():
    code, _, complaints = told("-c", WIDE, NUMBA_DISABLE_JIT="1")
    assert code == 1 and "overflow" in complaints
