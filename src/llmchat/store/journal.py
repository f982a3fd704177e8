"""Writes a conversation to the store while it happens; never rewrites finished messages."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Notice
from llmchat.core.journal import Provenance
from llmchat.errors import StorageError, TryLaterError
from llmchat.store.conversations import insert_conversation, read_head, write_head, write_system
from llmchat.store.database import Database
from llmchat.store.ids import new_id
from llmchat.store.messages import Saved, append_text, end_message, insert_message
from llmchat.store.writer import WriterProcess

_INTERVAL_S = 1.0
_BUFFER_BYTES = 2048


class Timer(Protocol):
    """The result of `call_later`, like asyncio's."""

    def cancel(self) -> None: ...


SHARED = Notice(
    "another llmchat is writing to this conversation, too: each continues on its own branch, nothing is lost"
)

CallLater = Callable[[float, Callable[[], None]], Timer]


@dataclass(slots=True, eq=False)
class _Entry:
    """A message of the branch: its id if it is on disk, and what is not written yet."""

    id: int | None
    saved: Saved | None = None  # only until it has an id
    parent: _Entry | None = None
    provenance: Provenance | None = None  # of its end
    buffer: list[str] = field(default_factory=list)
    ended: Status | None = None


class ConversationJournal:
    """The Journal of one conversation in the store.

    A new conversation gets its row with its first message, so that an empty session leaves no trace. What a
    call fails to write is written with the next one that succeeds: an error means "not on disk yet". Errors:
    TryLaterError if the database is locked, else StorageError.
    """

    def __init__(
        self,
        database: Database,
        *,
        writer: WriterProcess,
        now: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        call_later: CallLater | None = None,
        conversation_id: str | None = None,
        branch: Sequence[int] = (),
        system: str = "",
    ) -> None:
        """`branch` has the keys of the messages, from the first to the newest one.

        `now` is the time of day in seconds since the epoch, `clock` a monotonic one that paces `append`.
        With `call_later` text is also written in time when a stream pauses.
        """
        self._database = database
        self._writer = writer
        self._now = now
        self._clock = clock
        self._call_later = call_later
        self.conversation_id = conversation_id
        """The conversation's id; None until the first question is saved."""
        self._branch = [_Entry(key) for key in branch]
        self._system = system
        self._unwritten: list[_Entry] = []  # entries with something to write, oldest first
        self._head = (
            branch[-1] if branch else None
        )  # the newest message on disk, as this process wrote or found it
        self._shared = False  # another process writes to the conversation, and the notice was given
        self._notices: list[Notice] = []
        self._head_changed = False  # there is a new newest message, or it has ended
        self._system_changed = False
        self._buffered = 0  # bytes since the last attempt to write
        self._tried_at = clock()
        self._timer: Timer | None = None

    def share(self) -> None:
        """Adds a notice, once, that another process writes to this conversation, too."""
        if not self._shared:
            self._shared = True
            self._notices.append(SHARED)

    def take_notices(self) -> list[Notice]:
        """The notices since the last call."""
        notices, self._notices = self._notices, []
        return notices

    def begin(self, message: Message, provenance: Provenance | None = None) -> None:
        """Starts a message after the newest one; it is on disk when this returns."""
        self._unwritten.append(self._add(Saved(message, provenance)))
        self._head_changed = True
        self._write()

    def append(self, text: str) -> None:
        """Appends text to the newest message: on disk after a second or 2 KiB, whichever comes first."""
        self._newest().buffer.append(text)
        self._buffered += len(text.encode("utf-8", "surrogatepass"))
        left = self._tried_at + _INTERVAL_S - self._clock()
        if left <= 0 or self._buffered >= _BUFFER_BYTES:
            self._write()
        elif self._call_later and not self._timer:
            self._timer = self._call_later(left, self._write_in_time)

    def end(self, status: Status, provenance: Provenance) -> None:
        """Ends the newest message; all of it is on disk when this returns."""
        newest = self._newest()
        newest.ended, newest.provenance = status, provenance
        self._head_changed = True
        self._write()

    def start_branch(self, messages: Iterable[Saved]) -> None:
        """Starts a branch with these finished messages, in one transaction; the old branch stays.

        If it fails, nothing has changed.
        """
        with self._writing_branch():
            self._branch = []
            for each in messages:
                entry = self._add(each)
                entry.ended, entry.provenance = each.message.status, each.provenance
            self._unwritten += self._branch

    def back(self) -> None:
        """Goes back by one message; the one that was the newest stays as a sibling.

        Unlike other calls it is not repeated after a failure: the caller can call it again.
        """
        with self._writing_branch():
            self._branch.pop()

    def set_system(self, text: str) -> None:
        """Changes the system message; it is saved with the first question if there is none yet."""
        self._system = text
        if self.conversation_id is not None or self._unwritten:
            self._system_changed = True
            self._write()

    def flush(self) -> None:
        """Writes what could not be written yet: a last attempt at the end of a session."""
        if self._unwritten or self._system_changed:
            self._write()

    @contextmanager
    def _writing_branch(self) -> Iterator[None]:
        """Writes the changed branch; if that fails, restores the branch as it was before."""
        branch, unwritten = [*self._branch], [*self._unwritten]
        try:
            yield
            self._head_changed = True
            self._write()
        except BaseException:
            self._branch, self._unwritten = branch, unwritten
            raise

    def _add(self, saved: Saved) -> _Entry:
        """Adds a message after the newest one."""
        parent = self._branch[-1] if self._branch else None
        if saved.created_at is None:
            saved = replace(saved, created_at=self._now())
        self._branch.append(_Entry(None, saved, parent))
        return self._branch[-1]

    def _newest(self) -> _Entry:
        """The newest message, marked for writing."""
        newest = self._branch[-1]
        if newest not in self._unwritten:
            self._unwritten.append(newest)
        return newest

    def _write_in_time(self) -> None:
        self._timer = None
        with suppress(StorageError, TryLaterError):  # stays buffered: `end` raises if it still fails
            self._write()

    def _write(self) -> None:
        """Writes everything that is not written yet, in one transaction."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        self._tried_at, self._buffered = self._clock(), 0
        keys: dict[_Entry, int] = {}
        with self._database.writing() as connection:
            if (conversation_id := self.conversation_id) is None:
                conversation_id, now = new_id(), self._now()
                insert_conversation(
                    connection, conversation_id, system=self._system, created_at=now, updated_at=now
                )
            for entry in self._unwritten:
                keys[entry] = self._write_entry(connection, entry, conversation_id, keys)
            # Only what changed here: another process may have changed the rest.
            found = head = self._head
            if self._head_changed:
                # The statements that follow detect an erased conversation.
                found = read_head(connection, conversation_id, default=found)
                head = _key(self._branch[-1] if self._branch else None, keys)
                write_head(connection, conversation_id, head, self._now())
            if self._system_changed:
                write_system(connection, conversation_id, self._system, self._now())
        if found != self._head:
            self.share()
        self.conversation_id, self._head = conversation_id, head
        for entry, key in keys.items():
            entry.id, entry.saved = key, None
            entry.buffer.clear()
        self._unwritten.clear()
        self._head_changed = self._system_changed = False

    def _write_entry(
        self, connection: sqlite3.Connection, entry: _Entry, conversation_id: str, keys: dict[_Entry, int]
    ) -> int:
        key = entry.id
        if entry.saved is not None:
            key = insert_message(
                connection,
                conversation_id,
                entry.saved,
                parent=_key(entry.parent, keys),
                writer=self._writer,
                streaming=entry.saved.message.role is Role.ASSISTANT and entry.ended is None,
            )
        assert key is not None, "what is not to be inserted has a key"
        if entry.buffer:
            append_text(connection, key, "".join(entry.buffer))
        if entry.ended:
            end_message(connection, key, entry.ended, entry.provenance)
        return key


def _key(entry: _Entry | None, keys: dict[_Entry, int]) -> int | None:
    return None if entry is None else keys.get(entry, entry.id)
