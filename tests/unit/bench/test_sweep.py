"""A small crowd: alarms miss nobody, weakened ones do, and both ways of looking at everybody agree."""

import numpy as np
import pytest

from steelyard.bench.crowd import crowd
from steelyard.bench.summing import Now, risk
from steelyard.bench.sweep import sweep
from steelyard.engine import queries
from steelyard.model.orders import FOR_MAINTAIN, SYSTEM_ACCOUNTS

SMALL = {"accounts": 1_500, "legs": 7_000, "markets": 8, "ticks": 200, "steps": 60, "repeat": 1}


def test_alarms_miss_nobody():
    figures = sweep(**SMALL)
    assert figures["missed"] == 0
    assert figures["falls"] > figures["falls_gap"] > figures["falls_calm"] >= 0
    for name in (
        "alarm_us_per_tick",
        "alarm_us_worst",
        "sweep_us",
        "sweep_one_us",
        "numpy_us",
        "numpy_columns_us",
        "gap_ms",
        "crash_ms",
    ):
        assert figures[name] > 0
    assert figures["bytes_per_account"] > figures["bytes_per_leg"] > 0 < figures["bytes_per_order"]


def test_weakened_alarms_do():
    assert sweep(**SMALL, weaken_ppm=3_000)["missed"] > 0


@pytest.mark.parametrize(("legs", "markets"), [(400, 1), (700, 2), (3_600, 12)])
def test_a_crowd_keeps_every_promise_about_facts(legs, markets):
    made = crowd(400, legs, markets, seed=markets)
    made.machine.check()
    again = made.machine.copy()
    assert again.hash() == made.machine.hash()
    assert made.machine.unhealthy() == [], "it starts healthy"


def test_numpy_gives_the_same_integers():
    made = crowd(500, 2_500, 10, seed=5)
    state = made.machine.state
    np.asarray(state.market)["mark"][:] = np.asarray(state.market)["mark"] * 83 // 100
    equity, requirement = risk(made.columns, Now.of(state))
    for account in range(500):
        row = account + SYSTEM_ACCOUNTS + 1
        assert equity[account] == queries.equity(state.handle, row)
        assert requirement[account] == queries.requirement(state.handle, row, FOR_MAINTAIN)
    assert (equity < requirement).any() and (equity > requirement).any()


@pytest.mark.parametrize("legs", [399, 1_201])
def test_exposures_that_cannot_be_held_are_refused(legs):
    with pytest.raises(ValueError, match="hold 400 to 1,200 exposures"):
        crowd(400, legs, 3)


def test_nobody_holds_a_thing_twice():
    made = crowd(300, 1_500, 9, seed=2)
    legs = np.asarray(made.machine.state.leg)
    legs = legs[legs["account"] > 0]
    pairs = legs["account"].astype(np.int64) << 20 | legs["thing"]
    assert len(np.unique(pairs)) == len(pairs)
    assert made.legs == len(legs) - 300 - SYSTEM_ACCOUNTS
