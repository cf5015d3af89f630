"""Reasons of refusal: typed for users, plain integers for compiled code."""

import ast
from pathlib import Path

import pytest
from mypy import api

import steelyard
from steelyard.model import reject
from steelyard.model.reject import Reject

SOURCES = Path(steelyard.__file__).parent


def type_checked(line):
    """What mypy says of a user's line, without our own settings."""
    user = f"from steelyard import Reject\n{line}"
    told, _, _ = api.run(["--config-file=", "--strict", "--no-incremental", "--follow-imports=silent", "-c", user])
    return told


@pytest.mark.slow
def test_a_type_checker_sees_every_reason():
    assert "Success" in type_checked("reason: Reject = Reject.PRICE_STALE")
    assert 'no attribute "PRICE_STAIL"' in type_checked("reason = Reject.PRICE_STAIL")


def test_the_module_hands_out_plain_integers():
    assert type(reject.PRICE_STALE) is int
    assert {name: getattr(reject, name) for name in Reject.__members__} == dict(Reject.__members__)
    with pytest.raises(AttributeError, match="PRICE_STAIL"):
        _ = reject.PRICE_STAIL


def test_every_reason_that_our_source_names_exists():
    named = {
        (node.attr, path.name)
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("no", "reject") and node.attr.isupper()
    }
    assert ("PRICE_STALE", "placing.py") in named
    assert sorted(each for each in named if each[0] not in Reject.__members__) == []
