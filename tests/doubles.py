"""Ordinary implementations of the protocols: a scripted model, a journal that remembers, a talk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from llmchat.core.attempts import Recovery
from llmchat.core.backend import Attempt, Backend, Connected, Connection, Limits, ModelInfo, TokenCount
from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation, Message, Status
from llmchat.core.generation import Event, NoticesSaid, Request, Settings
from llmchat.core.journal import Journal, NullJournal, Provenance, Reply
from llmchat.core.prompt_format import PromptFormat
from llmchat.core.turn import Turn, TurnContext
from llmchat.errors import LLMChatError, StorageError, TryLaterError


class Silence(Enum):
    """What a script may hold besides events and errors."""

    HANG = "says nothing more until the stream is closed"


Step = Event | LLMChatError | Silence


class ScriptedBackend:
    """Answers each request with the next script; a token is a word. Remembers what it was asked for.

    It is its own connection.

    `log` is shared with a journal where the order of the two matters.
    """

    is_guess = False

    def __init__(
        self,
        *scripts: Sequence[Step],
        limits: Limits = Limits(1_000_000),  # noqa: B008 - frozen
        prompt_format: PromptFormat | None = None,
        defaults: Settings = Settings(),
        system: str | None = None,
        log: list[str] | None = None,
    ) -> None:
        self.info = ModelInfo("scripted", "scripted-1", limits, prompt_format, defaults, system)
        self.requests: list[Request] = []
        self.counted = 0
        self.streams_open = 0
        self.closed = False
        self.hanging = asyncio.Event()
        self.log = [] if log is None else log
        self._scripts = list(scripts)

    @property
    def unasked(self) -> Backend | None:
        return self

    async def connect(self) -> AsyncGenerator[Event | Connected, None]:
        yield Connected(self)

    def recoveries(self) -> Sequence[Recovery[Attempt]]:
        return ()

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        self.log.append("asked")
        self.streams_open += 1
        try:
            for step in self._scripts.pop(0):
                if isinstance(step, LLMChatError):
                    raise step
                if step is Silence.HANG:
                    self.hanging.set()
                    await asyncio.Event().wait()
                else:
                    yield step
        finally:
            self.streams_open -= 1

    async def render(self, request: Request) -> str:
        return "\n".join(message.text for message in request.messages)

    async def count(self, request: Request) -> TokenCount:
        self.counted += 1
        return TokenCount(len((await self.render(request)).split()), exact=True)

    async def can_continue(self) -> bool:
        return True

    async def aclose(self) -> None:
        self.closed = True


@dataclass
class RecordingJournal:
    """Remembers every call; those named in `faults` raise instead, as often as it says."""

    log: list[str] = field(default_factory=list)
    begun: list[Message] = field(default_factory=list)
    origins: list[Provenance | None] = field(default_factory=list)
    text: str = ""
    ended: list[tuple[Status, Provenance]] = field(default_factory=list)
    faults: dict[str, list[StorageError | TryLaterError]] = field(default_factory=dict)

    def begin(self, message: Message, provenance: Provenance | None = None) -> None:
        self._record(f"begin {message.role}")
        self.begun.append(message)
        self.origins.append(provenance)

    def append(self, text: str) -> None:
        self._record("append")
        self.text += text

    def end(self, status: Status, provenance: Provenance) -> None:
        self._record("end")
        self.ended.append((status, provenance))

    def back(self) -> None:
        self._record("back")

    def _record(self, call: str) -> None:
        self.log.append(call)
        if pending := self.faults.get(call.partition(" ")[0]):
            raise pending.pop(0)


class Talk:
    """Owns a conversation as a session does, and asks one thing after another in it; keeps nothing."""

    def __init__(
        self,
        connection: Connection,
        journal: Journal | None = None,
        *,
        conversation: Conversation = Conversation(),  # noqa: B008 - frozen
        settings: Settings = Settings(),
        defaults: Settings = Settings(),
    ) -> None:
        self.conversation = conversation
        self.clock: Callable[[], float] = time.monotonic
        self._connection = connection
        self._journal = journal or NullJournal()
        self._chosen = settings
        self._defaults = defaults
        self._notices = NoticesSaid()

    def ask(
        self,
        question: str | None,
        *,
        raw: bool = False,
        stream: bool = True,
        before: str = "",
        constraint: Constraint | None = None,
    ) -> Turn:
        context = TurnContext(
            self._connection,
            self.conversation,
            self._chosen,
            self._defaults,
            self._journal,
            self._notices,
            self._add,
            self.clock,
        )
        return Turn(context, question, raw=raw, stream=stream, before=before, constraint=constraint)

    def _add(self, reply: Reply) -> None:
        for message in reply.messages:
            self.conversation = self.conversation.add(message)
