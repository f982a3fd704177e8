from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llmchat.errors import CreateError, ExitCode, LLMChatError, StorageError, TryLaterError
from llmchat.store import ConversationJournal, Store, schema
from llmchat.store.database import translated

from .conftest import is_intact

Say = Callable[[ConversationJournal, str, str], None]


def refusal(path: Path) -> LLMChatError:
    """The error that opening this file ends in; checks that not a byte of it changed."""
    before = path.read_bytes()
    with pytest.raises(LLMChatError) as caught:
        Store.open(path, patience=0.05)
    assert path.read_bytes() == before
    assert caught.value.hint
    return caught.value


def test_a_file_that_is_no_database_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all " * 1000)
    error = refusal(path)
    assert error.exit_code == ExitCode.STORAGE
    assert "damaged" in error.message
    assert ".recover" in str(error.hint)


def test_a_database_with_spoilt_pages_is_found_out(path: Path, say: Say) -> None:
    with Store.open(path) as store:
        journal = store.journal()
        for number in range(100):
            say(journal, f"question {number}", "answer " * 50)
    content = bytearray(path.read_bytes())
    content[20 * 4096 :] = b"\xa5" * len(content[20 * 4096 :])
    path.write_bytes(content)
    with Store.open(path) as store:
        assert not is_intact(store)
        with pytest.raises(StorageError, match="damaged"):
            store.load(str(journal.conversation_id))
    assert path.read_bytes() == content


def test_a_newer_database_is_left_as_it_is(path: Path) -> None:
    Store.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    error = refusal(path)
    assert error.exit_code == ExitCode.STORAGE
    assert "newer" in error.message
    assert "upgrade" in str(error.hint)


def test_a_database_of_another_program_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title)")
    error = refusal(path)
    assert error.exit_code == ExitCode.STORAGE
    assert "another program" in error.message


def test_a_locked_database_is_to_be_tried_again(path: Path) -> None:
    Store.open(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryLaterError, match="locked") as caught:
            Store.open(path, patience=0.05)
    assert caught.value.exit_code == ExitCode.TRY_LATER


def test_a_fresh_database_that_stays_locked_is_to_be_tried_again(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TryLaterError, match="locked"):
            Store.open(path, patience=0.05)


def test_a_file_in_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(CreateError, match="cannot create") as caught:
        Store.open(tmp_path / "data" / "deeper" / "conversations.db")
    assert caught.value.exit_code == ExitCode.CANNOT_CREATE


def test_a_folder_in_place_of_the_file_is_said(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot open"):
        Store.open(path)


def test_writing_to_what_is_read_only_is_said(path: Path) -> None:
    Store.open(path).close()
    with (
        closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection,
        pytest.raises(StorageError, match="read-only") as caught,
        translated(path),
    ):
        connection.execute("DELETE FROM conversations")
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)


def test_a_bug_in_our_own_sql_does_not_pass_for_a_fault_of_the_disk(store: Store) -> None:
    with pytest.raises(sqlite3.ProgrammingError), store.database.reading() as connection:
        connection.execute("SELECT ?", ())


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    insert = "INSERT INTO conversations (id, created_at, updated_at, system) VALUES ('a', 0, 0, '')"
    with pytest.raises(StorageError), store.database.writing() as connection:
        assert [connection.execute(insert) for _ in range(2)]
    assert store.list(1) == ()


def test_commits_reach_the_disk_and_what_is_erased_is_overwritten(store: Store) -> None:
    pragmas = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1, "secure_delete": 1}
    read = {name: store.database.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas}
    assert read == pragmas


def test_a_path_with_odd_characters_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "what? 100%20 #1 ü" / "a?b.db"
    Store.open(path).close()
    assert [each.name for each in path.parent.iterdir()] == ["a?b.db"]
