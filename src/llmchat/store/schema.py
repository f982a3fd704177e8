"""The database schema and its migrations.

Times are seconds since the epoch, UTC, as REAL. Texts are what was typed or generated, unescaped.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from llmchat.errors import StorageError

# Messages are a tree: `parent` is the message before, siblings are other attempts at the
# same place, `head` is the newest message of the current branch, and `depth` counts from the first
# message (1), so that the length of a branch needs no walk. AUTOINCREMENT: the key of an erased message never
# is reused, so that a process that still has it cannot write to another conversation.
#
# `pieces` has the text of an unfinished answer; its end moves them into `messages.text`. An
# INSERT costs what arrived since the last one, where `text = text || ?` would copy the whole answer every
# time: n squared for n bytes. A reader joins both, so the text is whole at every moment.
#
# No CHECK on role, status or finish_reason: SQLite cannot alter one without copying the table.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE conversations (
            id TEXT PRIMARY KEY NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            title TEXT,  -- as the person named it; NULL: the first line of the first question
            system TEXT NOT NULL,
            head INTEGER REFERENCES messages (id)
        )""",
        """CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            parent INTEGER REFERENCES messages (id),
            depth INTEGER NOT NULL,
            role TEXT NOT NULL,
            text TEXT NOT NULL,
            status TEXT NOT NULL,  -- a core Status, or 'streaming'
            created_at REAL NOT NULL,
            writer_pid INTEGER NOT NULL,
            writer_started TEXT NOT NULL,
            backend TEXT,  -- from here on: answers only, NULL is unknown
            model TEXT,
            settings TEXT,  -- JSON
            seed INTEGER,
            finish_reason TEXT,
            prompt_tokens INTEGER,
            completion_tokens INTEGER,
            first_token_s REAL,
            total_s REAL
        )""",
        """CREATE TABLE pieces (
            id INTEGER PRIMARY KEY,
            message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            text TEXT NOT NULL
        )""",
        "CREATE INDEX conversations_by_time ON conversations (updated_at)",
        "CREATE INDEX conversations_by_head ON conversations (head)",
        "CREATE INDEX messages_by_conversation ON messages (conversation_id)",
        "CREATE INDEX messages_by_parent ON messages (parent)",
        "CREATE INDEX messages_streaming ON messages (id) WHERE status = 'streaming'",
        "CREATE INDEX pieces_by_message ON pieces (message_id)",
    ),
    (
        # Kept up to date by triggers, so that no writer can forget it; it keeps no copy of the texts. The
        # text of an answer is '' until its end, so a stream costs the index nothing while it lasts.
        """CREATE VIRTUAL TABLE found USING fts5 (
            text, content = 'messages', content_rowid = 'id', tokenize = 'trigram'
        )""",
        """CREATE TRIGGER found_insert AFTER INSERT ON messages BEGIN
            INSERT INTO found (rowid, text) VALUES (new.id, new.text);
        END""",
        """CREATE TRIGGER found_delete AFTER DELETE ON messages BEGIN
            INSERT INTO found (found, rowid, text) VALUES ('delete', old.id, old.text);
        END""",
        """CREATE TRIGGER found_update AFTER UPDATE OF text ON messages WHEN old.text != new.text BEGIN
            INSERT INTO found (found, rowid, text) VALUES ('delete', old.id, old.text);
            INSERT INTO found (rowid, text) VALUES (new.id, new.text);
        END""",
        "INSERT INTO found (found) VALUES ('rebuild')",
    ),
)
"""One tuple of statements per version; append only. `PRAGMA user_version` is the number applied."""


def check(connection: sqlite3.Connection, *, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> bool:
    """True if the database has the current version; False if it is older or empty. Writes nothing.

    Raises StorageError if it has a newer version, or belongs to another program.
    """
    # One statement, so that no process can migrate between two.
    version, tables = connection.execute(
        "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
    ).fetchone()
    if version > len(migrations):
        raise StorageError(
            f"the database has version {version}, from a newer llmchat; this one supports {len(migrations)}",
            hint="upgrade llmchat; nothing was changed",
        )
    if version == 0 and tables:
        raise StorageError(
            "the database belongs to another program",
            hint="move it away, or set LLMCHAT_HOME to another folder; nothing was changed",
        )
    return bool(version == len(migrations))


def migrate(connection: sqlite3.Connection, *, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Applies the missing migrations inside the caller's write transaction, or raises sqlite3.Error.

    Reads the version again: another process may have migrated while this one waited for the lock.
    """
    if check(connection, migrations=migrations):
        return
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for migration in migrations[version:]:
        for statement in migration:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
