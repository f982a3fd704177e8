"""The saved conversations: finds, lists and loads them; writes only what a dead process left open."""

from __future__ import annotations

import difflib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.generation import Notice
from llmchat.core.journal import Provenance
from llmchat.errors import MissingError, StorageError, UsageError
from llmchat.store.database import Database
from llmchat.store.journal import CallLater, ConversationJournal
from llmchat.store.provenance import COLUMNS, Column, from_columns
from llmchat.store.streaming import STREAMING, WHOLE_TEXT, interrupt_orphans
from llmchat.store.writer import process

_PATIENCE_S = 5.0
_LISTED = 5  # candidates named in an error

# What Crockford's base32 reads the letters as that it leaves out.
_MISREAD = str.maketrans("ilo", "110")

_BRANCH = f"""
WITH RECURSIVE branch (id) AS (
    SELECT head FROM conversations WHERE id = ?
    UNION
    SELECT parent FROM messages JOIN branch USING (id)
)
SELECT messages.id, parent, role, {WHOLE_TEXT}, status, created_at, {", ".join(COLUMNS)}
FROM messages JOIN branch USING (id) ORDER BY depth
"""  # noqa: S608 - our own constants

_SUMMARIES = """
SELECT id, created_at, updated_at,
    coalesce(title, (SELECT substr(text, 1, 1000) FROM messages
                     WHERE conversation_id = conversations.id AND role = 'user' ORDER BY id LIMIT 1), ''),
    (SELECT model FROM messages
     WHERE conversation_id = conversations.id AND model != '' ORDER BY id DESC LIMIT 1),
    coalesce((SELECT depth FROM messages WHERE id = head), 0)
FROM conversations ORDER BY updated_at DESC, head DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list. Times are seconds since the epoch, UTC; title and model are foreign text."""

    id: str
    title: str  # one line: as the person named it, else the first line of the first question
    created_at: float
    updated_at: float
    model: str | None  # of its newest answer
    messages: int  # on the branch that is read


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it was saved. An answer that is still being written counts as interrupted."""

    id: int
    parent: int | None
    message: Message
    created_at: float  # seconds since the epoch, UTC
    provenance: Provenance | None  # of answers


class Store:
    """The conversations in one database file. Every method may raise StorageError or TryLaterError."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self.database = database
        self._now = clock
        self._writer = process(os.getpid())
        interrupt_orphans(database)

    @classmethod
    def open(
        cls, path: Path, *, clock: Callable[[], float] = time.time, patience: float = _PATIENCE_S
    ) -> Store:
        """Opens or creates the database; answers that a dead process left open become interrupted.

        `clock` gives seconds since the epoch; `patience` is how many seconds a lock is waited for.
        Raises CreateError, DeniedError, StorageError or TryLaterError, see `Database.open`.
        """
        database = Database.open(path, patience=patience)
        try:
            return cls(database, clock=clock)
        except BaseException:
            database.close()
            raise

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the person should know about how it was opened."""
        return self.database.notices

    def close(self) -> None:
        """May be called twice."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def journal(self, *, system: str = "", call_later: CallLater | None = None) -> ConversationJournal:
        """For a new conversation; nothing is written before its first question.

        `call_later` is the event loop's: with it text is saved in time when a stream falls silent.
        """
        return ConversationJournal(
            self.database, writer=self._writer, now=self._now, system=system, call_later=call_later
        )

    def resume(
        self, conversation_id: str, *, call_later: CallLater | None = None
    ) -> tuple[Conversation, ConversationJournal]:
        """A conversation and the journal that goes on with it, both of the same moment. See `load`."""
        system, records = self._read(conversation_id)
        journal = ConversationJournal(
            self.database,
            writer=self._writer,
            now=self._now,
            call_later=call_later,
            conversation_id=conversation_id,
            branch=[record.id for record in records],
            system=system,
        )
        return Conversation(system, tuple(record.message for record in records)), journal

    def load(self, conversation_id: str) -> Conversation:
        """The branch that is read, first message first. Raises MissingError where there is no such id."""
        system, records = self._read(conversation_id)
        return Conversation(system, tuple(record.message for record in records))

    def records(self, conversation_id: str) -> tuple[Record, ...]:
        """The same branch with times and provenance. Raises MissingError where there is no such id."""
        return self._read(conversation_id)[1]

    def latest(self) -> str | None:
        """The conversation that was written to last; None where there is none."""
        return next((summary.id for summary in self.list(1)), None)

    def list(self, limit: int) -> tuple[Summary, ...]:
        """The `limit` conversations that were written to last, newest first."""
        with self.database.reading() as connection:
            rows = connection.execute(_SUMMARIES, (limit,)).fetchall()
        return tuple(
            Summary(key, _first_line(title), created_at, updated_at, model, messages)
            for key, created_at, updated_at, title, model, messages in rows
        )

    def resolve(self, given: str) -> str:
        """The id that `last`, an id or the beginning of one means; case and look-alikes do not matter.

        Raises MissingError where there is none, UsageError where there are several.
        """
        with self.database.reading() as connection:
            rows = connection.execute("SELECT id FROM conversations ORDER BY updated_at DESC, head DESC")
            ids = [str(key) for (key,) in rows]
        if not ids:
            raise MissingError("there is no conversation yet", hint="`llmchat` starts one")
        wanted = given.strip().lower()
        if wanted == "last":
            return ids[0]
        wanted = wanted.translate(_MISREAD)
        found = [key for key in ids if key.startswith(wanted)]
        if len(found) == 1 and wanted:
            return found[0]
        if found:
            named = ", ".join(found[:_LISTED]) + (", ..." if len(found) > _LISTED else "")
            raise UsageError(
                f"{len(found)} conversations begin with {given!r}: {named}", hint="type more of it"
            )
        (nearest,) = difflib.get_close_matches(wanted, ids, n=1, cutoff=0.0)
        raise MissingError(
            f"there is no conversation {given!r}; the nearest is {nearest}",
            hint="`llmchat history list` shows them all",
        )

    def delete(self, conversation_id: str) -> None:
        """Erases a conversation with all its branches: overwritten with zeros, not just forgotten.

        Raises MissingError where there is no such id.
        """
        with self.database.writing() as connection:
            erased = connection.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,)).rowcount
        if not erased:
            raise _missing(conversation_id)
        self.database.empty_log()

    def _read(self, conversation_id: str) -> tuple[str, tuple[Record, ...]]:
        interrupt_orphans(self.database)
        with self.database.reading() as connection:
            found = connection.execute(
                "SELECT system FROM conversations WHERE id = ?", (conversation_id,)
            ).fetchone()
            rows = connection.execute(_BRANCH, (conversation_id,)).fetchall()
        if found is None:
            raise _missing(conversation_id)
        return found[0], tuple(_record(*row) for row in rows)


def _missing(conversation_id: str) -> MissingError:
    return MissingError(
        f"there is no conversation {conversation_id!r}", hint="`llmchat history list` shows them all"
    )


def _record(
    key: int, parent: int | None, role: str, text: str, status: str, created_at: float, *provenance: Column
) -> Record:
    try:
        ended = Status.INTERRUPTED if status == STREAMING else Status(status)
        return Record(key, parent, Message(Role(role), text, ended), created_at, from_columns(provenance))
    except (ValueError, TypeError, UsageError) as error:
        raise StorageError(
            f"message {key} cannot be read: {error}", hint="another program changed the database"
        ) from error


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")
