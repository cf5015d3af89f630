"""`python -m tests.golden`: compare every journal with what the machine does now; `--rewrite` keeps what it does."""

import argparse
import sys

import numpy as np

from tests.golden import journal, stories
from tests.simulation.run import simulate

RECORDED = "day"


def told_now(name):
    """The journal as its story tells it now, or as it was recorded."""
    if name in stories.STORIES:
        return journal.Journal(name, stories.rows_of_story(name))
    if name in journal.names():
        kept = journal.read(name)
        return journal.Journal(name, kept.rows, kept.limits)
    watched = simulate(7, accounts=14, commands=180, rebuilds=False)
    return journal.Journal(name, np.concatenate(watched.said), watched.limits)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rewrite", action="store_true", help="write the files anew")
    options = parser.parse_args()
    changed = 0
    for name in sorted({*journal.names(), *stories.STORIES, RECORDED}):
        now = told_now(name)
        now.told = journal.run(now)
        kept = journal.read(name) if name in journal.names() else None
        same = kept is not None and kept.told == now.told and np.array_equal(kept.rows, now.rows)
        changed += not same
        events = sum(now.told.counts.values())
        print(f"{name}: {len(now.rows)} rows, {events} events, {'as it was' if same else 'CHANGED'}")
        if options.rewrite and not same:
            now.write()
    return 0 if options.rewrite else min(changed, 1)


if __name__ == "__main__":
    sys.exit(main())
