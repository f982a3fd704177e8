"""One turn of a chat: one question in, pieces out, always journalled. No I/O of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llmchat.core.constraint import Constraint, Regex, stops_outside
from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Event, Finish, FinishReason, Limits, Settings, Token, Usage
from llmchat.core.journal import Provenance, Reply
from llmchat.core.plan import Plan, shrink
from llmchat.core.stop import StopCutter
from llmchat.errors import (
    BrokenReply,
    ContextOverflow,
    InputError,
    LLMChatError,
    StorageError,
    TryLaterError,
)

if TYPE_CHECKING:
    from llmchat.core.chat import Chat

_STOPPED = (asyncio.CancelledError, KeyboardInterrupt, BrokenPipeError)
"""What ends a turn where somebody had enough of it; who reads it through a pipe just leaves."""


class Turn:
    """One question and its answer: `async with chat.ask("hi") as turn: async for event in turn: ...`

    Leaving the block is the only place where the answer's final status is written, whatever ended it:
    its finish, Ctrl-C, the network, a bug. `reply` is there afterwards.
    """

    def __init__(
        self,
        chat: Chat,
        question: Message | None,
        *,
        raw: bool = False,
        stream: bool = True,
        before: str = "",
        constraint: Constraint | None = None,
    ) -> None:
        """`before` begins the answer, of a turn that was cut off; it comes with the first text."""
        self._chat = chat
        self._question = question
        self._raw = raw
        self._stream = stream
        self._before = before
        self._constraint = constraint
        # A prompt that ends in a space misleads a model, whose words bring their own: it comes off again.
        self._sent_before = before.rstrip(" ") or before
        self._settings = chat.effective_settings()
        self._events = self._generate()
        self._cutter = StopCutter(())
        self._lead = ""  # what is cut off the front of the first text
        self._pieces: list[str] = []
        self._opened = False  # the answer has its place in the journal
        self._finish: Finish | None = None
        self._started_at = 0.0
        self._first_token_s: float | None = None
        self._unsaved: StorageError | TryLaterError | None = None
        self.reply: Reply | None = None

    async def __aenter__(self) -> Self:
        if self._question is not None:
            self._chat.conversation = self._chat.conversation.add(self._question)
            self._save(self._chat.journal.begin, self._question)
        self._started_at = self._chat.clock()
        return self

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._events.aclose()
            await asyncio.sleep(0)  # what was closed is let go of in the loop's next round: before the disk
        finally:
            self._settle(kind)

    async def _generate(self) -> AsyncGenerator[Event, None]:
        """The reply's events; asks once more, for less, where the server finds the prompt too long."""
        try:
            async with aclosing(self._chat.backend.prepare()) as events:
                async for event in events:
                    if self._chat.is_news(event):
                        yield event
            plan = await self._plan()
            try:
                async with aclosing(self._attempt(plan)) as events:
                    async for event in events:
                        yield event
            except ContextOverflow as overflow:
                if self._first_token_s is not None:
                    raise
                smaller = await self._smaller(plan, overflow)
                if smaller.request == plan.request:
                    raise
                async with aclosing(self._attempt(smaller)) as events:
                    async for event in events:
                        yield event
        except LLMChatError as error:
            if rest := self._take(self._cutter.flush()):
                yield Token(rest)
            if self._first_token_s is not None and not isinstance(error, TryLaterError | BrokenReply):
                raise BrokenReply(error.message, hint=error.hint) from error
            raise

    async def _plan(self, within: Limits | None = None, settings: Settings | None = None) -> Plan:
        conversation = self._chat.conversation
        if self._before:
            conversation = conversation.add(Message(Role.ASSISTANT, self._sent_before))
        return await self._chat.plan(
            conversation,
            raw=self._raw,
            stream=self._stream,
            continues=bool(self._before),
            within=within,
            settings=settings,
            constraint=self._constraint,
        )

    async def _smaller(self, plan: Plan, overflow: ContextOverflow) -> Plan:
        """A plan that asks for less; where there is none, the server's own words say it best."""
        chosen = self._chat.settings.max_tokens is not None
        limits, settings = await shrink(self._chat.backend, plan, overflow, reply_chosen=chosen)
        try:
            return await self._plan(limits, settings)
        except InputError:
            raise overflow from None

    async def _attempt(self, plan: Plan) -> AsyncGenerator[Event, None]:
        notices = [notice for notice in plan.notices() if self._chat.is_news(notice)]
        for notice in (each for each in notices if not each.once):
            yield notice
        late = [notice for notice in notices if notice.once]  # good to know once there is an answer
        backend, self._settings = self._chat.backend, plan.request.settings
        spoken = backend.prompt_format if not self._raw else None
        of_format = stops_outside(self._constraint, spoken.stop) if spoken else ()
        self._cutter = StopCutter((*self._settings.stop, *of_format))
        if self._before:
            self._lead = self._before[len(self._sent_before) :]
        else:
            self._lead = " " if spoken and not isinstance(self._constraint, Regex) else ""
        self._open_answer()
        async with aclosing(backend.stream(plan.request)) as stream:
            async for event in stream:
                if isinstance(event, Token):
                    piece = self._take(self._cutter.feed(event.text))
                    while piece and late:
                        yield late.pop(0)
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
                elif self._chat.is_news(event):
                    yield event
        if self._finish is None:
            raise BrokenReply("the reply ended without its end", hint="/retry asks again")
        yield self._finish

    def _open_answer(self) -> None:
        """Gives the answer its place in the journal, once, with where it is about to come from."""
        if not self._opened:
            self._opened = True
            origin = Provenance(self._chat.backend.name, self._chat.backend.model, self._settings)
            self._save(self._chat.journal.begin, Message(Role.ASSISTANT, ""), origin)
            if self._before:
                self._pieces.append(self._before)
                self._save(self._chat.journal.append, self._before)

    def _take(self, text: str) -> str:
        """Keeps the next text of the reply, less the one leading space of a raw-text format.

        Returns what is to be shown: with the first text also what was there before.
        """
        before = ""
        if text and self._first_token_s is None:
            self._first_token_s = self._chat.clock() - self._started_at
            before, text = self._before, text.removeprefix(self._lead)
        if text:
            self._pieces.append(text)
            self._save(self._chat.journal.append, text)
        return before + text

    def _settle(self, ended_by: type[BaseException] | None) -> None:
        self._open_answer()
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
        self.reply = Reply(text, status, provenance, unshown, self._unsaved, self._fault(text, status))

    def _status(self, ended_by: type[BaseException] | None) -> Status:
        if self._finish is not None:
            return Status.LENGTH if self._finish.reason is FinishReason.LENGTH else Status.COMPLETE
        if ended_by is None or issubclass(ended_by, _STOPPED):
            return Status.STOPPED
        return Status.INTERRUPTED if self._pieces else Status.FAILED

    def _fault(self, text: str, status: Status) -> BrokenReply | None:
        """What is wrong with an answer that came to its end."""
        wrong = self._constraint.wrong_with(text) if self._constraint and self._finish else None
        if wrong is None:
            return None
        if status is not Status.LENGTH:
            return BrokenReply(wrong, hint="ask again, or say in the question what the answer has to be")
        limit = self._settings.max_tokens
        return BrokenReply(
            f"the answer was cut at {limit} tokens, before it was complete",
            hint="--max-tokens sets how many it may have",
        )

    def _save(self, write: Callable[..., None], *args: object) -> None:
        """Journals. A storage fault ends no turn; where the last call failed too, the reply says so."""
        try:
            write(*args)
        except (StorageError, TryLaterError) as error:
            self._unsaved = error
        else:
            self._unsaved = None
