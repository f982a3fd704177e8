"""Reads which conversations there are without leaving a trace: creates, migrates and waits for nothing."""

from __future__ import annotations

from pathlib import Path

from llmchat.store.database import translated
from llmchat.store.reading import reading
from llmchat.store.summaries import TITLE, first_line

_RECENT = f"SELECT id, {TITLE} FROM conversations ORDER BY updated_at DESC, head DESC LIMIT ?"  # noqa: S608 - our own


def glance(path: Path, limit: int) -> list[tuple[str, str]]:
    """Id and title, foreign text, of the `limit` conversations that were written to last, newest first.

    None at all where there is no database. Raises StorageError or TryLaterError where it cannot be read now.
    """
    if not path.exists():
        return []
    with translated(path), reading(path, patience=0) as connection:
        rows = connection.execute(_RECENT, (limit,)).fetchall()
    return [(str(key), first_line(str(title))) for key, title in rows]
