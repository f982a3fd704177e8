"""Reads the database without changing it: creates no file, migrates nothing."""

from __future__ import annotations

import os
import shlex
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from llmchat.errors import DeniedError, StorageError
from llmchat.store import schema
from llmchat.store.conversations import Summary, list_summaries
from llmchat.store.database import damaged, locked, read_only, translated, unusable

SQLITE_VERSION = sqlite3.sqlite_version

_CHECK = "PRAGMA integrity_check"
_REBUILD = "INSERT INTO found (found) VALUES ('rebuild')"
_LARGEST_COPY = 256 << 20  # bytes
_WRITE_LOCK = 120
"""The byte of the -shm file that a writer locks: sqlite.org/walformat.html, 2.3.1."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The result of inspecting a usable database."""

    size: int  # bytes
    version: int
    outdated: bool  # the next chat migrates it
    conversations: int
    index_damage: bool  # the search index is incomplete


def list_read_only(path: Path, limit: int) -> tuple[Summary, ...]:
    """The `limit` most recently written conversations, newest first; none if there is no database.

    Does not wait for locks. Raises StorageError or TryLaterError if it cannot be read now.
    """
    if not path.exists():
        return ()
    with open_read_only(path, patience=0) as connection:
        return list_summaries(connection, limit)


def inspect(path: Path, *, patience: float = 1.0) -> Inspection:
    """Checks an existing database completely; waits `patience` seconds for a lock of another process.

    Raises what a chat would: StorageError if it is damaged, has a newer schema, belongs to another program
    or is read-only, TryLaterError if it is locked, DeniedError if it cannot be read.
    """
    _check_access(path)
    _check_lock(path, patience)
    before = _log_of(path).exists()
    try:
        return _inspect(path, patience)
    except StorageError:
        if before or not _log_of(path).exists():
            raise
        return _inspect(path, patience)  # a process has started to write meanwhile


def check_command(path: Path) -> str:
    """The shell command that checks this database for damage."""
    return f"sqlite3 {shlex.quote(str(path))} '{_CHECK}'"


def rebuild_command(path: Path) -> str:
    """The shell command that repairs `index_damage` in this database."""
    return f'sqlite3 {shlex.quote(str(path))} "{_REBUILD}"'


@contextmanager
def open_read_only(path: Path, *, patience: float) -> Iterator[sqlite3.Connection]:
    """Opens the database read-only; waits `patience` seconds for a lock. Translates SQLite's errors.

    SQLite would create a missing log. `immutable` prevents that, and is safe if no log exists, as then no
    process has the database open.
    """
    with translated(path):
        with path.open("rb") as file:
            has_log = file.read(20)[18:] == b"\2\2"  # sqlite.org/fileformat2.html, 1.3.3
        how = "immutable=1" if has_log and not _log_of(path).exists() else "mode=ro"
        uri = f"{path.absolute().as_uri()}?{how}"
        with closing(sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)) as connection:
            yield connection


def _log_of(path: Path) -> Path:
    return Path(f"{path}-wal")


def _inspect(path: Path, patience: float) -> Inspection:
    with open_read_only(path, patience=patience) as connection:
        current = schema.check(connection)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (found,) = connection.execute(f"{_CHECK}(1)").fetchone()
        if found != "ok":
            raise damaged(path, f"is damaged: {found}")
        count = connection.execute("SELECT count(*) FROM conversations").fetchone()[0] if version else 0
        size = path.stat().st_size
        damage = current and size <= _LARGEST_COPY and _has_index_damage(connection)
        return Inspection(size, version, not current, count, damage)


def _check_access(path: Path) -> None:
    if not path.is_file():
        raise unusable(path)
    if not os.access(path, os.R_OK):
        raise DeniedError(f"{path} cannot be read: permission denied", hint="check its permissions")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise read_only(path)


def _check_lock(path: Path, patience: float) -> None:
    """Raises TryLaterError if another process has the write lock.

    A reader never notices a writer, so this tests SQLite's own lock, on a byte of its -shm file: a lock file
    would not do. This process must not have the database open: closing any descriptor of the file drops the
    locks it holds on it.
    """
    shared = Path(f"{path}-shm")
    if os.name != "posix" or not shared.exists():
        return
    import fcntl  # filelock cannot test the lock of a single byte, which is what SQLite uses

    deadline = time.monotonic() + patience
    with suppress(FileNotFoundError), shared.open("r+b") as file:
        while True:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _WRITE_LOCK)
                return
            except OSError:
                if time.monotonic() > deadline:
                    break
                time.sleep(0.01)
        raise locked(path)


def _has_index_damage(connection: sqlite3.Connection) -> bool:
    """True if the search index differs from the messages. FTS5 checks a copy in memory.

    FTS5 checks only a writable database (sqlite.org/fts5.html, 6.4).
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
