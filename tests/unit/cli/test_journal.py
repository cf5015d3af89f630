"""`steelyard verify`, `replay` and `fork`."""

import sqlite3

import pytest
from typer.testing import CliRunner

from steelyard import Limits, Venue
from steelyard.cli.app import app
from steelyard.journal.sqlite import FILE, SqliteJournal

LIMITS = Limits(accounts=64, owners=64, legs=256, orders=256, markets=4, assets=8, feeds=8, references=256)


@pytest.fixture
def folder(tmp_path):
    with Venue.open(tmp_path / "one", limits=LIMITS) as venue:
        venue.open_account(name="bob")
        venue.deposit("bob", 5)
        venue.save()
        venue.deposit("insurance", "2.5")
    return tmp_path / "one"


def run(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_a_whole_journal_is_verified(folder):
    result = run("verify", folder)
    assert result.exit_code == 0
    with Venue.open(folder) as venue:
        assert f"{venue.reader.seq} commands, 2 snapshots: all as they were written." in result.output
        assert f"state {venue.hash()}" in result.output


def test_damage_is_named_and_ends_with_1(folder):
    file = sqlite3.connect(folder / FILE)
    with file:
        file.execute("UPDATE entry SET rows = zeroblob(length(rows)) WHERE number = 4")
    file.close()
    result = run("verify", folder)
    assert result.exit_code == 1
    assert "Damaged: entry 4: its chain does not follow" in result.output


def test_the_state_after_an_entry(folder):
    whole, early = run("replay", folder), run("replay", folder, "--until", 2)
    assert "insurance 2.500000 USD" in whole.output
    assert "after entry 2: " in early.output
    assert "insurance nothing" in early.output
    assert run("replay", folder, "--until", 99).exit_code == 2


def test_a_fork_goes_on_differently(folder, tmp_path):
    result = run("fork", folder, tmp_path / "two", "--until", 4)
    assert result.exit_code == 0, result.output
    with Venue.open(tmp_path / "two") as venue:
        assert venue.hash() == Venue.open(folder, until=4).hash()
        venue.deposit("insurance", 1)
    assert run("verify", tmp_path / "two").exit_code == 0
    assert run("fork", folder, tmp_path / "two").exit_code == 1


def test_what_was_never_begun_has_nothing_to_fork(tmp_path):
    SqliteJournal(tmp_path / "one").close()
    assert "nothing was written" in run("fork", tmp_path / "one", tmp_path / "two").output
    assert not (tmp_path / "two").exists()


def test_a_folder_without_a_journal_is_told(tmp_path):
    result = run("verify", tmp_path)
    assert result.exit_code == 1
    assert f"there is no journal in {tmp_path}" in result.output
