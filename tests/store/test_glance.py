"""A glance at the conversations leaves no trace, whoever has them open."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmchat.errors import LLMChatError
from llmchat.store import ConversationJournal, Store, glance

from .conftest import Clock

Say = Callable[[ConversationJournal, str, str], None]


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file in the folder: what is in it, and its mode. The index of the log is SQLite's to write."""
    files = (path for path in folder.iterdir() if not path.name.endswith("-shm"))
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in files}


@pytest.fixture
def said(store: Store, say: Say, clock: Clock) -> list[str]:
    """Two conversations, the newest first."""
    ids = []
    for question in ("\n  one\nmore", "two"):
        journal = store.journal()
        say(journal, question, "an answer")
        ids.insert(0, str(journal.conversation_id))
        clock.seconds += 1
    store.set_title(ids[0], "$(named)")
    return ids


def test_it_sees_what_is_in_the_log_of_who_has_them_open(store: Store, path: Path, said: list[str]) -> None:
    before = contents(path.parent)
    assert glance(path, 9) == list(zip(said, ["$(named)", "one"], strict=True))
    assert glance(path, 1) == [(said[0], "$(named)")]
    assert contents(path.parent) == before


def test_nothing_appears_beside_a_database_that_nobody_has_open(
    store: Store, path: Path, said: list[str]
) -> None:
    store.close()
    before = contents(path.parent)
    assert [key for key, _ in glance(path, 9)] == said
    assert contents(path.parent) == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_reads_what_a_process_that_died_has_left(
    store: Store, path: Path, said: list[str], tmp_path: Path
) -> None:
    left = tmp_path / "left"
    shutil.copytree(path.parent, left)
    before = contents(left)
    assert [key for key, _ in glance(left / path.name, 9)] == said
    assert contents(left) == before


def test_no_database_is_no_conversation_and_stays_none(path: Path) -> None:
    assert glance(path, 9) == []
    assert not path.parent.exists()


def test_a_lock_is_not_waited_for(path: Path, said: list[str], store: Store) -> None:
    store.close()
    with sqlite3.connect(path) as locked:
        locked.execute("PRAGMA locking_mode = EXCLUSIVE")
        locked.execute("UPDATE conversations SET title = 'x'")
        begun = time.monotonic()
        with pytest.raises(LLMChatError):
            glance(path, 9)
        assert time.monotonic() - begun < 4  # SQLite itself waits for five seconds
    locked.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" * 99])
def test_what_is_no_database_of_ours_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(LLMChatError):
        glance(path, 9)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]
