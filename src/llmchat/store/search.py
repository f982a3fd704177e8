"""Full-text search over all messages of every branch. The words are literal, never operators.

The index has trigrams, as Chinese has no spaces between words: it finds any three or more characters
anywhere. Words of one or two characters are searched without the index.
Source: sqlite.org/fts5.html, 4.3.4.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from llmchat.errors import UsageError
from llmchat.store.conversations import TITLE, first_line
from llmchat.store.database import storable

_INDEXED = 3  # minimum length of a word for the index
_MOST_WORDS = 64
_WILD, _ESCAPED = re.compile("[%_!]"), r"!\g<0>"  # wildcards of LIKE, and their escape
_BEFORE, _SHOWN = 30, 100  # characters of a snippet: before the match, and in all


@dataclass(frozen=True, slots=True)
class Found:
    """A message that matches. Title and snippet are foreign text, one line each."""

    conversation: str
    message: int
    title: str
    snippet: str  # around the first match
    created_at: float  # seconds since the epoch, UTC


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search, without duplicates. Raises UsageError if there are none, or too many."""
    words = tuple(dict.fromkeys(storable(text).replace("\0", " ").split()))
    if not words:
        raise UsageError("no words to search for", hint="give at least one word")
    if len(words) > _MOST_WORDS:
        raise UsageError(f"a search has at most {_MOST_WORDS} words", hint="remove some")
    return words


def find(connection: sqlite3.Connection, text: str, limit: int) -> tuple[Found, ...]:
    """The `limit` newest messages that contain every word of the text, in any case, also inside other words.

    Raises UsageError as `words_of`.
    """
    words = words_of(text)
    query, values = _query(words)
    rows = connection.execute(query, (*values, limit)).fetchall()
    return tuple(
        Found(conversation, message, first_line(title), _snippet(said, words), created_at)
        for conversation, message, title, said, created_at in rows
    )


def _query(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    # In a quoted string only the quote is special: sqlite.org/fts5.html, 3.2.
    phrases = ['"{}"'.format(word.replace('"', '""')) for word in words if len(word) >= _INDEXED]
    short = [f"%{_WILD.sub(_ESCAPED, word)}%" for word in words if len(word) < _INDEXED]
    terms = ["messages.text LIKE ? ESCAPE '!'"] * len(short)
    source, order = "messages", "messages.id"
    if phrases:
        source, order = "found JOIN messages ON messages.id = found.rowid", "found.rowid"
        terms.insert(0, "found MATCH ?")
    query = f"""SELECT conversation_id, messages.id, {TITLE}, messages.text, messages.created_at
        FROM {source} JOIN conversations ON conversations.id = conversation_id
        WHERE {" AND ".join(terms)} ORDER BY {order} DESC LIMIT ?"""  # noqa: S608 - our own words, theirs are bound
    return query, (*([" ".join(phrases)] if phrases else []), *short)


def _snippet(text: str, words: tuple[str, ...]) -> str:
    place = re.search("|".join(map(re.escape, words)), text, re.IGNORECASE)
    start = max(0, place.start() - _BEFORE if place else 0)
    shown = " ".join(text[start : start + _SHOWN].split())
    before, after = "\u2026" if start else "", "\u2026" if start + _SHOWN < len(text) else ""
    return f"{before}{shown}{after}"
