"""The examples run; each checks itself."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_to_its_end(path, capsys):
    names = runpy.run_path(str(path))
    names["venue"].check()
    assert capsys.readouterr().out.count("\n") > 10


def test_there_are_examples():
    assert EXAMPLES
