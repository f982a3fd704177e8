"""Reads which conversations there are without leaving a trace: creates, migrates and waits for nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from llmchat.store.database import translated
from llmchat.store.titles import TITLE, first_line

_RECENT = f"SELECT id, {TITLE} FROM conversations ORDER BY updated_at DESC, head DESC LIMIT ?"  # noqa: S608 - our own


def glance(path: Path, limit: int) -> list[tuple[str, str]]:
    """Id and title, foreign text, of the `limit` conversations that were written to last, newest first.

    None at all where there is no database. Raises StorageError or TryLaterError where it cannot be read now.
    """
    if not path.exists():
        return []
    # Without a write-ahead log nobody has the file open, and `immutable` keeps SQLite from creating one.
    alone = not Path(f"{path}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    with translated(path), closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
        rows = connection.execute(_RECENT, (limit,)).fetchall()
    return [(str(key), first_line(str(title))) for key, title in rows]
