"""A message as it was saved, and the rows it is made of; changes nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.journal import Provenance
from llmchat.errors import MissingError, StorageError, UsageError
from llmchat.store.provenance import COLUMNS, Column, from_columns
from llmchat.store.streaming import STREAMING, WHOLE_TEXT

BRANCH = """WITH RECURSIVE branch (id) AS (
    SELECT head FROM conversations WHERE id = ?
    UNION
    SELECT parent FROM messages JOIN branch USING (id)
)"""
"""SQL for the keys of the branch that is read; takes the conversation's id."""

_FIELDS = f"messages.id, parent, role, {WHOLE_TEXT}, status, created_at, {', '.join(COLUMNS)}"
_BRANCH_ROWS = f"{BRANCH} SELECT {_FIELDS} FROM messages JOIN branch USING (id) ORDER BY depth"  # noqa: S608 - our own
_ALL_ROWS = f"SELECT {_FIELDS} FROM messages WHERE conversation_id = ? ORDER BY id"  # noqa: S608 - our own

_NAMES = "conversation_id, parent, depth, role, text, status, created_at, writer_pid, writer_started"
_MARKS = ", ".join("?" * (9 + len(COLUMNS)))

INSERT = f"INSERT INTO messages ({_NAMES}, {', '.join(COLUMNS)}) VALUES ({_MARKS})"  # noqa: S608 - our own
"""SQL for a new row of `messages`; the columns of its provenance come last."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it was saved. An answer that is still being written counts as interrupted."""

    id: int
    parent: int | None
    message: Message
    created_at: float  # seconds since the epoch, UTC
    provenance: Provenance | None  # of answers


def read_branch(connection: sqlite3.Connection, conversation_id: str) -> tuple[Record, ...]:
    """The messages of the branch that is read, first message first."""
    return tuple(_record(*row) for row in connection.execute(_BRANCH_ROWS, (conversation_id,)))


def read_all(connection: sqlite3.Connection, conversation_id: str) -> tuple[Record, ...]:
    """The messages of every branch, in the order they were begun."""
    return tuple(_record(*row) for row in connection.execute(_ALL_ROWS, (conversation_id,)))


def ended(status: str) -> Status:
    """The status of a row as a reader sees it. Raises ValueError for one there is not."""
    return Status.INTERRUPTED if status == STREAMING else Status(status)


def unreadable(key: int, error: Exception) -> StorageError:
    """What to say of a row that another program changed."""
    return StorageError(f"message {key} cannot be read: {error}", hint="another program changed the database")


def missing(conversation_id: str) -> MissingError:
    """What to say where there is no such conversation."""
    return MissingError(
        f"there is no conversation {conversation_id!r}", hint="`llmchat history list` shows them all"
    )


def _record(
    key: int, parent: int | None, role: str, text: str, status: str, created_at: float, *provenance: Column
) -> Record:
    try:
        message = Message(Role(role), text, ended(status))
        return Record(key, parent, message, created_at, from_columns(provenance))
    except (ValueError, TypeError, UsageError) as error:
        raise unreadable(key, error) from error
