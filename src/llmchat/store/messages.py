"""Reads and writes the table `messages`, also a message that is written piece by piece.

The text of an unfinished answer is in the table `pieces`; ending the answer moves it into the message.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import TypeVar

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import StorageError, TryLaterError, UsageError
from llmchat.store.database import Database, storable
from llmchat.store.writer import WriterProcess, is_alive

_STREAMING = "streaming"  # the status of an unfinished answer

FULL_TEXT = """messages.text || coalesce((SELECT group_concat(text, '') FROM
    (SELECT text FROM pieces WHERE message_id = messages.id ORDER BY id)), '')"""
"""SQL for the text of a row of `messages`, finished or not."""

BRANCH = """WITH RECURSIVE branch (id) AS (
    SELECT head FROM conversations WHERE id = ?
    UNION
    SELECT parent FROM messages JOIN branch USING (id)
)"""
"""SQL for the keys of the current branch; takes the conversation's id."""

_PROVENANCE = (
    "backend",
    "model",
    "settings",
    "seed",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "first_token_s",
    "total_s",
)
_READ = f"messages.id, parent, role, {FULL_TEXT}, status, created_at, {', '.join(_PROVENANCE)}"

# Only constants of this file are formatted into these statements, never a value.
_INSERT = f"""INSERT INTO messages (conversation_id, parent, role, text, status, created_at, writer_pid,
    writer_started, {", ".join(_PROVENANCE)}, depth)
    VALUES ({", ".join("?" * (8 + len(_PROVENANCE)))},
    1 + coalesce((SELECT depth FROM messages WHERE id = ?2), 0))"""  # noqa: S608
_END = f"UPDATE messages SET status = ?, {', '.join(f'{name} = ?' for name in _PROVENANCE)} WHERE id = ?"  # noqa: S608
_FOLD = f"UPDATE messages SET text = {FULL_TEXT} WHERE id = ?"  # noqa: S608
_BRANCH_ROWS = f"{BRANCH} SELECT {_READ} FROM messages JOIN branch USING (id) ORDER BY depth"  # noqa: S608
_ALL_ROWS = f"SELECT {_READ} FROM messages WHERE conversation_id = ? ORDER BY id"  # noqa: S608
_OPEN_ROWS = f"SELECT id, writer_pid, writer_started FROM messages WHERE status = '{_STREAMING}'"  # noqa: S608

_WRITER = """SELECT writer_pid, writer_started FROM messages
    WHERE id = (SELECT head FROM conversations WHERE id = ?)"""

_Column = str | int | float | None

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """A saved message. An answer that is still being written counts as interrupted."""

    id: int
    parent: int | None
    message: Message
    created_at: float  # seconds since the epoch, UTC
    provenance: Provenance | None  # of answers


@dataclass(frozen=True, slots=True)
class Saved:
    """A message to save. Without a time it gets the current one."""

    message: Message
    provenance: Provenance | None = None
    created_at: float | None = None  # seconds since the epoch, UTC


def insert_message(
    connection: sqlite3.Connection,
    conversation_id: str,
    saved: Saved,
    *,
    parent: int | None,
    writer: WriterProcess,
    streaming: bool = False,
) -> int:
    """Inserts a message after `parent` and returns its key; `streaming` if more text will follow."""
    row = (
        conversation_id,
        parent,
        saved.message.role,
        storable(saved.message.text),
        _STREAMING if streaming else saved.message.status,
        saved.created_at,
        writer.pid,
        writer.started,
        *_provenance_row(saved.provenance),
    )
    key = connection.execute(_INSERT, row).lastrowid
    assert key is not None, "an INSERT always has one"
    return key


def append_text(connection: sqlite3.Connection, key: int, text: str) -> None:
    """Appends text to a streaming message."""
    connection.execute("INSERT INTO pieces (message_id, text) VALUES (?, ?)", (key, storable(text)))


def end_message(
    connection: sqlite3.Connection, key: int, status: Status, provenance: Provenance | None
) -> None:
    """Ends a message with this status."""
    _fold(connection, key)
    connection.execute(_END, (status, *_provenance_row(provenance), key))


