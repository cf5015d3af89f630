"""Fair values and the sources that report them."""

import pytest

from steelyard.lab.world import Climate, Sources, World


def walk(seed, steps=200, **climate):
    world = World(seed, {"X": 100.0, "Y": 10.0}, {"X": Climate(**climate), "Y": Climate()})
    prices = []
    for _ in range(steps):
        world.step(1.0)
        prices.append(world.prices["X"])
    return prices


def test_a_seed_names_one_walk():
    assert walk(1) == walk(1)
    assert walk(1) != walk(2)


def test_without_volatility_and_jumps_nothing_moves():
    assert set(walk(1, volatility=0.0, jumps_per_hour=0.0)) == {100.0}


def test_a_push_moves_what_it_names():
    world = World(1, {"X": 100.0, "Y": 10.0}, {"X": Climate(), "Y": Climate()})
    world.push(-0.5, "X")
    assert world.prices == {"X": 50.0, "Y": 10.0}
    world.push(1.0)
    assert world.prices == {"X": 100.0, "Y": 20.0}


def test_sources_are_late_noisy_and_sometimes_silent():
    sources = Sources(1, 3)
    seen = {0: [], 1: [], 2: []}
    for second in range(400):
        for report in sources.observe({"X": 100.0 + second}):
            seen[report.source].append((second, report.price))
    assert len(seen[0]) > len(seen[2]) > 300
    for source, delay in ((0, 0), (1, 0), (2, 1)):
        for second, price in seen[source]:
            assert price == pytest.approx(100.0 + max(0, second - delay), rel=0.001)
