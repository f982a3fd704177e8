"""A conversation with all its branches, as it leaves for another machine and comes back; knows no format."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from llmchat.store.ids import is_id, new_id
from llmchat.store.messages import INSERT, Record, missing, read_all
from llmchat.store.provenance import storable, to_columns
from llmchat.store.writer import WriterProcess

_ROW = "SELECT title, system, created_at, updated_at, head FROM conversations WHERE id = ?"


@dataclass(frozen=True, slots=True)
class ConversationExport:
    """A conversation and every message of it, numbered from 1 in the order they were begun.

    So a parent has a lower number than what is below it. `head` is the number of the newest message of the
    branch that is read.
    """

    id: str
    title: str | None  # as the person named it
    system: str
    created_at: float  # seconds since the epoch, UTC
    updated_at: float
    head: int | None
    records: tuple[Record, ...]

    def branch(self) -> tuple[Record, ...]:
        """The messages of the branch that is read, first message first."""
        path, number = [], self.head
        while number is not None:
            path.append(self.records[number - 1])
            number = path[-1].parent
        return tuple(reversed(path))


def read_whole(connection: sqlite3.Connection, conversation_id: str) -> ConversationExport:
    """Everything that is kept of a conversation. Raises MissingError where there is no such id."""
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


def write_whole(
    connection: sqlite3.Connection, whole: ConversationExport, writer: WriterProcess
) -> str | None:
    """Adds a conversation and returns its id: another one where its own is taken by something else.

    None where exactly this conversation is there already; then nothing is written.
    """
    key = whole.id if is_id(whole.id) else new_id()
    if connection.execute(_ROW, (key,)).fetchone() is not None:
        if read_whole(connection, key) == whole:
            return None
        key = new_id()
    title = None if whole.title is None else storable(whole.title)
    connection.execute(
        "INSERT INTO conversations (id, created_at, updated_at, title, system) VALUES (?, ?, ?, ?, ?)",
        (key, whole.created_at, whole.updated_at, title, storable(whole.system)),
    )
    keys: list[int] = []
    depths: list[int] = []
    for record in whole.records:
        above = None if record.parent is None else record.parent - 1
        depths.append(1 if above is None else depths[above] + 1)
        row = (
            key,
            None if above is None else keys[above],
            depths[-1],
            record.message.role,
            storable(record.message.text),
            record.message.status,
            record.created_at,
            writer.pid,
            writer.started,
            *to_columns(record.provenance),
        )
        added = connection.execute(INSERT, row).lastrowid
        assert added is not None  # an INSERT always has one
        keys.append(added)
    if whole.head is not None:
        connection.execute("UPDATE conversations SET head = ? WHERE id = ?", (keys[whole.head - 1], key))
    return key
