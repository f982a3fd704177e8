"""Reading a database only: what is found, and that nothing is changed or created by it."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from llmchat.errors import ExitCode, LLMChatError, StorageError, TryLaterError
from llmchat.store import ConversationJournal, Inspection, Store, inspect, list_read_only, schema

from .conftest import Clock, Spawn

Say = Callable[[ConversationJournal, str, str], None]


def files(path: Path) -> Mapping[str, bytes]:
    return {each.name: each.read_bytes() for each in path.parent.iterdir()}


def inspected(path: Path) -> Inspection:
    """What is found; checks that no byte and no file beside it changed."""
    before = files(path)
    found = inspect(path, patience=0.05)
    assert files(path) == before
    return found


def refusal(path: Path) -> LLMChatError:
    """The error that inspecting this file ends in, changing nothing either."""
    before = files(path)
    with pytest.raises(LLMChatError) as caught:
        inspect(path, patience=0.05)
    assert files(path) == before
    assert caught.value.hint
    return caught.value


@pytest.fixture
def filled(path: Path, say: Say) -> Path:
    """Three conversations, of which the last is long."""
    with Store.open(path) as store:
        for number in range(3):
            journal = store.journal()
            say(journal, f"question {number}", "answer")
        for number in range(10):
            say(journal, f"more {number}", "words of it " * 1500)
    return path


def test_a_healthy_database_is_read_whole(filled: Path) -> None:
    version = len(schema.MIGRATIONS)
    expected = Inspection(filled.stat().st_size, version, False, 3, index_damage=False)
    assert inspected(filled) == expected


def test_what_another_process_is_writing_is_read_as_it_is(path: Path, spawn: Spawn) -> None:
    child = spawn("stream", path)
    assert child.stdout is not None
    child.stdout.readline()
    found = inspect(path)
    assert (found.conversations, found.index_damage) == (1, False)
    assert {each.name for each in path.parent.iterdir()} == {
        path.name,
        f"{path.name}-wal",
        f"{path.name}-shm",
    }


def test_what_a_killed_process_left_in_its_log_counts_and_stays_there(path: Path, spawn: Spawn) -> None:
    child = spawn("stream", path)
    assert child.stdout is not None
    child.stdout.readline()
    child.kill()
    child.communicate()
    log = Path(f"{path}-wal").read_bytes()
    assert log
    database = path.read_bytes()
    assert inspect(path).conversations == 1
    assert (path.read_bytes(), Path(f"{path}-wal").read_bytes()) == (database, log)


def test_spoilt_pages_are_found(filled: Path) -> None:
    content = bytearray(filled.read_bytes())
    content[20 * 4096 :] = b"\xa5" * len(content[20 * 4096 :])
    filled.write_bytes(content)
    error = refusal(filled)
    assert error.exit_code == ExitCode.STORAGE
    assert "damaged" in error.message
    assert ".recover" in str(error.hint)


@pytest.mark.parametrize("content", [b"not a database at all " * 1000, b"SQLite format 3\0" + bytes(84)])
def test_what_is_no_database_is_said(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    error = refusal(path)
    assert error.exit_code == ExitCode.STORAGE
    assert "damaged" in error.message


def test_a_search_that_would_miss_something_is_found(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("DROP TRIGGER found_update")
        connection.execute("UPDATE messages SET text = 'something else' WHERE id = 1")
        connection.commit()
    assert inspected(filled).index_damage
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("INSERT INTO found (found) VALUES ('rebuild')")
        connection.commit()
    assert not inspected(filled).index_damage


def test_a_newer_database_is_said(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    error = refusal(filled)
    assert error.exit_code == ExitCode.STORAGE
    assert "newer" in error.message


def test_an_older_database_is_not_migrated(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        schema.migrate(connection, migrations=schema.MIGRATIONS[:1])
    found = inspected(path)
    assert (found.version, found.outdated, found.conversations) == (1, True, 0)


def test_an_empty_file_is_a_database_to_be(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    found = inspected(path)
    assert (found.version, found.outdated, found.conversations) == (0, True, 0)


def test_another_programs_database_is_said(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE songs (title)")
    assert "another program" in refusal(path).message


LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2].split(";"):
    connection.execute(statement).fetchall()
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    "statements",
    [
        "BEGIN IMMEDIATE",
        "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE",
        "PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; DELETE FROM pieces",
    ],
)
def test_a_lock_of_another_process_is_noticed(filled: Path, statements: str) -> None:
    command = [sys.executable, "-c", LOCKING, str(filled), statements]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "locked\n"
            with pytest.raises(TryLaterError, match="locked") as caught:
                inspect(filled, patience=0.05)
            assert caught.value.exit_code == ExitCode.TRY_LATER
        finally:
            other.kill()
    assert inspect(filled, patience=1).conversations == 3


def test_a_folder_in_place_of_the_file_is_said(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot open"):
        inspect(path)


@pytest.mark.parametrize(
    ("mode", "said"), [(0o444, "read-only"), (0o000, "cannot be read: permission denied")]
)
def test_what_may_not_be_written_or_read_is_said(filled: Path, mode: int, said: str) -> None:
    """In a process that is nobody's, where we are root, who may do anything."""
    filled.chmod(mode)
    filled.parent.chmod(0o711)
    program = """
import os, sys
from pathlib import Path
from llmchat.store import inspect
os.chdir(sys.argv[1])  # the folders above may be closed to nobody at any time, by another run of pytest
if os.geteuid() == 0:
    os.setuid(65534)
try:
    inspect(Path(sys.argv[2]))
except Exception as error:
    print(error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program, str(filled.parent), filled.name],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said in ran.stdout


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file in the folder: what is in it, and its mode. The index of the log is SQLite's to write."""
    files = (path for path in folder.iterdir() if not path.name.endswith("-shm"))
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in files}


def titles(path: Path, limit: int) -> list[tuple[str, str]]:
    return [(each.id, each.title) for each in list_read_only(path, limit)]


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


def test_a_list_sees_what_is_in_the_log_of_an_open_database(
    store: Store, path: Path, said: list[str]
) -> None:
    before = contents(path.parent)
    assert titles(path, 9) == list(zip(said, ["$(named)", "one"], strict=True))
    assert titles(path, 1) == [(said[0], "$(named)")]
    assert contents(path.parent) == before


def test_nothing_appears_beside_a_database_that_nobody_has_open(
    store: Store, path: Path, said: list[str]
) -> None:
    store.close()
    before = contents(path.parent)
    assert [key for key, _ in titles(path, 9)] == said
    assert contents(path.parent) == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_reads_what_a_process_that_died_has_left(
    store: Store, path: Path, said: list[str], tmp_path: Path
) -> None:
    left = tmp_path / "left"
    shutil.copytree(path.parent, left)
    before = contents(left)
    assert [key for key, _ in titles(left / path.name, 9)] == said
    assert contents(left) == before


def test_no_database_is_no_conversation_and_stays_none(path: Path) -> None:
    assert list_read_only(path, 9) == ()
    assert not path.parent.exists()


def test_a_lock_is_not_waited_for(path: Path, said: list[str], store: Store) -> None:
    store.close()
    with sqlite3.connect(path) as locked:
        locked.execute("PRAGMA locking_mode = EXCLUSIVE")
        locked.execute("UPDATE conversations SET title = 'x'")
        begun = time.monotonic()
        with pytest.raises(LLMChatError):
            list_read_only(path, 9)
        assert time.monotonic() - begun < 4  # SQLite itself waits for five seconds
    locked.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" * 99])
def test_what_is_no_database_of_ours_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(LLMChatError):
        list_read_only(path, 9)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]
