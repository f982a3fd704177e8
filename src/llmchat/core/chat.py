"""A chat and one turn of it: one question in, pieces out, always journalled. No I/O of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Protocol, Self

from llmchat.core.conversation import Conversation, Message, Role, Status, Window
from llmchat.core.generation import (
    Backend,
    Event,
    Finish,
    FinishReason,
    Limits,
    Notice,
    Request,
    Settings,
    Token,
    Usage,
)
from llmchat.core.stop import StopCutter
from llmchat.errors import (
    BrokenReply,
    ContextOverflow,
    InputError,
    LLMChatError,
    StorageError,
    TryLaterError,
)

DEFAULT_MAX_TOKENS = 1024


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
    """An answer that has ended, however it did. `unshown` is the end of `text` that no event carried."""

    text: str
    status: Status
    provenance: Provenance
    unshown: str = ""
    unsaved: StorageError | TryLaterError | None = None  # the answer, or a part of it, is not in the journal


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


class MemoryJournal:
    """Keeps nothing beyond the chat itself: for `--no-save`."""

    def begin(self, message: Message, provenance: Provenance | None = None) -> None: ...

    def append(self, text: str) -> None: ...

    def end(self, status: Status, provenance: Provenance) -> None: ...

    def back(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Planned:
    """A request, and what was left out of it and why; without a window where nothing was chosen."""

    request: Request
    window: Window | None = None
    limits: Limits | None = None

    def notices(self) -> list[Notice]:
        """What the person should know before it is sent."""
        said = []
        if self.limits and self.limits.assumed:
            guess = f"assuming {self.limits.context} tokens"
            said.append(Notice(f"nobody says how much the model can take: {guess}", once=True))
        if self.window and self.window.dropped_turns:
            dropped = self.window.dropped_turns
            which = "the oldest turn does" if dropped == 1 else f"the oldest {dropped} turns do"
            said.append(Notice(f"{which} not fit the model's context window and will not be sent"))
        return said


class Chat:
    """A conversation with one backend at a time.

    `settings` holds what the person set; what they leave open comes from the model's card, then from
    `defaults`. Backend, settings and system message may be changed between turns.
    """

    def __init__(
        self,
        backend: Backend,
        journal: Journal,
        *,
        conversation: Conversation,
        settings: Settings,
        defaults: Settings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.backend = backend
        self.journal = journal
        self.conversation = conversation
        self.settings = settings
        self.defaults = defaults
        self.clock = clock
        self.told: set[Notice] = set()

    def effective_settings(self) -> Settings:
        return self.settings.over(self.backend.defaults).over(self.defaults)

    def ask(self, question: str, *, raw: bool = False, stream: bool = True) -> Turn:
        """The turn that asks this: journalled when it is entered, sent when it is iterated."""
        return Turn(self, Message(Role.USER, question), raw=raw, stream=stream)

    def retry(self) -> Turn:
        """The turn that asks the newest question again; the old answer stays in the journal as a sibling.

        Raises InputError where there is no question yet.
        """
        if not any(message.role is Role.USER for message in self.conversation.messages):
            raise InputError("there is no question to send again", hint="type one")
        while self.conversation.messages[-1].role is not Role.USER:
            self._step_back()
        return Turn(self, None)

    def undo(self) -> str:
        """Takes the newest turn back and returns its question. Raises InputError where there is none."""
        question = next((m.text for m in reversed(self.conversation.messages) if m.role is Role.USER), None)
        if question is None:
            raise InputError("there is nothing to undo", hint="type a question first")
        while self._step_back().role is not Role.USER:
            pass
        return question

    def _step_back(self) -> Message:
        newest = self.conversation.messages[-1]
        self.journal.back()
        self.conversation = replace(self.conversation, messages=self.conversation.messages[:-1])
        return newest

    def draft(self, question: str | None) -> Conversation:
        """The conversation as it would be sent with this question; without one, with the newest it has.

        Raises InputError where there is none at all.
        """
        if question is not None:
            return self.conversation.add(Message(Role.USER, question))
        messages = self.conversation.messages
        while messages and messages[-1].role is not Role.USER:
            messages = messages[:-1]
        if not messages:
            raise InputError("there is no question yet", hint="type one")
        return replace(self.conversation, messages=messages)

    async def plan(
        self, conversation: Conversation, *, raw: bool = False, stream: bool = True, shrink: float = 1.0
    ) -> Planned:
        """What asking this conversation's newest question sends, cut to the context window."""
        settings = self.effective_settings()
        if raw:
            return Planned(Request(conversation.messages[-1:], settings, raw=True, stream=stream))
        limits = await self.backend.limits()
        wanted = settings.max_tokens or DEFAULT_MAX_TOKENS
        reserve = wanted if self.settings.max_tokens else min(wanted, limits.context // 2)
        room = int(min(limits.context - reserve, limits.prompt or limits.context) * shrink)
        if room < 1:
            raise InputError(
                f"{wanted} tokens for the reply leave no room in a context window of {limits.context}",
                hint="ask for a shorter one with --max-tokens",
            )
        window = await self._window(conversation, room, settings, limits.context - wanted)
        if window.tokens is not None:
            settings = replace(settings, max_tokens=max(1, min(wanted, limits.context - window.tokens)))
        return Planned(Request(window.messages, settings, stream=stream), window, limits)

    async def _window(self, conversation: Conversation, room: int, settings: Settings, surely: int) -> Window:
        """Asks the backend to count only where the bytes alone do not show that all fits."""
        everything = conversation.sendable()
        # No token is shorter than a byte, and no format wraps a message in more than 16 tokens.
        most = sum(len(m.text.encode("utf-8", "surrogatepass")) + 16 for m in everything)
        if most <= min(room, surely):
            return Window(everything, 0)

        async def count(messages: Sequence[Message]) -> int:
            return (await self.backend.count(Request(tuple(messages), settings))).tokens

        return await conversation.window(room, count)


class Turn:
    """One question and its answer: `async with chat.ask("hi") as turn: async for event in turn: ...`

    Leaving the block is the only place where the answer's final status is written, whatever ended it:
    its finish, Ctrl-C, the network, a bug. `reply` is there afterwards.
    """

    def __init__(
        self, chat: Chat, question: Message | None, *, raw: bool = False, stream: bool = True
    ) -> None:
        self._chat = chat
        self._question = question
        self._raw = raw
        self._stream = stream
        self._settings = chat.effective_settings()
        self._events = self._generate()
        self._cutter = StopCutter(())
        self._lead = ""  # what is cut off the front of the first text
        self._pieces: list[str] = []
        self._finish: Finish | None = None
        self._started_at = 0.0
        self._first_token_s: float | None = None
        self._unsaved: StorageError | TryLaterError | None = None
        self.reply: Reply | None = None

    async def __aenter__(self) -> Self:
        if self._question is not None:
            self._chat.conversation = self._chat.conversation.add(self._question)
            self._save(self._chat.journal.begin, self._question)
        origin = Provenance(self._chat.backend.name, self._chat.backend.model, self._settings)
        self._save(self._chat.journal.begin, Message(Role.ASSISTANT, ""), origin)
        self._started_at = self._chat.clock()
        return self

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._events.aclose()
        finally:
            self._settle(kind)

    async def _generate(self) -> AsyncGenerator[Event, None]:
        """The reply's events; asks once more, for less, where the server finds the prompt too long."""
        try:
            plan = await self._chat.plan(self._chat.conversation, raw=self._raw, stream=self._stream)
            try:
                async with aclosing(self._attempt(plan)) as events:
                    async for event in events:
                        yield event
            except ContextOverflow:
                if self._pieces or self._raw:
                    raise
                smaller = await self._chat.plan(self._chat.conversation, stream=self._stream, shrink=0.75)
                if smaller.request == plan.request:
                    raise
                async with aclosing(self._attempt(smaller)) as events:
                    async for event in events:
                        yield event
        except LLMChatError:
            if rest := self._take(self._cutter.flush()):
                yield Token(rest)
            raise

    async def _attempt(self, plan: Planned) -> AsyncGenerator[Event, None]:
        for notice in plan.notices():
            if not (notice.once and notice in self._chat.told):
                self._chat.told.add(notice)
                yield notice
        backend, self._settings = self._chat.backend, plan.request.settings
        spoken = backend.prompt_format if not self._raw else None
        self._cutter = StopCutter((*self._settings.stop, *(spoken.stop if spoken else ())))
        self._lead = " " if spoken else ""
        async with aclosing(backend.stream(plan.request)) as stream:
            async for event in stream:
                if isinstance(event, Token):
                    piece = self._take(self._cutter.feed(event.text))
                    if piece:
                        yield Token(piece)
                    if self._cutter.stopped:
                        self._finish = Finish(FinishReason.STOP)
                        break
                elif isinstance(event, Finish):
                    rest = self._take(self._cutter.flush())
                    self._finish = replace(event, reason=FinishReason.STOP) if self._cutter.stopped else event
                    if rest:
                        yield Token(rest)
                    break
                else:
                    yield event
        if self._finish is None:
            raise BrokenReply("the reply ended without its end", hint="/retry asks again")
        yield self._finish

    def _take(self, text: str) -> str:
        """Keeps the next text of the reply, less the one leading space of a raw-text format; returns it."""
        if text and self._first_token_s is None:
            self._first_token_s = self._chat.clock() - self._started_at
            text = text.removeprefix(self._lead)
        if text:
            self._pieces.append(text)
            self._save(self._chat.journal.append, text)
        return text

    def _settle(self, ended_by: type[BaseException] | None) -> None:
        unshown = self._take(self._cutter.flush())
        text = "".join(self._pieces)
        status = self._status(ended_by)
        provenance = Provenance(
            self._chat.backend.name,
            self._chat.backend.model,
            self._settings,
            self._finish.reason if self._finish else None,
            self._finish.usage if self._finish else Usage(),
            self._first_token_s,
            self._chat.clock() - self._started_at,
        )
        self._chat.conversation = self._chat.conversation.add(Message(Role.ASSISTANT, text, status))
        self._save(self._chat.journal.end, status, provenance)
        self.reply = Reply(text, status, provenance, unshown, self._unsaved)

    def _status(self, ended_by: type[BaseException] | None) -> Status:
        if self._finish is not None:
            return Status.LENGTH if self._finish.reason is FinishReason.LENGTH else Status.COMPLETE
        if ended_by is None or issubclass(ended_by, asyncio.CancelledError | KeyboardInterrupt):
            return Status.STOPPED
        return Status.INTERRUPTED if self._pieces else Status.FAILED

    def _save(self, write: Callable[..., None], *args: object) -> None:
        """Journals. A storage fault ends no turn; where the last call failed too, the reply says so."""
        try:
            write(*args)
        except (StorageError, TryLaterError) as error:
            self._unsaved = error
        else:
            self._unsaved = None