def interrupt_orphans(database: Database) -> None:
    """Marks unfinished answers as interrupted if their process has ended.

    If that cannot be written now, it is left for the next time: they can be read anyway.
    """
    with database.reading() as connection:
        found = connection.execute(_OPEN_ROWS).fetchall()
    orphans = [key for key, pid, started in found if not is_alive(WriterProcess(pid, started))]
    if not orphans:
        return
    with suppress(StorageError, TryLaterError), database.writing() as connection:
        for key in orphans:
            _fold(connection, key)
            connection.execute(
                "UPDATE messages SET status = ? WHERE id = ? AND status = ?",
                (Status.INTERRUPTED, key, _STREAMING),
            )


def read_branch(connection: sqlite3.Connection, conversation_id: str) -> tuple[Record, ...]:
    """The messages of the current branch, first message first. Raises StorageError."""
    return tuple(_record(*row) for row in connection.execute(_BRANCH_ROWS, (conversation_id,)))


def read_all(connection: sqlite3.Connection, conversation_id: str) -> tuple[Record, ...]:
    """The messages of every branch, in the order of their creation. Raises StorageError."""
    return tuple(_record(*row) for row in connection.execute(_ALL_ROWS, (conversation_id,)))


def read_writer(connection: sqlite3.Connection, conversation_id: str) -> WriterProcess | None:
    """The process that wrote the newest message of the current branch; None if there is none."""
    found = connection.execute(_WRITER, (conversation_id,)).fetchone()
    return None if found is None else WriterProcess(*found)


def read_status(status: str) -> Status:
    """The status of a row as a reader sees it. Raises ValueError for an unknown one."""
    return Status.INTERRUPTED if status == _STREAMING else Status(status)


def unreadable(key: int, error: Exception) -> StorageError:
    """The error for a row that another program changed."""
    return StorageError(
        f"message {key} cannot be read: {error}", hint="another program has changed the database"
    )


def _fold(connection: sqlite3.Connection, key: int) -> None:
    connection.execute(_FOLD, (key,))
    connection.execute("DELETE FROM pieces WHERE message_id = ?", (key,))


def _record(
    key: int, parent: int | None, role: str, text: str, status: str, created_at: float, *provenance: _Column
) -> Record:
    try:
        message = Message(Role(role), text, read_status(status))
        return Record(key, parent, message, created_at, _read_provenance(provenance))
    except (ValueError, TypeError, UsageError) as error:
        raise unreadable(key, error) from error


def _provenance_row(provenance: Provenance | None) -> tuple[_Column, ...]:
    """One value for each column of _PROVENANCE."""
    if provenance is None:
        return (None,) * len(_PROVENANCE)
    return (
        storable(provenance.backend),
        storable(provenance.model),
        json.dumps(asdict(provenance.settings)),  # ASCII: escapes what UTF-8 cannot hold
        provenance.settings.seed,
        provenance.reason,
        _count(provenance.usage.prompt_tokens),
        _count(provenance.usage.completion_tokens),
        provenance.first_token_s,
        provenance.total_s,
    )


def _read_provenance(values: tuple[_Column, ...]) -> Provenance | None:
    """What `_provenance_row` took. Raises ValueError, TypeError or UsageError for anything else."""
    row = dict(zip(_PROVENANCE, values, strict=True))
    if row["backend"] is None:
        return None
    return Provenance(
        backend=str(row["backend"]),
        model=str(row["model"]),
        settings=_settings(str(row["settings"])),
        reason=None if row["finish_reason"] is None else FinishReason(str(row["finish_reason"])),
        usage=Usage(_known(int, row["prompt_tokens"]), _known(int, row["completion_tokens"])),
        first_token_s=_known(float, row["first_token_s"]),
        total_s=_known(float, row["total_s"]),
    )


def _settings(text: str) -> Settings:
    known = {field.name for field in fields(Settings)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    return Settings(**{**values, "stop": tuple(values.get("stop", ()))})


def _count(tokens: int | None) -> int | None:
    """A count that SQLite can store: 64 bits. A server may report any number."""
    return tokens if tokens is not None and abs(tokens) < 2**63 else None


def _known(kind: Callable[[str | int | float], T], value: _Column) -> T | None:
    return None if value is None else kind(value)
