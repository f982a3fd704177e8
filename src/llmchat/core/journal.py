"""The Journal protocol, which saves a conversation while it happens; and Reply, a finished answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from llmchat.core.conversation import Message, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.errors import BrokenReply, StorageError, TryLaterError


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of an answer: backend, model, settings, tokens, times in seconds. None is unknown."""

    backend: str
    model: str
    settings: Settings
    reason: FinishReason | None = None
    usage: Usage = Usage()
    first_token_s: float | None = None
    total_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished answer. `unshown` is the end of `text` that was not part of any event.

    `messages` are what the turn adds to the conversation: the question, if it asked one, and the answer.
    """

    text: str
    status: Status
    provenance: Provenance
    messages: tuple[Message, ...] = ()
    unshown: str = ""
    unsaved: StorageError | TryLaterError | None = None  # the answer, or a part of it, could not be saved
    fault: BrokenReply | None = None  # it ended normally, but does not match the constraint


class Journal(Protocol):
    """Saves a conversation while it happens. New messages follow the newest one.

    Every method may raise StorageError, or TryLaterError if the database is locked. That means "not yet":
    what could not be written is written with the next call that succeeds.
    """

    def begin(self, message: Message, provenance: Provenance | None = None) -> None:
        """Starts a message after the newest one. A question is complete at once.

        An answer's known provenance is saved at its start, as the process may not survive to its end.
        """

    def append(self, text: str) -> None:
        """Appends text to the newest message."""

    def end(self, status: Status, provenance: Provenance) -> None:
        """Ends the newest message."""

    def back(self) -> None:
        """Goes back by one message; the one that was the newest stays saved as a sibling.

        If it fails, nothing has changed.
        """


class NullJournal:
    """Saves nothing: for `--no-save`."""

    def begin(self, message: Message, provenance: Provenance | None = None) -> None: ...

    def append(self, text: str) -> None: ...

    def end(self, status: Status, provenance: Provenance) -> None: ...

    def back(self) -> None: ...
