"""Full-text search over all messages, on every branch. What people type is text, never an operator.

The index holds trigrams, because Chinese has no spaces between its words: it finds three characters or
more in the middle of anything. Words of one or two characters are looked for without it.
Source: sqlite.org/fts5.html, 4.3.4.
"""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass

from llmchat.errors import UsageError
from llmchat.store.conversations import TITLE, first_line
from llmchat.store.database import storable

_INDEXED = 3  # characters of a word that the index can find
_MOST_WORDS = 64
_WILD, _ESCAPED = re.compile("[%_!]"), r"!\g<0>"  # what LIKE reads as more than a character, and the cure
_BEFORE, _SHOWN = 30, 100  # characters of a snippet, before what was found and in all


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was found. Title and snippet are one line each of foreign text."""

    conversation: str
    message: int
    title: str
    snippet: str  # around the first place where a word of the search was found
    created_at: float  # seconds since the epoch, UTC


def words_of(text: str) -> tuple[str, ...]:
    """The words of a search, each once. Raises UsageError if there is none, or far too many."""
    words = tuple(dict.fromkeys(storable(text).replace("\0", " ").split()))
    if not words:
        raise UsageError("there is nothing to search for", hint="give a word or more")
    if len(words) > _MOST_WORDS:
        raise UsageError(f"a search has at most {_MOST_WORDS} words", hint="leave some out")
    return words


def find(connection: sqlite3.Connection, text: str, limit: int) -> tuple[Found, ...]:
    """The `limit` newest messages that hold every word of the text, in any case and as a part of others.

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
    # A quoted string is a phrase in which nothing but the quote means anything: sqlite.org/fts5.html, 3.2.
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
