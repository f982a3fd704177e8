"""Reads and writes a conversation with all its branches, for export and import; knows no format."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from llmchat.store.conversations import insert_conversation, write_head
from llmchat.store.ids import is_id, missing, new_id
from llmchat.store.messages import Record, Saved, insert_message, read_all
from llmchat.store.writer import WriterProcess

_ROW = "SELECT title, system, created_at, updated_at, head FROM conversations WHERE id = ?"


@dataclass(frozen=True, slots=True)
class ConversationExport:
    """A conversation with all its messages, numbered from 1 in the order of their creation.

    So a parent has a lower number than its children. `head` is the number of the newest message of the
    current branch.
    """

    id: str
    title: str | None  # as set with /title
    system: str
    created_at: float  # seconds since the epoch, UTC
    updated_at: float
    head: int | None
    records: tuple[Record, ...]

    def branch(self) -> tuple[Record, ...]:
        """The messages of the current branch, first message first."""
        path, number = [], self.head
        while number is not None:
            path.append(self.records[number - 1])
            number = path[-1].parent
        return tuple(reversed(path))


def read_export(connection: sqlite3.Connection, conversation_id: str) -> ConversationExport:
    """Reads a whole conversation. Raises MissingError if there is no such id."""
    row = connection.execute(_ROW, (conversation_id,)).fetchone()
    if row is None:
        raise missing(conversation_id)
    title, system, created_at, updated_at, head = row
    records = read_all(connection, conversation_id)
    numbers: dict[int | None, int | None] = {record.id: at for at, record in enumerate(records, 1)}
    numbers[None] = None
    numbered = tuple(
        replace(record, id=at, parent=numbers[record.parent]) for at, record in enumerate(records, 1)
    )
    return ConversationExport(conversation_id, title, system, created_at, updated_at, numbers[head], numbered)


def write_export(
    connection: sqlite3.Connection, export: ConversationExport, writer: WriterProcess
) -> str | None:
    """Inserts a conversation and returns its id: a new one if another conversation has its id.

    None if exactly this conversation exists already; then nothing is written.
    """
    key = export.id if is_id(export.id) else new_id()
    if connection.execute(_ROW, (key,)).fetchone() is not None:
        if read_export(connection, key) == export:
            return None
        key = new_id()
    insert_conversation(
        connection,
        key,
        system=export.system,
        created_at=export.created_at,
        updated_at=export.updated_at,
        title=export.title,
    )
    keys: dict[int | None, int | None] = {None: None}
    for record in export.records:
        saved = Saved(record.message, record.provenance, record.created_at)
        keys[record.id] = insert_message(connection, key, saved, parent=keys[record.parent], writer=writer)
    write_head(connection, key, keys[export.head], export.updated_at)
    return key
