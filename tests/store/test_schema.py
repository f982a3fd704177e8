from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llmchat.errors import StorageError
from llmchat.store import Store, schema


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


def test_a_database_from_before_the_search_is_migrated_and_can_be_searched(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as older:
        schema.migrate(older, migrations=schema.MIGRATIONS[:1])
        older.execute("INSERT INTO conversations (id, created_at, updated_at, system) VALUES ('a', 0, 0, '')")
        older.execute(
            """INSERT INTO messages (conversation_id, depth, role, text, status, created_at, writer_pid,
                writer_started) VALUES ('a', 1, 'user', 'asked long ago', 'complete', 0, 1, '')"""
        )
        older.execute("UPDATE conversations SET head = 1")
        older.commit()
    with Store.open(path) as store:
        assert version(store) == len(schema.MIGRATIONS)
        assert [found.snippet for found in store.search("long ago", 5)] == ["asked long ago"]
        assert [message.text for message in store.load("a").messages] == ["asked long ago"]
        assert store.database.damage() is None
