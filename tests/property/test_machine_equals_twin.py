"""The machine equals its slow twin: every event and every fact, after every command.

Two ways to look: a fast generator decided by a seed, and Hypothesis, which shrinks what it finds. To hunt for longer:
`python -m tests.property.compare --seed 1 --seeds 100 --commands 2000 --shrink`.
"""

import os

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.property.compare import Both, first_difference, plain_events, replay, shrunk, snippet
from tests.property.flows import MAKERS, Flow, random_commands
from tests.property.towns import small_limits
from tests.reference.twin import Twin

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SEEDS = range(400) if NIGHTLY else range(12)
COMMANDS = 2_000 if NIGHTLY else 300


def told(seed, difference):
    small = shrunk(difference, seconds=60)
    return f"seed {seed}: {difference}\n\nwith {len(small.batches)} commands: {small}\n\n{snippet(small)}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_flow_is_the_same_for_both(seed):
    difference = first_difference(seed, COMMANDS)
    assert difference is None, told(seed, difference)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_alarms_and_a_full_sweep_tell_the_same(seed):
    difference = first_difference(1_000 + seed, COMMANDS, sweep=True)
    assert difference is None, told(seed, difference)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_indices_may_be_made_anew_at_any_time(seed):
    difference = first_difference(2_000 + seed, COMMANDS, shake=True)
    assert difference is None, told(seed, difference)


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_commands_may_be_cut_into_any_batches(seed):
    twin, flow = Twin(small_limits(seed)), list(random_commands(seed, COMMANDS))
    expected = twin.submit(np.concatenate(flow))
    both = Both(small_limits(seed))
    rows, found, size = np.concatenate(flow), [], 1
    while len(rows):
        size = size * 5 % 97  # 1, 5, 25, 28, 43 ...
        found += plain_events(both.machine.submit(rows[:size]))
        rows = rows[size:]
    assert found == expected


def test_a_difference_is_found_and_shrunk():
    """The comparison itself: two that were told different things do differ."""
    limits, flow = small_limits(3), list(random_commands(3, 5))
    assert replay(limits, flow) is None
    both = Both(limits)
    both.machine.submit(flow[0])
    assert both.submit(flow[0])


class MachineEqualsTwin(RuleBasedStateMachine):
    """Commands are drawn by Hypothesis through the same aimed generator, so that it can shrink them."""

    @initialize(town=st.integers(0, 200))
    def venue(self, town):
        self.both = Both(small_limits(town))
        self.flow = Flow(town, self.both.twin)
        for batch in self.flow.venue():
            self.say(batch)

    def say(self, batch):
        difference = self.both.submit(batch)
        assert difference is None, f"{difference}\n\n{snippet(difference)}"

    @rule(random=st.randoms(use_true_random=False), maker=st.sampled_from(list(MAKERS)))
    def one(self, random, maker):
        self.flow.random = random
        self.flow.pass_time()
        self.flow.now = max(self.flow.now, self.both.twin.now)
        self.say(maker(self.flow))

    @rule(random=st.randoms(use_true_random=False))
    def quotes_and_orders(self, random):
        """Makers on both sides, then takers: positions that later prices can hurt."""
        self.flow.random = random
        for maker in (Flow.random_quote, Flow.random_quote, Flow.random_quote, Flow.random_order, Flow.random_order):
            self.say(maker(self.flow))

    @rule(random=st.randoms(use_true_random=False), ppm=st.integers(-400_000, 400_000), feed=st.integers(1, 4))
    def jump(self, random, ppm, feed):
        self.flow.random = random
        self.say(self.flow.price({feed: ppm}))

    @rule(random=st.randoms(use_true_random=False))
    def bad_row(self, random):
        self.flow.random = random
        self.say(self.flow.bad_row())


MachineEqualsTwin.TestCase.settings = settings(max_examples=300 if NIGHTLY else 25, stateful_step_count=50)
TestMachineEqualsTwin = MachineEqualsTwin.TestCase
