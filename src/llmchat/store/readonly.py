"""Looks at a database file without changing a byte of it or creating one beside it; mends nothing."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from llmchat.errors import DeniedError, StorageError, TryLaterError
from llmchat.store import schema
from llmchat.store.database import translated
from llmchat.store.reading import log_of, reading

SQLITE_VERSION = sqlite3.sqlite_version

_LARGEST_COPY = 256 << 20  # bytes
_WRITE_LOCK = 120
"""Where the lock of a writer is in the -shm file: sqlite.org/walformat.html, 2.3.1."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found in a database that can be used."""

    size: int  # bytes
    version: int
    outdated: bool  # the next chat migrates it
    conversations: int
    index_damage: bool  # the search would miss something


def inspect(path: Path, *, patience: float = 1.0) -> Inspection:
    """Reads all of an existing database; waits `patience` seconds for a lock of another process.

    Raises what opening it for a chat would: StorageError where it is damaged, newer, another program's or
    read-only, TryLaterError where it is locked, DeniedError where it may not be read.
    """
    _check_access(path)
    _check_lock(path, patience)
    before = log_of(path).exists()
    try:
        return _inspect(path, patience)
    except StorageError:
        if before or not log_of(path).exists():
            raise
        return _inspect(path, patience)  # somebody has begun to write meanwhile


def _inspect(path: Path, patience: float) -> Inspection:
    with translated(path), reading(path, patience=patience) as connection:
        current = schema.check(connection)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        _check_pages(path, connection)
        count = connection.execute("SELECT count(*) FROM conversations").fetchone()[0] if version else 0
        size = path.stat().st_size
        missing = current and size <= _LARGEST_COPY and _misses(connection)
        return Inspection(size, version, not current, count, missing)


def _check_access(path: Path) -> None:
    if not path.is_file():
        raise StorageError(f"cannot open {path}", hint="it has to be a file that you may read and write")
    if not os.access(path, os.R_OK):
        raise DeniedError(f"{path} may not be read", hint="look at its permissions")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise StorageError(f"{path} is read-only", hint="make it writable, or chat with --no-save")


def _check_lock(path: Path, patience: float) -> None:
    """Raises TryLaterError where another process keeps everybody from writing.

    Who only reads never notices a writer, so this takes the writer's lock for a moment. This process must not
    have the database open: closing any descriptor of the file drops the locks it holds on it.
    """
    beside = Path(f"{path}-shm")
    if os.name != "posix" or not beside.exists():
        return
    import fcntl

    deadline = time.monotonic() + patience
    with suppress(FileNotFoundError), beside.open("r+b") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _WRITE_LOCK)
                return
            except OSError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)
        raise TryLaterError(
            "the conversations are locked by another program",
            hint=f"try again in a moment, or close what else has {path} open",
        )


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Raises StorageError for the first damage that SQLite finds."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise StorageError(
            f"{path} is damaged: {found}",
            hint=f'move it away to start afresh; `sqlite3 "{path}" .recover` may save what it holds',
        )


def _misses(connection: sqlite3.Connection) -> bool:
    """Whether the index of the search differs from the messages, as FTS5 itself finds in a copy in memory.

    It only looks where it may write (sqlite.org/fts5.html, 6.4).
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as copy:
        connection.backup(copy)
        try:
            copy.execute("INSERT INTO found (found, rank) VALUES ('integrity-check', 1)")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            return True
    return False
