"""A venue that is written down: what was answered is there after any end."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
from decimal import Decimal

import numpy as np
import pytest

from steelyard import Limits, Rejected, Venue
from steelyard.journal.entries import Damaged, JournalError, JournalFailed, WrongVersion, digest
from steelyard.journal.sqlite import FILE, SqliteJournal
from steelyard.venue import durable
from steelyard.venue.machine import Machine

LIMITS = Limits(
    accounts=64, owners=64, legs=256, orders=256, ladder_ticks=1 << 22, markets=4, assets=8, feeds=8, references=4096
)


def live(venue):
    """A little of everything that names something or moves something."""
    venue.add_market("BTC-PERP", tick="0.1", lot="0.001", price=50_000, leverage=50)
    venue.add_asset("BTC", decimals=8, price=50_000, collateral=[(None, "0.8", "0.9")])
    venue.add_pool("BTC")
    for name, money in ("alice", 1_000), ("bob", 1_000_000):
        venue.open_account(name=name)
        venue.deposit(name, money)
    venue.open_account()
    venue.deposit("bob", 3, asset="BTC")
    venue.supply("bob", 1, asset="BTC")
    with pytest.raises(Rejected):
        venue.withdraw("alice", 2_000)
    with pytest.raises(Rejected):
        venue.add_market("BAD", tick="0.1", lot="0.001", price=50_000, leverage=5000)
    venue.order("bob", "BTC-PERP", "sell", "0.8", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.8")
    venue.set_price("BTC-PERP", 48_950)


def without_snapshots(folder):
    file = sqlite3.connect(folder / FILE)
    with file:
        file.execute("DELETE FROM snapshot")
    file.close()


def identity(venue):
    return venue.hash(), venue.names.to_bytes(), venue.account("alice"), venue.orders("bob")


@pytest.fixture
def lived(tmp_path):
    with Venue.open(tmp_path, limits=LIMITS) as venue:
        live(venue)
        return tmp_path, identity(venue)


def test_it_does_what_one_without_a_journal_does(lived):
    venue = Venue(LIMITS)
    live(venue)
    assert identity(venue) == lived[1]


def test_it_begins_where_it_ended_from_a_snapshot(lived):
    folder, before = lived
    with Venue.open(folder) as venue:
        assert identity(venue) == before
        assert venue.recovery.entries == 0
        assert venue.recovery.snapshot > 0


def test_it_begins_where_it_ended_from_the_first_entry(lived):
    folder, before = lived
    without_snapshots(folder)
    with Venue.open(folder) as venue:
        assert identity(venue) == before
        assert venue.recovery == durable.Recovery(0, SqliteJournal(folder, write=False).last, venue.reader.seq)
        assert "goes into liquidation" in str(venue.story("alice"))
        assert venue.verify("alice").liquidations == 1
        venue.add_market("ETH-PERP", tick="0.01", lot="0.01", price=3_000)
        venue.deposit("alice", 5)  # a reference of its own, though those made up before are counted anew


def test_the_end_without_a_close_loses_nothing(tmp_path):
    venue = Venue.open(tmp_path, limits=LIMITS)
    live(venue)
    before = identity(venue)
    venue._journal.close()  # what the end of the process does
    with Venue.open(tmp_path) as again:
        assert identity(again) == before
        assert again.recovery.snapshot == 0


def test_the_state_after_an_entry_is_a_copy_that_writes_nothing(lived):
    folder, before = lived
    last = SqliteJournal(folder, write=False).last
    past = Venue.open(folder, until=last - 1)
    assert past.hash() != before[0]
    past.set_price("BTC-PERP", 48_950)
    assert past.hash() == before[0]
    assert SqliteJournal(folder, write=False).last == last
    with pytest.raises(ValueError, match=f"0 to {last}"):
        Venue.open(folder, until=last + 1)


def test_names_of_what_did_not_come_to_be_are_dropped(tmp_path, monkeypatch):
    venue = Venue.open(tmp_path, limits=LIMITS)
    submit = Machine.submit

    def killed(machine, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(Machine, "submit", killed)
    with pytest.raises(KeyboardInterrupt):
        venue.add_asset("BTC", decimals=8)
    monkeypatch.setattr(Machine, "submit", submit)
    venue.close()
    with Venue.open(tmp_path) as again:
        assert list(again.names.assets) == ["USD"]
        again.add_asset("BTC", decimals=8)


def test_a_dropped_name_stays_dropped_whatever_takes_its_row(tmp_path):
    """Refused, killed, begun again: the next asset takes the row, and every later start must know only that one."""
    venue = Venue.open(tmp_path, limits=LIMITS)
    with pytest.raises(Rejected):
        venue.add_asset("BAD", decimals=8, collateral=[(None, "0.9", "0.8")])  # opening above maintenance
    venue._journal.close()
    venue = Venue.open(tmp_path)
    assert list(venue.names.assets) == ["USD"]
    venue.add_asset("GOOD", decimals=6)
    venue._journal.close()
    for until in (None, SqliteJournal(tmp_path, write=False).last):
        again = Venue.open(tmp_path, until=until)
        assert [(each.name, each.row) for each in again.names.assets.values()] == [("USD", 1), ("GOOD", 2)]
        again.close()


def test_a_beginning_that_fails_leaves_the_folder_to_others(tmp_path):
    with pytest.raises((ValueError, Rejected)):
        Venue.open(tmp_path, limits=LIMITS, at="tomorrow")
    with Venue.open(tmp_path, limits=LIMITS) as venue:
        assert venue.unit == "USD"


def test_what_is_written_is_what_runs(lived):
    """Rows in another layout are made ours first; nothing at all is no entry."""
    folder, _ = lived
    with Venue.open(folder) as venue:
        ours = venue.rows.deposit("bob", 1, "USD", "wide")
        wide = ours.astype([(name, "i8") for name in ours.dtype.names])
        (result,) = venue.submit(wide)
        assert result.is_done
        last = venue._journal.last
        assert venue.submit(ours[:0]) == []
        assert venue._journal.last == last
        after = identity(venue)
    without_snapshots(folder)
    with Venue.open(folder) as again:
        assert identity(again) == after


def test_only_the_last_snapshots_are_kept(lived):
    folder, _ = lived
    for _ in range(5):
        with Venue.open(folder) as venue:
            venue.deposit("bob", 1)
    assert len(list(SqliteJournal(folder, write=False).all_saved())) == 3


def test_a_damaged_header_is_told(lived):
    folder, _ = lived
    file = sqlite3.connect(folder / FILE)
    with file:
        file.execute("UPDATE header SET data = ?", (b"{",))
    file.close()
    with pytest.raises(Damaged, match="header"):
        Venue.open(folder)


def test_after_an_interruption_nothing_more_is_taken(lived, monkeypatch):
    folder, before = lived
    venue = Venue.open(folder)
    submit = Machine.submit

    def half(machine, rows):
        submit(machine, rows)
        raise KeyboardInterrupt

    monkeypatch.setattr(Machine, "submit", half)
    with pytest.raises(KeyboardInterrupt):
        venue.deposit("bob", 7)
    monkeypatch.setattr(Machine, "submit", submit)
    with pytest.raises(JournalFailed, match="did not end"):
        venue.deposit("bob", 7)
    venue.close()
    with Venue.open(folder) as again:  # it was durable, so it has run
        assert again.recovery.entries == 1
        assert again.hash() != before[0]
        again.check()


def test_a_command_that_stops_the_machine_is_named(lived, monkeypatch):
    folder, before = lived
    with Venue.open(folder) as venue:
        venue.deposit("bob", 1)
        stopper = venue._journal.last + 1
        venue.deposit("bob", 666)
        venue.deposit("bob", 2)
    without_snapshots(folder)
    submit = Machine.submit

    def stops(machine, rows):
        assert not np.any(rows["lots"] == 666_000_000), "the machine met an impossible state"
        return submit(machine, rows)

    monkeypatch.setattr(Machine, "submit", stops)
    with pytest.raises(durable.Unrunnable, match=f"entry {stopper}: .* until={stopper - 1}"):
        Venue.open(folder)
    past = Venue.open(folder, until=stopper - 1)
    assert past.account("alice") == before[2]


def test_what_a_journal_was_begun_with_stays(lived, tmp_path, monkeypatch):
    folder, _ = lived
    with pytest.raises(ValueError, match="other limits"):
        Venue.open(folder, limits=Limits())
    monkeypatch.setattr(durable, "VERSION", durable.VERSION + 1)
    with pytest.raises(WrongVersion, match=f"version {durable.VERSION}"):
        Venue.open(folder)
    with pytest.raises(JournalError, match="no journal"):
        Venue.open(tmp_path / "nowhere", until=0)


def test_a_folder_in_use_is_left_alone(lived):
    folder, _ = lived
    with Venue.open(folder), pytest.raises(JournalError, match="another process"):
        Venue.open(folder)
    Venue.open(folder).close()


def test_a_snapshot_of_another_state_is_found(lived):
    folder, _ = lived
    with Venue.open(folder) as venue:
        venue.deposit("bob", 1)
    file = sqlite3.connect(folder / FILE)
    snapshots = file.execute("SELECT number, data FROM snapshot ORDER BY number").fetchall()
    chain = file.execute("SELECT chain FROM entry WHERE number = ?", (snapshots[1][0],)).fetchone()[0]
    with file:  # whoever can write the file can seal it, but not make the commands lead there
        seal = digest(chain, snapshots[0][1])
        file.execute(
            "UPDATE snapshot SET data = ?, digest = ? WHERE number = ?", (snapshots[0][1], seal, snapshots[1][0])
        )
    file.close()
    journal = SqliteJournal(folder, write=False)
    with pytest.raises(Damaged, match=f"entry {snapshots[1][0]}: the state"):
        durable.check_snapshots(Venue.empty(LIMITS), journal, lambda saved: Venue.restore(saved.data).hash())


WRITER = """
    import resource, signal, sys
    from steelyard import Venue
    venue = Venue.open(sys.argv[1])
    limit = int(sys.argv[2])
    if limit:  # a disk that is full, as far as this process can tell
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    print("ready", flush=True)
    for line in sys.stdin:
        n = int(line)
        try:
            venue.deposit("bob", 1, reference=f"r{n}", check=False)
        except Exception as error:
            print(type(error).__name__, flush=True)
            continue
        print(n, flush=True)
