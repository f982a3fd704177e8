from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llmchat.errors import StorageError
from llmchat.store import Store, schema

from .conftest import Spawn, is_intact


def version(store: Store) -> int:
    (found,) = store.database.connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def tables(store: Store) -> set[str]:
    rows = store.database.connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}


def test_an_older_database_is_migrated_and_keeps_its_rows(store: Store) -> None:
    insert = "INSERT INTO conversations (id, created_at, updated_at, system) VALUES ('a', 0, 0, 'x')"
    store.database.connection.execute(insert)
    newer = (*schema.MIGRATIONS, ("ALTER TABLE conversations ADD COLUMN colour TEXT",))
    with store.database.writing() as connection:
        assert not schema.check(connection, migrations=newer)
        schema.migrate(connection, migrations=newer)
        assert schema.check(connection, migrations=newer)
        schema.migrate(connection, migrations=newer)
    assert version(store) == len(newer)
    assert store.database.connection.execute("SELECT system, colour FROM conversations").fetchall() == [
        ("x", None)
    ]


def test_a_migration_that_fails_is_rolled_back_whole(store: Store) -> None:
    before = tables(store)
    broken = (*schema.MIGRATIONS, ("CREATE TABLE extra (x)", "CREATE TABLE messages (x)"))
    with pytest.raises(StorageError, match="already exists"), store.database.writing() as connection:
        schema.migrate(connection, migrations=broken)
    assert version(store) == len(schema.MIGRATIONS)
    assert tables(store) == before


@pytest.fixture
def older(path: Path) -> Path:
    """A database of the first version, in which something was asked."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        schema.migrate(connection, migrations=schema.MIGRATIONS[:1])
        connection.execute(
            "INSERT INTO conversations (id, created_at, updated_at, system) VALUES ('a', 0, 0, '')"
        )
        connection.execute(
            """INSERT INTO messages (conversation_id, depth, role, text, status, created_at, writer_pid,
                writer_started) VALUES ('a', 1, 'user', 'asked long ago', 'complete', 0, 1, '')"""
        )
        connection.execute("UPDATE conversations SET head = 1")
        connection.commit()
    return path


def is_up_to_date(path: Path) -> bool:
    """Whether what was asked is there, can be searched, and the database is of this version and intact."""
    with Store.open(path) as store:
        return (
            version(store) == len(schema.MIGRATIONS)
            and [found.snippet for found in store.search("long ago", 5)] == ["asked long ago"]
            and [message.text for message in store.load("a").messages] == ["asked long ago"]
            and is_intact(store)
        )


def test_a_database_from_before_the_search_is_migrated_and_can_be_searched(older: Path) -> None:
    assert is_up_to_date(older)


def test_a_migration_that_is_killed_leaves_the_old_database_and_can_be_done_again(
    older: Path, spawn: Spawn
) -> None:
    child = spawn("migrate", older)
    assert child.stdout is not None
    assert child.stdout.readline() == "migrated\n"
    child.kill()
    child.communicate()
    with closing(sqlite3.connect(older)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE name LIKE 'found%'"
        ).fetchone() == (0,)
    assert is_up_to_date(older)
