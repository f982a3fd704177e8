"""Ordinary implementations of the protocols: a backend that follows a script, a journal that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Message, Status
from llmchat.core.generation import Event, Limits, Request, Settings, TokenCount, no_events
from llmchat.core.journal import Provenance
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import LLMChatError, StorageError, TryLaterError


class Silence(Enum):
    """What a script may hold besides events and errors."""

    HANG = "says nothing more until the stream is closed"


Step = Event | LLMChatError | Silence


class ScriptedBackend:
    """Answers each request with the next script; a token is a word. Remembers what it was asked for.

    `log` is shared with a journal where the order of the two matters.
    """

    name = "scripted"

    def __init__(
        self,
        *scripts: Sequence[Step],
        limits: Limits = Limits(1_000_000),  # noqa: B008 - frozen
        prompt_format: PromptFormat | None = None,
        defaults: Settings = Settings(),
        system: str | None = None,
        log: list[str] | None = None,
    ) -> None:
        self.model = "scripted-1"
        self.prompt_format = prompt_format
        self.defaults = defaults
        self.system = system
        self.requests: list[Request] = []
        self.counted = 0
        self.streams_open = 0
        self.closed = False
        self.hanging = asyncio.Event()
        self.log = [] if log is None else log
        self._scripts = list(scripts)
        self._limits = limits

    def prepare(self) -> AsyncGenerator[Event, None]:
        return no_events()

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

    async def limits(self) -> Limits:
        return self._limits

    async def can_continue(self) -> bool:
        return True

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        pass

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
