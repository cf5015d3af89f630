"""The README's example really runs, and prints what the README says it prints."""

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).resolve().parents[3] / "README.md"


def block(name: str) -> str:
    text = README.read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name}:begin -->\n```\w*\n(.*?)```\n<!-- {name}:end -->", text, re.DOTALL)
    assert found, f"the README has a block named {name}"
    return found[1]


def test_the_example_runs_and_prints_what_is_shown():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(block("example"), str(README), "exec"), {})
    shown = block("output").strip().splitlines()
    assert len(shown) > 3
    assert printed.getvalue().splitlines()[-len(shown) :] == shown


def test_there_is_a_place_for_the_benchmark():
    text = README.read_text(encoding="utf-8")
    assert text.count("<!-- bench:begin -->") == text.count("<!-- bench:end -->") == 1
