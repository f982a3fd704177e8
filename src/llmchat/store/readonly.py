"""Opens a database to read it only: creates no file, migrates nothing and changes no byte."""

from __future__ import annotations

import os
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
    """What was found in a database that can be used."""

    size: int  # bytes
    version: int
    outdated: bool  # the next chat migrates it
    conversations: int
    index_damage: bool  # the search would miss something


def list_read_only(path: Path, limit: int) -> tuple[Summary, ...]:
    """The `limit` conversations that were written to last, newest first; none if there is no database.

    Waits for no lock. Raises StorageError or TryLaterError if it cannot be read now.
    """
    if not path.exists():
        return ()
    with open_read_only(path, patience=0) as connection:
        return list_summaries(connection, limit)


def inspect(path: Path, *, patience: float = 1.0) -> Inspection:
    """Reads all of an existing database; waits `patience` seconds for a lock of another process.

    Raises what opening it for a chat would: StorageError if it is damaged, newer, another program's or
    read-only, TryLaterError if it is locked, DeniedError if it may not be read.
    """
    _check_access(path)
    _check_lock(path, patience)
    before = _log_of(path).exists()
    try:
        return _inspect(path, patience)
    except StorageError:
        if before or not _log_of(path).exists():
            raise
        return _inspect(path, patience)  # somebody has begun to write meanwhile


def check_command(path: Path) -> str:
    """The shell command that looks for damage in this database."""
    return f"sqlite3 {_quote(path)} '{_CHECK}'"


def rebuild_command(path: Path) -> str:
    """The shell command that mends `index_damage` in this database."""
    return f'sqlite3 {_quote(path)} "{_REBUILD}"'


def _quote(path: Path) -> str:
    import shlex  # not on the way to the first prompt

    return shlex.quote(str(path))


@contextmanager
def open_read_only(path: Path, *, patience: float) -> Iterator[sqlite3.Connection]:
    """The database, read-only; waits `patience` seconds for a lock. Faults of SQLite are translated.

    SQLite would create a log that is not there, unless the file is `immutable`: nobody has it open then.
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
        raise DeniedError(f"{path} may not be read", hint="look at its permissions")
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        raise read_only(path)


def _check_lock(path: Path, patience: float) -> None:
    """Raises TryLaterError if another process keeps everybody from writing.

    A reader never notices a writer, so this takes the writer's lock for a moment: SQLite's own, on a byte of
    its own file, so a lock file would not do. This process must not have the database open: closing any
    descriptor of the file drops the locks it holds on it.
    """
    shared = Path(f"{path}-shm")
    if os.name != "posix" or not shared.exists():
        return
    import fcntl  # filelock cannot look at one byte, which is where SQLite has its lock

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
