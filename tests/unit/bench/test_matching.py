"""Flows through the complete machine: outcomes, and that wrong ones are told."""

from dataclasses import replace

import numpy as np
import pytest

from steelyard.bench import commands as make
from steelyard.bench import matching as bench
from steelyard.bench.flow import generate
from steelyard.venue.machine import Machine

FLOWS = [generate(4_000, seed) for seed in range(3)]


@pytest.mark.parametrize(("markets", "accounts"), [(1, 300), (3, 50), (2, 1)])
def test_the_machine_gives_the_outcome_of_the_flows(markets, accounts):
    flows = FLOWS[:markets]
    figures = bench.matching(flows, accounts, repeat=1, peer=True, batch=777)
    assert (figures["ops"], figures["accounts"], figures["markets"]) == (4_000 * markets, accounts, markets)
    for name in ("n_trades", "traded_qty", "traded_notional", "resting_orders", "resting_qty"):
        assert figures[name] == sum(getattr(flow.outcome, name) for flow in flows)
    assert (figures["best_bid"], figures["best_ask"]) == (flows[0].outcome.best_bid, flows[0].outcome.best_ask)
    assert figures["ratio"] == figures["ops_per_s"] / figures["peer_ops_per_s"] > 0


def test_accounts_are_judged_while_it_runs():
    figures = bench.matching(FLOWS[:1], 2_000, repeat=1)
    assert figures["judged"] > 0 and figures["rearmed"] > 0
    assert "ratio" not in figures


@pytest.mark.parametrize("name", ["n_trades", "traded_notional", "resting_qty", "best_ask"])
def test_another_outcome_is_a_mismatch(name):
    flow = FLOWS[0]
    wrong = replace(flow, outcome=replace(flow.outcome, **{name: getattr(flow.outcome, name) + 1}))
    with pytest.raises(bench.Mismatch, match="market 2"):
        bench.matching([FLOWS[1], wrong], 100, repeat=1)


def test_a_refused_order_is_a_mismatch():
    stream = bench.interleave(FLOWS[:1], 20, 1)
    lessons = bench.learn(machine(stream, np.full(20, 10**12)), stream, 20)
    batches = make.cut(bench.orders(stream, lessons.ids))
    with pytest.raises(bench.Mismatch, match="OPENING_MARGIN_EXCEEDED"):
        bench.run(machine(stream, np.full(20, 10**6)), batches, stream)


def test_deposits_that_were_learnt_are_enough_and_not_idle():
    stream = bench.interleave(FLOWS[:2], 60, 1)
    lesson = bench.learn(machine(stream, np.full(60, 10**12)), stream, 60)
    batches = make.cut(bench.orders(stream, lesson.ids))
    bench.run(machine(stream, lesson.needs + 1_000), batches, stream)
    with pytest.raises(bench.Mismatch, match="OPENING_MARGIN_EXCEEDED"):
        bench.run(machine(stream, lesson.needs // 3), batches, stream)


def test_streams_mix_markets_and_keep_each_in_order():
    stream = bench.interleave(FLOWS, 10, 1)
    for market, flow in enumerate(FLOWS, 1):
        here = stream.market == market
        assert np.array_equal(stream.qty[here], flow.qty) and np.array_equal(stream.op[here], flow.op)
    assert (np.diff(stream.market) != 0).mean() > 0.5
    again = bench.interleave(FLOWS, 10, 1)
    assert np.array_equal(stream.account, again.account)
    assert (stream.account == stream.account[stream.target]).all(), "cancels come from the order's own account"


def machine(stream, deposits):
    made = Machine(bench.limits_for(stream, len(deposits)))
    make.set_up(made, bench.venue(stream, deposits))
    return made
