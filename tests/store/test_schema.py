from __future__ import annotations

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


def test_full_text_search_can_be_added_without_touching_a_row(store: Store) -> None:
    search = (
        *schema.MIGRATIONS,
        (
            "CREATE VIRTUAL TABLE found USING fts5 (text, content = 'messages', content_rowid = 'id')",
            "INSERT INTO found (found) VALUES ('rebuild')",
        ),
    )
    with store.database.writing() as connection:
        schema.migrate(connection, migrations=search)
    assert store.database.damage() is None
