"""`steelyard bench`: what it prints, and how it fails."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from steelyard.bench.flow import generate, save
from steelyard.cli.app import app


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    path = tmp_path_factory.mktemp("flows") / "flow.npz"
    save(generate(2_000, 3), path)
    return path


def bench(*words):
    return CliRunner().invoke(app, ["bench", *map(str, words)])


def test_matching_prints_json_and_nothing_else(flow):
    answer = bench("matching", "--flow", flow, "--accounts", 40, "--repeat", 1, "--peer", "--json")
    assert answer.exit_code == 0, answer.output
    figures = json.loads(answer.stdout)
    expected = generate(2_000, 3).outcome
    assert (figures["n_trades"], figures["resting_qty"]) == (expected.n_trades, expected.resting_qty)
    assert {"ops_per_s", "ratio", "judged", "rearmed", "best_bid", "best_ask"} <= figures.keys()


def test_matching_fails_on_another_outcome(flow, tmp_path):
    wrong = generate(2_000, 3)
    save(replace(wrong, outcome=replace(wrong.outcome, n_trades=1)), tmp_path / "wrong.npz")
    answer = bench("matching", "--flow", tmp_path / "wrong.npz", "--accounts", 40, "--repeat", 1, "--json")
    assert answer.exit_code == 1
    assert "The answer is wrong" in answer.stderr and answer.stdout == ""


def test_markets_without_a_file_get_a_generated_flow(flow):
    answer = bench(
        *("matching", "--flow", flow, "--markets", 3, "--ops", 3_000, "--accounts", 40, "--repeat", 1, "--json")
    )
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["ops"] == 2_000 + 2 * 1_000


def test_more_files_than_markets_are_refused(flow):
    answer = bench("matching", "--flow", flow, "--flow", flow)
    assert answer.exit_code == 2 and "2 files for 1 markets" in answer.output


def test_a_table_for_people(flow):
    answer = bench("matching", "--flow", flow, "--accounts", 40, "--repeat", 1)
    assert answer.exit_code == 0 and "n trades" in answer.stdout


SMALL = ("--accounts", 600, "--exposures", 2_400, "--markets", 6, "--ticks", 50, "--steps", 40, "--repeat", 1)


def test_sweep_prints_json():
    answer = bench("sweep", *SMALL, "--json")
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["missed"] == 0


def test_sizes_that_cannot_be_are_a_usage_error():
    answer = bench("sweep", "--accounts", 10, "--exposures", 9, "--markets", 3)
    assert answer.exit_code == 2 and "exposures" in answer.output


def test_sweep_fails_when_accounts_were_missed():
    answer = bench("sweep", *SMALL, "--weaken", 5_000, "--json")
    assert answer.exit_code == 1 and "no alarm had told" in answer.stderr
    assert json.loads(answer.stdout)["missed"] > 0
