"""What a list says of a conversation: its title, its times, its model and its length."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from llmchat.store.database import storable

TITLE = """coalesce(title, (SELECT substr(text, 1, 1000) FROM messages
    WHERE conversation_id = conversations.id AND role = 'user' ORDER BY id LIMIT 1), '')"""
"""SQL for the title of a row of `conversations`: its name, else the beginning of the first question."""

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


def list_summaries(connection: sqlite3.Connection, limit: int) -> tuple[Summary, ...]:
    """The `limit` conversations that were written to last, newest first; -1 for all."""
    rows = connection.execute(_SUMMARIES, (limit,))
    return tuple(Summary(key, first_line(title), *rest) for key, title, *rest in rows)


def write_title(connection: sqlite3.Connection, conversation_id: str, title: str) -> bool:
    """Names a conversation, "" takes its name away; False if there is none.

    Its time stays: a conversation does not become the latest one by its name.
    """
    named = storable(" ".join(title.split())) or None
    found = connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (named, conversation_id))
    return found.rowcount > 0


def first_line(text: str) -> str:
    """The first line that is not blank, without white space around it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
