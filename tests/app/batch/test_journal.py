"""The answers of a batch on disk: what is there is whole, and belongs to one process at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.app.batch.journal import BatchJournal
from llmchat.errors import CreateError, StorageError, TryLaterError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "batches" / "a.jsonl"


def fill(path: Path, *answers: tuple[int, str, bytes]) -> None:
    journal = BatchJournal.open(path)
    for answer in answers:
        journal.keep(*answer)
    journal.close()


def test_an_answer_is_found_again_by_its_line_and_key(path: Path) -> None:
    fill(path, (3, "aa", b'{"text": "three"}'), (1, "bb", b'{"text": "}\\n"}'))
    journal = BatchJournal.open(path)
    assert journal.find(3, "aa") == b'{"text": "three"}'
    assert journal.find(1, "bb") == b'{"text": "}\\n"}'
    assert [journal.find(1, "aa"), journal.find(2, "aa"), journal.find(0, "aa"), journal.find(9, "aa")] == (
        [None] * 4
    )
    assert len(journal) == 2
    journal.close()


def test_the_newest_answer_of_a_line_counts(path: Path) -> None:
    fill(path, (1, "aa", b'"old"'))
    fill(path, (1, "bb", b'"new"'))
    journal = BatchJournal.open(path)
    assert (journal.find(1, "aa"), journal.find(1, "bb"), len(journal)) == (None, b'"new"', 1)
    journal.close()


@pytest.mark.parametrize("keeps", range(1, 60, 7))
def test_an_entry_that_was_not_written_to_its_end_is_cut_off(path: Path, keeps: int) -> None:
    fill(path, (1, "aa", b'"one"'))
    whole = path.read_bytes()
    fill(path, (2, "bb", b'"two"'), (3, "cc", b'"three"'))
    path.write_bytes(path.read_bytes()[: len(whole) + keeps])
    journal = BatchJournal.open(path)
    journal.keep(4, "dd", b'"four"')
    journal.close()
    journal = BatchJournal.open(path)
    assert (journal.find(1, "aa"), journal.find(4, "dd")) == (b'"one"', b'"four"')
    assert journal.find(3, "cc") is None
    journal.close()


def test_what_a_power_cut_left_in_the_middle_is_no_answer(path: Path) -> None:
    fill(path, (1, "aa", b'"one"'), (2, "bb", b'"two"'), (3, "cc", b'"three"'))
    path.write_bytes(path.read_bytes().replace(b'"two"', bytes(5)).replace(b'{"line": 1', bytes(10)))
    journal = BatchJournal.open(path)
    assert [journal.find(1, "aa"), journal.find(2, "bb"), journal.find(3, "cc")] == [None, None, b'"three"']
    journal.close()


def test_only_one_has_it_and_the_lock_goes_with_its_process(path: Path) -> None:
    journal = BatchJournal.open(path)
    with pytest.raises(TryLaterError, match="running already"):
        BatchJournal.open(path)
    journal.keep(1, "aa", b'"one"')
    journal.close()
    journal.close()
    again = BatchJournal.open(path)
    again.remove()
    again.close()
    assert list(path.parent.iterdir()) == []


def test_an_empty_one_leaves_nothing_behind(path: Path) -> None:
    fill(path)
    assert list(path.parent.iterdir()) == []


def test_it_is_private_whatever_the_umask_and_however_it_was(path: Path) -> None:
    before = os.umask(0)
    try:
        fill(path, (1, "aa", b'"one"'))
        path.chmod(0o644)
        fill(path, (2, "aa", b'"two"'))
    finally:
        os.umask(before)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_disk_is_asked_to_keep_it_once_a_second_at_most(path: Path) -> None:
    times = iter([0.0, 0.5, 0.9, 1.0, 1.0, 1.5, 2.1, 2.1])
    synced: list[int] = []
    journal = BatchJournal.open(path, clock=lambda: next(times), sync=synced.append)
    for line in range(1, 6):
        journal.keep(line, "aa", b'"one"')
    assert len(synced) == 2
    journal.close()
    assert len(synced) == 3


def test_where_it_cannot_be_is_an_error_of_creating(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(CreateError):
        BatchJournal.open(tmp_path / "state" / "batches" / "a.jsonl")


def test_what_cannot_be_written_is_an_error_of_storing(path: Path) -> None:
    fill(path, (1, "aa", b'"one"'))
    journal = BatchJournal(path, path.open("rb"), clock=lambda: 0.0)
    with pytest.raises(StorageError, match="the answers cannot be saved"):
        journal.keep(2, "aa", b'"two"')
    assert journal.find(1, "aa") == b'"one"'
    journal.close()
