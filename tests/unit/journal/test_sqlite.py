"""A journal gives back what was written, or says where it is not that."""

import sqlite3

import pytest

from steelyard.journal.entries import Damaged, JournalError, JournalFailed, Locked, digest, link
from steelyard.journal.sqlite import FILE, SqliteJournal

HEADER = b"header"
CONTENT = [(b"one" * 40, b""), (b"", b"names"), (b"two" * 40, b"more"), (b"three" * 40, b"")]


@pytest.fixture
def folder(tmp_path):
    journal = SqliteJournal(tmp_path)
    journal.begin(HEADER)
    for place, (rows, notes) in enumerate(CONTENT, 1):
        journal.append(rows, notes)
        if place == 2:
            journal.save(b"a snapshot")
    journal.close()
    return tmp_path


def change(folder, statement, *values):
    file = sqlite3.connect(folder / FILE)
    with file:
        assert file.execute(statement, values).rowcount == 1
    file.close()


def read_all(folder):
    journal = SqliteJournal(folder, write=False)
    try:
        return [(each.rows, each.notes) for each in journal.read()]
    finally:
        journal.close()


def test_what_was_written_is_read_in_order(folder):
    assert read_all(folder) == CONTENT
    journal = SqliteJournal(folder, write=False)
    assert (journal.header, journal.last) == (HEADER, 4)
    assert [each.number for each in journal.read(after=1, until=3)] == [2, 3]
    assert journal.saved().number == 2
    assert journal.saved(until=1) is None
    assert [each.data for each in journal.all_saved()] == [b"a snapshot"]


def test_the_chain_is_the_hash_of_all_that_came_before(folder):
    chain = digest(HEADER)
    for number, (rows, notes) in enumerate(CONTENT, 1):
        chain = link(chain, number, rows, notes)
    journal = SqliteJournal(folder, write=False)
    assert journal.chain == chain


def test_it_goes_on_where_it_ended(folder):
    journal = SqliteJournal(folder)
    assert journal.append(b"five", b"").number == 5
    journal.close()
    assert read_all(folder) == [*CONTENT, (b"five", b"")]


def test_rows_and_notes_cannot_change_places():
    assert link(bytes(32), 1, b"ab", b"c") != link(bytes(32), 1, b"a", b"bc")


@pytest.mark.parametrize(
    ("statement", "values", "entry", "what"),
    [
        ("UPDATE entry SET rows = ? WHERE number = 3", (b"Two" * 40,), 3, "chain"),
        ("UPDATE entry SET notes = ? WHERE number = 2", (b"nameS",), 2, "chain"),
        ("UPDATE entry SET chain = ? WHERE number = 1", (bytes(32),), 1, "chain"),
        ("DELETE FROM entry WHERE number = 2", (), 2, "missing"),
        ("DELETE FROM entry WHERE number = 4", (), 4, "missing"),
        ("UPDATE entry SET number = 9 WHERE number = 4", (), 4, "missing"),
        ("UPDATE head SET chain = ?", (bytes(32),), 4, "written last"),
        ("UPDATE header SET data = ?", (b"other",), 1, "chain"),
    ],
)
def test_damage_is_told_with_its_entry(folder, statement, values, entry, what):
    change(folder, statement, *values)
    with pytest.raises(Damaged, match=what) as raised:
        read_all(folder)
    assert raised.value.entry == entry


def test_a_changed_snapshot_is_found(folder):
    change(folder, "UPDATE snapshot SET data = ?", b"another")
    journal = SqliteJournal(folder, write=False)
    with pytest.raises(Damaged, match="entry 2: the snapshot"):
        journal.saved()


def test_a_snapshot_belongs_to_its_entry(folder):
    change(folder, "UPDATE snapshot SET number = 3")
    journal = SqliteJournal(folder, write=False)
    with pytest.raises(Damaged, match="entry 3: the snapshot"):
        list(journal.all_saved())


@pytest.mark.parametrize("keep", [0, 100, 5_000])
def test_a_file_cut_short_is_damaged(folder, keep):
    path = folder / FILE
    data = path.read_bytes()
    assert len(data) > keep
    path.write_bytes(data[:keep] if keep else b"no database at all" * 100)
    with pytest.raises((Damaged, JournalError)):
        read_all(folder)


def test_one_writes_and_others_look(folder):
    journal = SqliteJournal(folder)
    with pytest.raises(Locked, match="another process"):
        SqliteJournal(folder)
    journal.append(b"five", b"")
    assert read_all(folder)[-1] == (b"five", b"")
    journal.close()
    SqliteJournal(folder).close()


def test_nothing_is_written_through_a_look_or_after_the_end(folder):
    look, journal = SqliteJournal(folder, write=False), SqliteJournal(folder)
    journal.close()
    for each in (look, journal):
        with pytest.raises(JournalFailed, match="not open for writing"):
            each.append(b"five", b"")
    assert read_all(folder) == CONTENT


def test_after_a_failure_nothing_may_follow(folder):
    journal = SqliteJournal(folder)
    journal.give_up("the machine stopped")
    with pytest.raises(JournalFailed, match="the machine stopped"):
        journal.append(b"five", b"")
    journal.close()
    assert read_all(folder) == CONTENT


def test_a_folder_without_a_journal(tmp_path):
    with pytest.raises(JournalError, match="no journal"):
        SqliteJournal(tmp_path, write=False)


def test_a_copy_is_the_same_chain(folder, tmp_path):
    source, target = SqliteJournal(folder, write=False), SqliteJournal(tmp_path / "new")
    target.copy(source, 3, lambda done, total: None)
    assert target.append(b"another end", b"").number == 4
    target.close()
    assert read_all(tmp_path / "new") == [*CONTENT[:3], (b"another end", b"")]
