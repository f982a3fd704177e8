"""Opens a database to read it, leaving no trace: creates no file, migrates nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def reading(path: Path, *, patience: float) -> Iterator[sqlite3.Connection]:
    """The database, read-only; waits so many seconds for a lock.

    SQLite would create a log that is not there, unless the file is `immutable`: nobody has it open then.
    """
    with path.open("rb") as file:
        kept_with_log = file.read(20)[18:] == b"\2\2"  # sqlite.org/fileformat2.html, 1.3.3
    how = "immutable=1" if kept_with_log and not log_of(path).exists() else "mode=ro"
    uri = f"{path.absolute().as_uri()}?{how}"
    with closing(sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None)) as connection:
        yield connection


def log_of(path: Path) -> Path:
    """The write-ahead log of this database."""
    return Path(f"{path}-wal")
