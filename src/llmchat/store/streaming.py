"""An answer that is still coming: kept in pieces, folded into its message at the end, whoever ends it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from llmchat.core.conversation import Status
from llmchat.errors import StorageError, TryLaterError
from llmchat.store.database import Database
from llmchat.store.provenance import storable
from llmchat.store.writer import WriterProcess, is_alive

STREAMING = "streaming"

WHOLE_TEXT = """messages.text || coalesce((SELECT group_concat(text, '') FROM
    (SELECT text FROM pieces WHERE message_id = messages.id ORDER BY id)), '')"""
"""SQL for the text of a row of `messages`, finished or not."""


def add_piece(connection: sqlite3.Connection, message_id: int, text: str) -> None:
    connection.execute("INSERT INTO pieces (message_id, text) VALUES (?, ?)", (message_id, storable(text)))


def fold(connection: sqlite3.Connection, message_id: int) -> None:
    connection.execute(f"UPDATE messages SET text = {WHOLE_TEXT} WHERE id = ?", (message_id,))  # noqa: S608 - our own constant
    connection.execute("DELETE FROM pieces WHERE message_id = ?", (message_id,))


def interrupt_orphans(database: Database) -> None:
    """Marks the answers whose process is gone as interrupted.

    Where that cannot be written now it is left for the next time: they can be read all the same.
    """
    with database.reading() as connection:
        found = connection.execute(
            f"SELECT id, writer_pid, writer_started FROM messages WHERE status = '{STREAMING}'"  # noqa: S608 - our own constant
        ).fetchall()
    orphans = [key for key, pid, started in found if not is_alive(WriterProcess(pid, started))]
    if not orphans:
        return
    with suppress(StorageError, TryLaterError), database.writing() as connection:
        for key in orphans:
            fold(connection, key)
            connection.execute(
                "UPDATE messages SET status = ? WHERE id = ? AND status = ?",
                (Status.INTERRUPTED, key, STREAMING),
            )
