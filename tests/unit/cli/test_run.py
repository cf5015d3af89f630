"""The command: what it prints without a terminal, and what it says about wrong options."""

import pytest
from typer.testing import CliRunner

from steelyard.cli.app import app


def run(*options, **environment):
    return CliRunner(env={"TERM": "dumb", "COLUMNS": "100", "LINES": "30", **environment}).invoke(
        app, ["run", *options]
    )


def test_without_a_terminal_it_says_what_to_do():
    answer = run()
    assert answer.exit_code == 2
    assert "is not one" in answer.stderr and "--frames" in answer.stderr
    assert answer.stdout == ""


def test_frames_are_text_of_the_size_that_was_asked_for():
    answer = run("--frames", "2", "--seed", "3")
    assert answer.exit_code == 0, answer.output
    rows = answer.stdout.splitlines()
    assert len(rows) == 60
    assert {len(row) for row in rows} == {100}
    assert "\x1b" not in answer.stdout
    assert answer.stdout == run("--frames", "2", "--seed", "3").stdout


def test_small_frames_say_that_they_are_small():
    answer = run("--frames", "1", COLUMNS="60", LINES="10")
    assert "80 x 24" in answer.stdout and len(answer.stdout.splitlines()) == 10


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--speed", "0"], "--speed"),
        (["--shock", "99"], "--shock"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "x"], "integer"),
        (["--frams", "3"], "--frames"),
    ],
)
def test_wrong_options_are_explained(options, said):
    answer = run(*options)
    assert answer.exit_code == 2
    assert said in answer.stderr
