"""Every journal gives what its file says: again, cut anywhere, from a snapshot, with indices made anew, swept."""

from random import Random

import numpy as np
import pytest

from steelyard.venue.machine import Machine
from tests.golden import journal, stories
from tests.golden.journal import read, run

NAMES = journal.names()


def test_there_are_journals():
    assert set(stories.STORIES) < set(NAMES)


@pytest.fixture(params=NAMES)
def story(request):
    return read(request.param)


def random_cuts(story, count, seed):
    return Random(f"{story.name} {seed}").sample(range(1, len(story.rows)), min(count, len(story.rows) - 1))


def test_a_file_keeps_what_its_story_says(story):
    if story.name in stories.STORIES:
        assert np.array_equal(stories.rows_of_story(story.name), story.rows), "run `make golden`, read the diff"
    assert len(story.path.read_bytes()) < 200_000


def test_events_and_state_are_the_same_forever(story):
    assert run(story) == story.told, "run `make golden`, read the diff"


def test_two_runs_in_one_process_are_the_same(story):
    assert run(story) == run(story)


@pytest.mark.parametrize("seed", range(3))
def test_batches_may_be_cut_anywhere(story, seed):
    assert run(story, random_cuts(story, (1, 7, 60)[seed], seed)) == story.told


def test_every_row_may_be_a_batch(story):
    assert run(story, range(1, len(story.rows))) == story.told


def test_a_snapshot_continues_the_story(story):
    restored = []

    def through_a_snapshot(machine):
        restored.append(Machine.restore(machine.snapshot()))
        assert restored[-1].hash() == machine.hash()
        return restored[-1]

    assert run(story, random_cuts(story, 5, "snapshot"), through_a_snapshot) == story.told
    assert restored


def test_indices_may_be_made_anew_at_any_moment(story):
    def rebuild(machine):
        before = machine.hash()
        machine.rebuild()
        assert machine.hash() == before

    assert run(story, random_cuts(story, 12, "rebuild"), rebuild) == story.told


def test_a_full_sweep_tells_the_same_story(story):
    assert run(story, sweep=True) == story.told


def test_another_number_gives_another_hash(story):
    """What is compared depends on every row that was accepted, so a change cannot pass unseen."""
    changed = journal.Journal(story.name, story.rows.copy(), story.limits)
    deposits = np.flatnonzero(changed.rows["kind"] == journal.Command.DEPOSIT)
    changed.rows["lots"][deposits[0]] += 1
    told = run(changed)
    assert told.state != story.told.state and told.events != story.told.events
