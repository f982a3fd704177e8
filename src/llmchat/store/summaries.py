"""What a conversation is called: the name the person gave it, else what it began with."""

from __future__ import annotations

import sqlite3

from llmchat.store.provenance import storable

_BEGINNING = 1000  # characters in which a first line is looked for

TITLE = f"""coalesce(title, (SELECT substr(text, 1, {_BEGINNING}) FROM messages
    WHERE conversation_id = conversations.id AND role = 'user' ORDER BY id LIMIT 1), '')"""  # noqa: S608 - our own
"""SQL for the title of a row of `conversations`; `first_line` makes it one."""


def first_line(text: str) -> str:
    """The first line with something on it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def write_title(connection: sqlite3.Connection, conversation_id: str, title: str) -> bool:
    """Names a conversation, "" takes its name away; False where there is none. It counts as no message:

    a conversation does not become the latest one by its name.
    """
    named = storable(" ".join(title.split())) or None
    found = connection.execute("UPDATE conversations SET title = ? WHERE id = ?", (named, conversation_id))
    return found.rowcount > 0
