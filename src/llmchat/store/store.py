"""The Store: finds, lists, loads, renames, exports and erases saved conversations."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from llmchat.core.conversation import Conversation
from llmchat.core.generation import Notice
from llmchat.errors import StorageError, TryLaterError
from llmchat.store.conversations import Summary, list_ids, list_summaries, read_system, write_title
from llmchat.store.database import Database
from llmchat.store.export import ConversationExport, read_export, write_export
from llmchat.store.ids import choose_id, missing
from llmchat.store.journal import CallLater, ConversationJournal
from llmchat.store.messages import Record, interrupt_orphans, read_branch, read_writer
from llmchat.store.search import Found, find
from llmchat.store.tree import Node, read_tree, switch_branch
from llmchat.store.writer import is_alive, process

_PATIENCE_S = 5.0


class Store:
    """All saved conversations, in one database. Every method may raise StorageError or TryLaterError."""

    def __init__(self, database: Database, *, clock: Callable[[], float]) -> None:
        self.database = database
        self._now = clock
        self._writer = process(os.getpid())
        interrupt_orphans(database)

    @classmethod
    def open(
        cls, path: Path, *, clock: Callable[[], float] = time.time, patience: float = _PATIENCE_S
    ) -> Store:
        """Opens or creates the database; marks unfinished answers of ended processes as interrupted.

        `clock` gives seconds since the epoch; `patience` is how many seconds to wait for a lock.
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
        """Notices about opening it."""
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
        """The journal of a new conversation; nothing is written before its first question.

        `call_later` is the event loop's: with it text is saved in time when a stream pauses.
        """
        return ConversationJournal(
            self.database, writer=self._writer, now=self._now, system=system, call_later=call_later
        )

    def resume(
        self, conversation_id: str, *, call_later: CallLater | None = None
    ) -> tuple[Conversation, ConversationJournal]:
        """A conversation and the journal that continues it, read in one transaction. See `load`."""
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
        if self._is_open_elsewhere(conversation_id):
            journal.share()
        return Conversation(system, tuple(record.message for record in records)), journal

    def load(self, conversation_id: str) -> Conversation:
        """The current branch of a conversation. Raises MissingError if there is no such id."""
        system, records = self._read(conversation_id)
        return Conversation(system, tuple(record.message for record in records))

    def records(self, conversation_id: str) -> tuple[Record, ...]:
        """The same branch with times and provenance. Raises MissingError if there is no such id."""
        return self._read(conversation_id)[1]

    def list(self, limit: int) -> tuple[Summary, ...]:
        """The `limit` most recently written conversations, newest first."""
        with self.database.reading() as connection:
            return list_summaries(connection, limit)

    def resolve(self, given: str) -> str:
        """The id for `last`, an id or the beginning of one; see `choose_id`.

        Raises MissingError if there is none, UsageError if there are several.
        """
        with self.database.reading() as connection:
            ids = list_ids(connection)
        return choose_id(given, ids)

    def search(self, text: str, limit: int) -> tuple[Found, ...]:
        """The `limit` newest messages, on any branch, that contain every word of the text.

        Raises UsageError if there are no words, or too many.
        """
        with self.database.reading() as connection:
            return find(connection, text, limit)

    def set_title(self, conversation_id: str, title: str) -> None:
        """Sets a conversation's title; "" removes it. Raises MissingError if there is no such id."""
        with self.database.writing() as connection:
            if not write_title(connection, conversation_id, title):
                raise missing(conversation_id)

    def tree(self, conversation_id: str) -> tuple[Node, ...]:
        """Every message, parents before children. Raises MissingError if there is no such id."""
        interrupt_orphans(self.database)
        with self.database.reading() as connection:
            nodes = read_tree(connection, conversation_id)
        if not nodes:  # a conversation is saved with its first message
            raise missing(conversation_id)
        return nodes

    def switch(self, conversation_id: str, message: int) -> None:
        """Makes the branch that ends in the newest descendant of a message the current one.

        An open journal of the conversation is not changed: use the one that `resume` returns. Raises
        MissingError if the conversation has no such message.
        """
        with self.database.writing() as connection:
            switch_branch(connection, conversation_id, message, self._now())

    def export(self, conversation_id: str) -> ConversationExport:
        """A conversation with all its branches. Raises MissingError if there is no such id."""
        interrupt_orphans(self.database)
        with self.database.reading() as connection:
            return read_export(connection, conversation_id)

    def restore(self, conversations: Iterable[ConversationExport]) -> tuple[str | None, ...]:
        """Imports all of these or, on an error, none; returns the id of each.

        A conversation whose id is taken gets another one; None means that exactly this one exists already.
        """
        with self.database.writing() as connection:
            return tuple(write_export(connection, each, self._writer) for each in conversations)

    def delete(self, *conversation_ids: str) -> None:
        """Erases these conversations with all branches, overwriting them with zeros.

        Raises MissingError if there is no such id; then none is erased.
        """
        with self.database.writing() as connection:
            for key in conversation_ids:
                if not connection.execute("DELETE FROM conversations WHERE id = ?", (key,)).rowcount:
                    raise missing(key)
            # The index only marks what was deleted; optimizing rewrites it without.
            connection.execute("INSERT INTO found (found) VALUES ('optimize')")
        with suppress(StorageError, TryLaterError):  # frees disk space; what was erased is overwritten by now
            self.database.shrink()
        self.database.empty_log()

    def _is_open_elsewhere(self, conversation_id: str) -> bool:
        """True if another running process wrote the newest message: it may write the next one, too."""
        with self.database.reading() as connection:
            writer = read_writer(connection, conversation_id)
        return writer is not None and writer != self._writer and is_alive(writer)

    def _read(self, conversation_id: str) -> tuple[str, tuple[Record, ...]]:
        interrupt_orphans(self.database)
        with self.database.reading() as connection:
            system = read_system(connection, conversation_id)
            records = read_branch(connection, conversation_id)
        if system is None:
            raise missing(conversation_id)
        return system, records
