"""A few short days of the simulation, and proof that it can fail."""

import os

import numpy as np
import pytest

from steelyard.model.events import (
    BID_FILLED,
    CONVERTED,
    DEBT_WRITTEN_OFF,
    DELEVERAGED,
    FILL,
    FUND_PAID,
    INTEREST_PAID,
    LIQUIDATION_FEE,
    MARGIN_MOVED,
    MARKET_SETTLED,
    ORDER_TRIGGERED,
    POOL_REDEEMED,
    POOL_SUPPLIED,
    POSITION_SETTLED,
    RISK_ARRAY_SET,
    TAKEN_OVER,
)
from tests.simulation.ghost import Ghost
from tests.simulation.run import Failure, Watched, shrunk, simulate, snippet
from tests.simulation.town import MARKETS, PAIR

SEEDS = range(200) if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else (1, 2, 3, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_in_a_small_town(seed):
    watched = simulate(seed, accounts=40, commands=700)
    assert watched.refused > 0


def test_every_promise_holds_in_a_large_town():
    watched = simulate(11, accounts=1_000, commands=4_000, every=100)
    for kind in (FILL, ORDER_TRIGGERED, MARGIN_MOVED, CONVERTED, INTEREST_PAID):
        assert watched.ghost.counts[kind] > 0
    for kind in (POOL_SUPPLIED, POOL_REDEEMED, BID_FILLED, DEBT_WRITTEN_OFF):
        assert watched.ghost.counts[kind] > 0
    # Risk arrays are set anew, people are margined by them, and are liquidated so.
    assert watched.ghost.counts[RISK_ARRAY_SET] > 4 * len(MARKETS)
    scanned = np.flatnonzero(watched.machine.state.account.scans)
    assert len(scanned) > 100
    assert any(watched.ghost.turns[int(account)] for account in scanned)
    assert any(watched.ghost.traded[account, PAIR] for account, _ in list(watched.ghost.traded))
    for kind in (LIQUIDATION_FEE, FUND_PAID, TAKEN_OVER, DELEVERAGED, MARKET_SETTLED, POSITION_SETTLED):
        assert watched.ghost.counts[kind] > 0


def test_alarms_that_are_too_wide_are_noticed(monkeypatch):
    """A machine that rings too late misses somebody: the sweep, or the look at everybody, tells."""

    def deaf(self):
        self.machine.state.machine.weaken_ppm[0] = 100_000
        return plain(self)

    plain = Watched.look
    monkeypatch.setattr(Watched, "look", deaf)
    with pytest.raises(Failure, match=r"another story|unhealthy"):
        for seed in (2, 3, 5):  # in a calm town nobody falls unseen
            simulate(seed, accounts=60, commands=1_500, rebuilds=False)


def test_a_failure_is_told_as_a_test_to_paste(monkeypatch):
    honest = Ghost.HEARD[FILL]

    def forgetful(self, event):
        honest(self, event)
        if event.fee > 0:
            self.cash[event.account, self.settle[event.market]] += 1

    monkeypatch.setitem(Ghost.HEARD, FILL, forgetful)
    with pytest.raises(Failure, match="cash differ") as caught:
        simulate(5, accounts=12, commands=300)
    small = shrunk(caught.value, seconds=20)
    assert len(small.said) < len(caught.value.said)
    named = {}
    exec(snippet(small, "forgetful"), named)
    with pytest.raises(Failure, match="cash differ"):
        named["test_forgetful"]()
    monkeypatch.setitem(Ghost.HEARD, FILL, honest)
    named["test_forgetful"]()
