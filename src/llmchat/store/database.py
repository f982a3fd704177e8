"""Opens the SQLite file, runs transactions, translates SQLite's errors; knows no table."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llmchat.core.generation import Notice
from llmchat.errors import CreateError, LLMChatError, StorageError, TryLaterError
from llmchat.private import make_private_folder, open_private, restrict_to_owner
from llmchat.store import schema

_SHORT_PATIENCE_S = 0.1


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Translates SQLite's errors into llmchat's. A ProgrammingError is a bug, and is not translated."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        raise _explain(error, path) from error


def _explain(error: sqlite3.Error, path: Path) -> LLMChatError:
    code = getattr(
        error, "sqlite_errorcode", sqlite3.SQLITE_ERROR
    )  # errors of the sqlite3 module itself have no code
    match code & 0xFF:  # the primary code, without details: sqlite.org/rescode.html
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return locked(path)
        case _ if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):  # the latter: no room for -shm
            return StorageError(f"the disk is full: {path} cannot grow", hint="free some space")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return read_only(path)
        case sqlite3.SQLITE_CANTOPEN:
            return unusable(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, "is damaged, or not a database; it was not changed")
        case sqlite3.SQLITE_CONSTRAINT if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return StorageError(
                "this conversation is no longer there: another process erased it",
                hint="start a new one",
            )
        case _:
            return StorageError(
                f"reading or writing {path} failed: {error}", hint="`llmchat doctor` checks it"
            )


def locked(path: Path) -> TryLaterError:
    """The error for a database that another process has locked."""
    return TryLaterError(
        "the conversations are locked by another process",
        hint=f"try again in a moment, or close other programs that use {path}",
    )


def read_only(path: Path) -> StorageError:
    """The error for a file or folder that cannot be written to."""
    return StorageError(f"{path} is read-only", hint="make it writable, or chat with --no-save")


def unusable(path: Path) -> StorageError:
    """The error for a path that is not a usable file."""
    return StorageError(f"cannot open {path}", hint="it must be a file that you can read and write")


def damaged(path: Path, what: str) -> StorageError:
    """The error for a damaged file; `what` follows its name in the message."""
    hint = f'move it away to start with a new one; `sqlite3 "{path}" .recover` may recover its content'
    return StorageError(f"{path} {what}", hint=hint)


def storable(text: str) -> str:
    """The text in valid UTF-8, as SQLite needs it: lone surrogates become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Database:
    """An open database with the current schema. To be used only in the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, notices: tuple[Notice, ...]) -> None:
        self.path = path
        self.connection = connection
        self.notices = notices
        (self._patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        self._waits_ms = self._patience_ms

    @classmethod
    def open(cls, path: Path, *, patience: float) -> Database:
        """Opens or creates the file, and migrates it to the current schema in one transaction.

        `patience` is how many seconds to wait for a lock of another process. Raises CreateError,
        DeniedError, TryLaterError if it is locked, and StorageError if it is damaged, has a newer schema,
        belongs to another program, is read-only, or the disk is full.
        """
        notices = _create_private(path)
        with translated(path):
            # mode=rw: only _create_private creates it, with the right permissions.
            connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=patience, isolation_level=None
            )
            try:
                _prepare(connection, time.monotonic() + patience)
                return cls(path, connection, notices)
            except BaseException:
                connection.close()
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A read transaction: every query sees the same state."""
        with translated(self.path), _transaction(self.connection, "DEFERRED"):
            yield self.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: when the context is left, all of it is on disk, or nothing.

        IMMEDIATE takes the lock first: a transaction that upgrades from reading could never get it.
        """
        try:
            with translated(self.path), _transaction(self.connection, "IMMEDIATE"):
                yield self.connection
        except TryLaterError:
            # After one wait in vain, further writes do not wait: a stream must not stutter at every piece.
            self._wait_for(_SHORT_PATIENCE_S * 1000)
            raise
        self._wait_for(self._patience_ms)

    def _wait_for(self, milliseconds: float) -> None:
        waits = int(min(milliseconds, self._patience_ms))
        if waits != self._waits_ms:
            self.connection.execute(f"PRAGMA busy_timeout = {waits}")
            self._waits_ms = waits

    def shrink(self) -> None:
        """Rewrites the database without free pages (VACUUM). Needs as much disk space again meanwhile."""
        with translated(self.path):
            self.connection.execute("VACUUM")

    def empty_log(self) -> None:
        """Moves the write-ahead log into the database and empties it, as it still has what was erased.

        If another process is reading, that is left to the last process that closes the database.
        """
        with translated(self.path):
            self.connection.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchone()

    def close(self) -> None:
        """May be called twice."""
        with translated(self.path):
            self.connection.close()


def _create_private(path: Path) -> tuple[Notice, ...]:
    """Makes sure that the database file exists with mode 0600, in a folder with mode 0700.

    What others could read is restricted to its owner, with notices. Raises CreateError if folder or file
    cannot be created, DeniedError if wider permissions cannot be changed.
    """
    try:
        make_private_folder(path.parent)
        # Only a file that was not there is ever opened here: closing any descriptor of a database drops the
        # POSIX locks that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
        with suppress(FileExistsError):
            open_private(path, "xb").close()
    except OSError as error:
        raise CreateError(
            f"cannot create {path}: {error.strerror or error}",
            hint="set LLMCHAT_HOME to a folder you may write to, or chat with --no-save",
        ) from error
    # SQLite gives the -wal and -shm files the database's mode; existing ones may be older.
    kept = (path.parent, path, Path(f"{path}-wal"), Path(f"{path}-shm"))
    hint = "remove their access, or set LLMCHAT_HOME to another folder"
    return tuple(Notice(said) for each in kept if (said := restrict_to_owner(each, hint=hint)))


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends the transaction itself after some errors
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, deadline: float) -> None:
    current = schema.check(connection)
    _write_ahead(connection, deadline)
    # In WAL mode NORMAL is enough to survive a killed process, as the kernel has what was written. FULL also
    # survives a power failure, for one fsync per commit: three per turn, one per second in between. "The
    # question is saved before it is sent" should hold when the battery dies, too.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten with zeros
    if not current:
        with _transaction(connection, "IMMEDIATE"):
            schema.migrate(connection)
    connection.execute("PRAGMA foreign_keys = ON")  # off while migrating, so that a step may rebuild a table


def _write_ahead(connection: sqlite3.Connection, deadline: float) -> None:
    """Switches to WAL mode, which lets readers and a writer work at once. The file remembers it.

    SQLite does not wait for a lock if two processes switch at once, so this does.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
