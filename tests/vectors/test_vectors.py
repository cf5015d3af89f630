"""Worked examples, ours and others', through the machine; and proof that a wrong number is noticed."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from tests.vectors.comparing import Between, agrees, rounded
from tests.vectors.run import ADAPTERS, counted, load, outcome

ROOT = Path(__file__).resolve().parents[2]
OWN = Path(__file__).with_name("own.json")
SHARED = ROOT.parent / "shared" / "vectors"
OURS = load(OWN)


@pytest.mark.parametrize("vector", OURS, ids=lambda vector: vector["id"])
def test_our_own_examples(vector):
    found = outcome(vector)
    assert found.verdict == "passed", found.why


@pytest.mark.parametrize("vector", OURS, ids=lambda vector: vector["id"])
def test_a_wrong_expectation_fails(vector):
    for name, right in vector["expected"].items():
        found = outcome(vector | {"expected": {name: spoilt(right)}})
        assert found.verdict == "failed" and name in found.why


def spoilt(value):
    if isinstance(value, list):
        return [*value[:-1], spoilt(value[-1])]
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "?"
    return value + max(abs(Fraction(value)) / 10**6, Fraction(1, 10**6))


def test_every_topic_of_ours_has_an_adapter():
    assert {vector["topic"] for vector in OURS} < set(ADAPTERS)


@pytest.mark.parametrize(("name", "passed"), [("margin_examples.json", 37), ("defi_examples.json", 25)])
def test_published_examples(name, passed):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"NOT RUN: the published examples are not at {path}")
    counts = counted([outcome(vector) for vector in load(path)])
    assert counts["failures"] == []
    assert counts["total"]["passed"] >= passed, counts


@pytest.mark.parametrize(
    ("answer", "rounding", "expected"),
    [
        ("1.2399", "trunc_2", "1.23"),
        ("-1.2399", "trunc_2", "-1.23"),
        ("1.235", "half_up_2", "1.24"),
        ("-1.235", "half_up_2", "-1.24"),
        ("1.2301", "ceil_2", "1.24"),
        ("5.0000001", "ceil to 0.000001 USDC (toward +infinity)", "5.000001"),
        ("-2.5", "floor to 1 ppm", "-3"),
        ("-2.5", "trunc toward zero to whole USD", "-2"),
        ("1.2345", "exact", "1.2345"),
    ],
)
def test_rounding_as_stated(answer, rounding, expected):
    assert rounded(Fraction(answer), rounding) == Fraction(expected)


@pytest.mark.parametrize(
    ("expected", "answer", "rounding", "same"),
    [
        (Fraction("1.5"), Between(Fraction(1), Fraction(2)), "float64", True),
        (Fraction("2.5"), Between(Fraction(1), Fraction(2)), "float64", False),
        (Fraction("9.1"), Fraction("9.1000004"), "published_r6 or r7", True),
        (Fraction("9.1"), Fraction("9.100001"), "published_r6 or r7", False),
        ([1, 2], [1, 2], "exact", True),
        ([1, 2], [1, 2, 3], "exact", False),
        (None, None, "exact", True),
        (None, 0, "exact", False),
        (True, 1, "exact", True),
        ("stale", "valid", "exact", False),
    ],
)
def test_agreeing(expected, answer, rounding, same):
    assert agrees(expected, answer, rounding) is same


def test_the_command_counts(tmp_path):
    few = {"schema": "margin-vectors/1", "count": 3, "vectors": [*json.loads(OWN.read_text())["vectors"][:2]]}
    few["vectors"].append(few["vectors"][0] | {"id": "wrong", "expected": {"bankruptcy_quote_delta_usdc": 1}})
    path = tmp_path / "few.json"
    path.write_text(json.dumps(few))
    command = [sys.executable, "-m", "tests.vectors", str(path), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    counts = {"passed": 2, "failed": 1, "unsupported": 0}
    assert json.loads(done.stdout) == {"total": counts, "topics": {"bankruptcy": counts}, "failures": ["wrong"]}
    assert done.returncode == 1
