"""What is kept of a conversation as it happens, and of an answer that has ended. Writes nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from llmchat.core.conversation import Message, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.errors import BrokenReply, StorageError, TryLaterError


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer came from and what it cost. Times are in seconds; None is unknown."""

    backend: str
    model: str
    settings: Settings
    reason: FinishReason | None = None
    usage: Usage = Usage()
    first_token_s: float | None = None
    total_s: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that has ended, however it did. `unshown` is the end of `text` that no event carried.

    `messages` are what the turn adds to its conversation: the question, if it asked one, and the answer.
    """

    text: str
    status: Status
    provenance: Provenance
    messages: tuple[Message, ...] = ()
    unshown: str = ""
    unsaved: StorageError | TryLaterError | None = None  # the answer, or a part of it, is not in the journal
    fault: BrokenReply | None = None  # it came to its end, but is not what it had to be


class Journal(Protocol):
    """Keeps a conversation as it happens. It knows which message is the newest; new ones go below it.

    Everything may raise StorageError, or TryLaterError where the journal is locked. That means "not yet":
    what a call could not write is kept, and written with the next call that can.
    """

    def begin(self, message: Message, provenance: Provenance | None = None) -> None:
        """Opens a message below the newest one, which it becomes. A question is complete at once.

        What is known of an answer's provenance is kept from the start: it may not live to its end.
        """

    def append(self, text: str) -> None:
        """More text of the newest message."""

    def end(self, status: Status, provenance: Provenance) -> None:
        """The newest message is over."""

    def back(self) -> None:
        """The message before the newest becomes the newest; what is left stays kept as a sibling.

        Where it fails, nothing has moved.
        """


class NullJournal:
    """Keeps nothing beyond the chat itself: for `--no-save`."""

    def begin(self, message: Message, provenance: Provenance | None = None) -> None: ...

    def append(self, text: str) -> None: ...

    def end(self, status: Status, provenance: Provenance) -> None: ...

    def back(self) -> None: ...
