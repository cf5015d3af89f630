"""Everything at the smallest size, and where the figures go."""

import json

from steelyard.bench.scenarios import Scenario, Sizes, collect, keep, scenarios

TINY = Sizes(ops=2_000, matching=((50, 1), (50, 2)), repeat=1, sweep=(300, 1_200, 5), ticks=20, steps=5)
PAGE = "A page.\n<!-- bench:begin -->\n<!-- bench:end -->\n"


def test_all_scenarios_fill_file_and_page(tmp_path):
    (tmp_path / "README.md").write_text(PAGE)
    said = []
    done = [
        (each, {"cold_s": 40.0, "warm_s": 0.5} if each.name == "compile" else each.measure(said.append))
        for each in scenarios(TINY)
    ]
    found = collect(done)
    assert [run["markets"] for run in found["matching"]] == [1, 2]
    assert found["sweep"]["missed"] == 0 and said
    assert keep(found, tmp_path) == [tmp_path / "bench" / "results.json", tmp_path / "README.md"]
    assert json.loads((tmp_path / "bench" / "results.json").read_text()) == found
    assert "50 accounts" in (tmp_path / "README.md").read_text()


def test_without_a_page_only_the_file_is_written(tmp_path):
    found = collect([(Scenario("compile", "", dict), {"cold_s": 40.0, "warm_s": 0.5})])
    assert keep(found, tmp_path) == [tmp_path / "bench" / "results.json"]


def test_sizes_shrink():
    small = Sizes().times(0.01)
    assert small.sweep == (10_000, 50_000, 50) and small.matching[1] == (10_000, 1)
    assert Sizes().times(1) == Sizes()
