"""The package's public face: short, complete, and cheap to import."""

import subprocess
import sys

import pytest

import steelyard


def test_every_public_name_is_there():
    for name in steelyard.__all__:
        assert getattr(steelyard, name) is not None
        assert name in dir(steelyard)
    assert {"Venue", "Limits", "Rejected", "Reject", "Position", "Order", "AccountView"} <= set(steelyard.__all__)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="'steelyard' has no attribute 'Vanue'"):
        _ = steelyard.Vanue


def test_importing_the_package_does_not_import_the_compiler():
    code = "import sys, steelyard; print([name for name in ('numba', 'numpy', 'msgspec') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
