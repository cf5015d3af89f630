"""Generated flows, their files, and what a replay sees."""

import tempfile

import numpy as np

from steelyard.bench.book import ADD, CANCEL, MARKET
from steelyard.bench.flow import generate, kept, load, replay, save

SIZE = 5_000


def same(one, other):
    columns = ("op", "side", "price", "qty", "oid")
    return one.outcome == other.outcome and all(np.array_equal(getattr(one, c), getattr(other, c)) for c in columns)


def test_a_seed_decides_the_flow():
    assert same(generate(SIZE, 3), generate(SIZE, 3))
    assert not same(generate(SIZE, 3), generate(SIZE, 4))


def test_the_mix_is_as_told():
    flow = generate(SIZE)
    shares = np.bincount(flow.op, minlength=3) / SIZE
    assert abs(shares - (0.60, 0.35, 0.05)).max() < 0.05
    assert (flow.price[flow.op == ADD] > 0).all() and not flow.price[flow.op != ADD].any()
    assert (flow.qty >= 1).all()


def test_cancels_name_an_order_that_rests():
    flow = generate(SIZE)
    limits = set((np.flatnonzero(flow.op == ADD) + 1).tolist())
    cancelled = flow.oid[flow.op == CANCEL].tolist()
    assert set(cancelled) <= limits and len(set(cancelled)) == len(cancelled)
    replay(flow)  # a cancel of anything else would raise KeyError
    own = flow.op != CANCEL
    assert np.array_equal(flow.oid[own], np.flatnonzero(own) + 1)


def test_a_replay_gives_the_outcome_and_the_middles():
    flow = generate(SIZE)
    seen = replay(flow, [0, 10, 2_500, SIZE])
    assert seen.outcome == flow.outcome
    first = int(flow.price[np.flatnonzero(flow.op == ADD)[0]])
    assert seen.middles[0] == first and len(seen.middles) == 4
    assert seen.middles[-1] == (flow.outcome.best_bid + flow.outcome.best_ask) // 2
    assert seen.most_resting >= flow.outcome.resting_orders


def test_files_keep_a_flow(tmp_path, monkeypatch):
    flow = generate(SIZE, 9)
    save(flow, tmp_path / "flow.npz")
    assert same(load(tmp_path / "flow.npz"), flow)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert same(kept(SIZE, 9), flow)
    monkeypatch.setattr("steelyard.bench.flow.generate", lambda size, seed: None)
    assert same(kept(SIZE, 9), flow), "the second time it comes from a file"


def test_market_orders_eat_less_than_rests():
    flow = generate(SIZE)
    assert (flow.op == MARKET).any() and flow.outcome.resting_orders > 0