"""


def writer(folder, limit=0):
    """A process of its own that deposits what it is told to, and says so."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(folder), str(limit)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_any_moment_it_has_what_it_answered(tmp_path):
    """Asked for many deposits at once, and killed somewhere among them; the next one is asked for all again."""
    chance, most = random.Random(7), 300
    with Venue.open(tmp_path, limits=LIMITS) as venue:
        venue.open_account(name="bob")
    done = set()
    for _ in range(3):
        with writer(tmp_path) as process:
            process.stdin.write("".join(f"{n}\n" for n in range(most)))
            process.stdin.flush()
            answered = [process.stdout.readline() for _ in range(chance.randrange(1, 60))]
            process.send_signal(signal.SIGKILL)
            answered += process.stdout.readlines()
        done |= {int(line) for line in answered if line.endswith("\n")}
        venue = Venue.open(tmp_path)
        assert len(done) <= venue.account("bob").equity <= len(done) + 1  # one may have been durable, and not answered
        venue.check()
        venue._journal.close()
    with Venue.open(tmp_path) as venue:
        for n in range(most):
            venue.deposit("bob", 1, reference=f"r{n}", check=False)
        assert venue.account("bob").equity == Decimal(most)  # each acted once


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="file sizes cannot be limited here")
def test_a_full_disk_loses_nothing_that_was_answered(tmp_path):
    with Venue.open(tmp_path, limits=LIMITS) as venue:
        venue.open_account(name="bob")
    with writer(tmp_path, os.path.getsize(tmp_path / FILE) + 40_000) as process:
        told, _ = process.communicate("".join(f"{n}\n" for n in range(2_000)))
    lines = told.split()
    done = [line for line in lines if re.fullmatch(r"\d+", line)]
    assert 0 < len(done) < 2_000
    assert set(lines[len(done) :]) == {"JournalFailed"}  # and from the first failure on nothing is taken
    with Venue.open(tmp_path) as venue:
        assert len(done) <= venue.account("bob").equity <= len(done) + 1
        venue.check()
