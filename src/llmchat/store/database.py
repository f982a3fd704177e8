"""The SQLite file: opens it, runs transactions, translates its errors; knows no conversation."""

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
    """Turns every fault of SQLite into an error of llmchat. A ProgrammingError is a bug and stays one."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        raise _explain(error, path) from error


def _explain(error: sqlite3.Error, path: Path) -> LLMChatError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)  # the module's own errors have none
    match code & 0xFF:  # the rest is detail: sqlite.org/rescode.html
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return locked(path)
        case _ if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE):  # the latter: no room for -shm
            return StorageError(f"the disk is full: {path} cannot grow", hint="free some space")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return read_only(path)
        case sqlite3.SQLITE_CANTOPEN:
            return unusable(path)
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return damaged(path, "is damaged, or not a database; it was left as it is")
        case sqlite3.SQLITE_CONSTRAINT if code == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
            return StorageError(
                "this conversation is no longer there: another process erased it",
                hint="start a new one",
            )
        case _:
            return StorageError(
                f"reading or writing {path} failed: {error}", hint="`llmchat doctor` looks at it more closely"
            )


def locked(path: Path) -> TryLaterError:
    """Another process keeps this one from reading or writing."""
    return TryLaterError(
        "the conversations are locked by another program",
        hint=f"try again in a moment, or close what else has {path} open",
    )


def read_only(path: Path) -> StorageError:
    """The file, or its folder, may not be written."""
    return StorageError(f"{path} is read-only", hint="make it writable, or chat with --no-save")


def unusable(path: Path) -> StorageError:
    """There is something else in place of the file."""
    return StorageError(f"cannot open {path}", hint="it has to be a file that you may read and write")


def damaged(path: Path, what: str) -> StorageError:
    """SQLite cannot make sense of the file; `what` follows its name."""
    hint = f'move it away to start afresh; `sqlite3 "{path}" .recover` may save what it holds'
    return StorageError(f"{path} {what}", hint=hint)


def storable(text: str) -> str:
    """The text as SQLite can keep it: UTF-8 has no place for half a surrogate pair, which becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Database:
    """An open database of the current schema. Belongs to the thread that opened it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, notices: tuple[Notice, ...]) -> None:
        self.path = path
        self.connection = connection
        self.notices = notices
        (self._patience_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
        self._waits_ms = self._patience_ms

    @classmethod
    def open(cls, path: Path, *, patience: float) -> Database:
        """Opens or creates the file, and brings it to the current schema in one transaction.

        `patience` is how many seconds a lock of another process is waited for. Raises CreateError,
        DeniedError, TryLaterError if it is locked, and StorageError if it is damaged, newer,
        another program's, read-only, or the disk is full.
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
        """A transaction in which every query sees the same moment."""
        with translated(self.path), _transaction(self.connection, "DEFERRED"):
            yield self.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes: all of it is on disk when it is left, or nothing.

        IMMEDIATE takes the lock first: one that only finds out later that it must wait can never be let in.
        """
        try:
            with translated(self.path), _transaction(self.connection, "IMMEDIATE"):
                yield self.connection
        except TryLaterError:
            # Who has waited in vain once must not make a stream stutter at every piece of it.
            self._wait_for(_SHORT_PATIENCE_S * 1000)
            raise
        self._wait_for(self._patience_ms)

    def _wait_for(self, milliseconds: float) -> None:
        waits = int(min(milliseconds, self._patience_ms))
        if waits != self._waits_ms:
            self.connection.execute(f"PRAGMA busy_timeout = {waits}")
            self._waits_ms = waits

    def shrink(self) -> None:
        """Writes the database anew without its free pages. Takes as much room on the disk meanwhile."""
        with translated(self.path):
            self.connection.execute("VACUUM")

    def empty_log(self) -> None:
        """Moves the write-ahead log into the database and empties it: it still holds what was erased.

        Where another process is reading, that is left to whoever closes the database last.
        """
        with translated(self.path):
            self.connection.execute("PRAGMA wal_checkpoint (TRUNCATE)").fetchone()

    def close(self) -> None:
        """May be called twice."""
        with translated(self.path):
            self.connection.close()


def _create_private(path: Path) -> tuple[Notice, ...]:
    """Makes sure that this database file is there, its folder 0700 and it 0600, whatever the umask.

    What others could read is restricted to its owner, and the notices say so. Raises CreateError where folder
    or file cannot be created, DeniedError if something open to other users cannot be restricted.
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
    # SQLite gives the mode of the database to the two files beside it; these may be older than that.
    kept = (path.parent, path, Path(f"{path}-wal"), Path(f"{path}-shm"))
    hint = "take it from them, or set LLMCHAT_HOME to a folder of your own"
    return tuple(Notice(said) for each in kept if (said := restrict_to_owner(each, hint=hint)))


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself after some faults
            connection.execute("ROLLBACK")
        raise


def _prepare(connection: sqlite3.Connection, deadline: float) -> None:
    current = schema.check(connection)
    _write_ahead(connection, deadline)
    # In WAL mode NORMAL is enough to survive the end of a process, however it dies: what was written is in
    # the kernel's hands. FULL also survives a power cut, for one fsync a commit: three a turn, one a second
    # in between. "The question is saved before it is sent" should hold when the battery dies, too.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten with zeros
    if not current:
        with _transaction(connection, "IMMEDIATE"):
            schema.migrate(connection)
    connection.execute("PRAGMA foreign_keys = ON")  # off while migrating, so that a step may rebuild a table


def _write_ahead(connection: sqlite3.Connection, deadline: float) -> None:
    """Readers and a writer side by side. The switch is remembered in the file.

    SQLite does not wait for a lock here where two processes switch at once, so this does.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
