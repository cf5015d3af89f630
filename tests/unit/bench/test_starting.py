"""A start measured from outside."""

import json

import pytest

from steelyard.bench import starting


def test_the_program_runs_a_command_and_says_whether_it_compiled(capsys):
    starting.main()
    assert json.loads(capsys.readouterr().out)["compiled"] in (False, True)


@pytest.mark.slow
def test_a_start_is_timed_in_a_process_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")  # nothing to compile then
    seconds, compiled = starting.started(str(tmp_path))
    assert seconds > 0 and not compiled
