"""Reads and writes the table `conversations`, and lists its rows as summaries."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from llmchat.store.database import storable

TITLE = """coalesce(title, (SELECT substr(text, 1, 1000) FROM messages
    WHERE conversation_id = conversations.id AND role = 'user' ORDER BY id LIMIT 1), '')"""
"""SQL for a conversation's title: the one that was set, else the beginning of the first question."""

_SUMMARIES = f"""
SELECT id, {TITLE}, created_at, updated_at,
    (SELECT model FROM messages
     WHERE conversation_id = conversations.id AND model != '' ORDER BY id DESC LIMIT 1),
    coalesce((SELECT depth FROM messages WHERE id = head), 0)
FROM conversations ORDER BY updated_at DESC, head DESC LIMIT ?
"""  # noqa: S608 - our own constant


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list. Times are seconds since the epoch, UTC; title and model are foreign text."""

    id: str
    title: str  # one line: as the person named it, else the first line of the first question
    created_at: float
    updated_at: float
    model: str | None  # of its newest answer
    messages: int  # on the current branch


def insert_conversation(
    connection: sqlite3.Connection,
    key: str,
    *,
    system: str,
    created_at: float,
    updated_at: float,
    title: str | None = None,
) -> None:
    """Inserts a conversation without messages."""
    connection.execute(
        "INSERT INTO conversations (id, created_at, updated_at, title, system) VALUES (?, ?, ?, ?, ?)",
        (key, created_at, updated_at, None if title is None else storable(title), storable(system)),
    )


def read_system(connection: sqlite3.Connection, key: str) -> str | None:
    """The system message of a conversation; None if there is no such conversation."""
    found = connection.execute("SELECT system FROM conversations WHERE id = ?", (key,)).fetchone()
    return None if found is None else str(found[0])


def write_system(connection: sqlite3.Connection, key: str, system: str, now: float) -> None:
    connection.execute(
        "UPDATE conversations SET system = ?, updated_at = ? WHERE id = ?", (storable(system), now, key)
    )


def read_head(connection: sqlite3.Connection, key: str, *, default: int | None) -> int | None:
    """The newest message of the current branch, if any; `default` if there is no such conversation."""
    found = connection.execute("SELECT head FROM conversations WHERE id = ?", (key,)).fetchone()
    return default if found is None else found[0]


def write_head(connection: sqlite3.Connection, key: str, head: int | None, now: float) -> None:
    connection.execute("UPDATE conversations SET head = ?, updated_at = ? WHERE id = ?", (head, now, key))


def list_ids(connection: sqlite3.Connection) -> tuple[str, ...]:
    """All ids, the most recently written conversation first."""
    rows = connection.execute("SELECT id FROM conversations ORDER BY updated_at DESC, head DESC")
    return tuple(str(key) for (key,) in rows)


def list_summaries(connection: sqlite3.Connection, limit: int) -> tuple[Summary, ...]:
    """The `limit` most recently written conversations, newest first; -1 for all."""
    rows = connection.execute(_SUMMARIES, (limit,))
    return tuple(Summary(key, first_line(title), *rest) for key, title, *rest in rows)


def write_title(connection: sqlite3.Connection, key: str, title: str) -> bool:
    """Sets the title of a conversation, "" removes it; False if there is no such conversation.

    Its time is not changed: a new title does not make it the latest conversation.
    """
    named = storable(" ".join(title.split())) or None
    found = connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (named, key))
    return found.rowcount > 0


def first_line(text: str) -> str:
    """The first line that is not blank, without white space around it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
