"""One turn of a chat: sends a question, yields the events of the reply, and saves both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from llmchat.core.attempts import attempts
from llmchat.core.backend import Attempt, Backend, Connected, Connection
from llmchat.core.constraint import Constraint, Regex, stops_outside
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.generation import Event, Finish, FinishReason, Notice, NoticesSaid, Settings, Token, Usage
from llmchat.core.journal import Journal, NullJournal, Provenance, Reply
from llmchat.core.plan import Draft, Plan, WithLess, make_plan
from llmchat.core.stop import StopCutter
from llmchat.errors import BrokenReply, LLMChatError, StorageError, TryLaterError

_STOPPED = (asyncio.CancelledError, KeyboardInterrupt, BrokenPipeError)
"""The exceptions that stop a turn: Ctrl-C, or a reader that has gone."""


def _ignore(_: Reply) -> None:
    pass


@dataclass(frozen=True, slots=True)
class TurnContext:
    """The context of a turn. `chosen` are the settings that the person set, `defaults` those for the rest.

    `ended` is called with the finished reply, so that the owner of the conversation adds its messages.
    """

    connection: Connection
    conversation: Conversation
    chosen: Settings
    defaults: Settings
    journal: Journal = field(default_factory=NullJournal)
    notices: NoticesSaid = field(default_factory=NoticesSaid)
    ended: Callable[[Reply], None] = _ignore
    clock: Callable[[], float] = time.monotonic

    @property
    def effective_settings(self) -> Settings:
        """The effective settings, with those of the model's card if it is known."""
        return self.chosen.over(self.connection.info.defaults).over(self.defaults)


class Turn:
    """One question and its answer: `async with session.ask("hi") as turn: async for event in turn: ...`

    Leaving the context is the only place where the answer's final status is written, whatever ended it: its
    finish, Ctrl-C, the network, a bug. `reply` is set afterwards.
    """

    def __init__(
        self,
        context: TurnContext,
        question: str | None,
        *,
        raw: bool = False,
        stream: bool = True,
        before: str = "",
        constraint: Constraint | None = None,
    ) -> None:
        """Without a question, the newest one of the conversation is asked again.

        `before` is the text of an unfinished answer to continue; it is part of the first text.
        """
        self._context = context
        self._question = None if question is None else Message(Role.USER, question)
        self._before = before
        # A prompt that ends in a space confuses a model, whose words start with one: the space is removed.
        self._sent_before = before.rstrip(" ") or before
        said = (self._question, Message(Role.ASSISTANT, self._sent_before) if before else None)
        conversation = context.conversation
        for message in filter(None, said):
            conversation = conversation.add(message)
        self._draft = Draft(
            conversation,
            context.chosen,
            context.defaults,
            raw=raw,
            stream=stream,
            continues=bool(before),
            constraint=constraint,
        )
        self._events = self._generate()
        self._backend: Backend | None = None  # once it is connected
        self._attempt: Attempt | None = None  # the newest
        self._late: list[Notice] = []  # to be said with the first text
        self._cutter = StopCutter(())
        self._lead = ""  # removed from the start of the first text
        self._pieces: list[str] = []
        self._opened = False  # the answer was started in the journal
        self._finish: Finish | None = None
        self._started_at = 0.0
        self._first_token_s: float | None = None
        self._unsaved: StorageError | TryLaterError | None = None
        self.reply: Reply | None = None

    async def __aenter__(self) -> Self:
        if self._question is not None:
            self._save(self._context.journal.begin, self._question)
        self._started_at = self._context.clock()
        return self

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._events.aclose()
            await asyncio.sleep(0)  # lets the event loop release the closed connection before writing to disk
        finally:
            self._settle(kind)

    async def _generate(self) -> AsyncGenerator[Event, None]:
        """The events of the attempts, cut at stop texts. Each text is saved before it is yielded."""
        try:
            async with aclosing(self._connect()) as steps:
                async for step in steps:
                    yield step
            assert self._backend is not None, "connecting ends with a model or an error"
            plan = await make_plan(self._draft, self._backend)
            for notice in self._news(plan):
                yield notice
            first = Attempt(self._backend, plan.request)
            recoveries = [*self._context.connection.recoveries(), WithLess(self._draft, plan)]
            async with aclosing(attempts(first, self._begin, recoveries)) as events:
                async for event in events:
                    for shown in self._shown(event):
                        yield shown
                    if self._finish is not None:
                        break
            if self._finish is None:
                raise BrokenReply("the reply ended without its final event", hint="/retry asks again")
            yield self._finish
        except LLMChatError:
            if rest := self._take(self._cutter.flush()):
                yield Token(rest)
            raise

    async def _connect(self) -> AsyncGenerator[Event, None]:
        async with aclosing(self._context.connection.connect()) as steps:
            async for step in steps:
                if isinstance(step, Connected):
                    self._backend = step.backend
                elif self._context.notices.is_news(step):
                    yield step

    def _news(self, plan: Plan) -> list[Notice]:
        """The notices to show now. Those shown once per session wait until there is an answer."""
        news = [notice for notice in plan.notices() if self._context.notices.is_news(notice)]
        self._late = [notice for notice in news if notice.once]
        return [notice for notice in news if not notice.once]

    def _shown(self, event: Event) -> Sequence[Event]:
        """The events to show for an event of the reply; its end is stored in `_finish`."""
        if isinstance(event, Token):
            piece = self._take(self._cutter.feed(event.text))
            if self._cutter.stopped:
                self._finish = Finish(FinishReason.STOP)
            if not piece:
                return ()
            late, self._late = self._late, []
            return (*late, event if piece == event.text else Token(piece))
        if isinstance(event, Finish):
            rest = self._take(self._cutter.flush())
            self._finish = replace(event, reason=FinishReason.STOP) if self._cutter.stopped else event
            return (Token(rest),) if rest else ()
        return (event,) if self._context.notices.is_news(event) else ()

    def _begin(self, attempt: Attempt) -> AsyncGenerator[Event, None]:
        """Starts one attempt; sets what to remove from its text, which depends on the model."""
        self._attempt = attempt
        request = attempt.request
        raw_format = None if request.raw else attempt.backend.info.prompt_format
        of_format = stops_outside(request.constraint, raw_format.stop) if raw_format else ()
        self._cutter = StopCutter((*request.settings.stop, *of_format))
        if self._before:
            self._lead = self._before[len(self._sent_before) :]
        else:
            self._lead = " " if raw_format and not isinstance(request.constraint, Regex) else ""
        self._open_answer()
        return attempt.backend.stream(request)

    def _open_answer(self) -> None:
        """Starts the answer in the journal, once, with its origin."""
        if not self._opened:
            self._opened = True
            self._save(self._context.journal.begin, Message(Role.ASSISTANT, ""), self._origin())
            if self._before:
                self._pieces.append(self._before)
                self._save(self._context.journal.append, self._before)

    def _origin(self) -> Provenance:
        """The known origin of the answer."""
        if self._attempt is None:
            info, settings = self._context.connection.info, self._context.effective_settings
        else:
            info, settings = self._attempt.backend.info, self._attempt.request.settings
        return Provenance(info.backend, info.model, settings)

    def _take(self, text: str) -> str:
        """Saves the next text of the reply, without the leading space of a raw-text format.

        Returns the text to show: with the first text also that of the unfinished answer.
        """
        before = ""
        if text and self._first_token_s is None:
            self._first_token_s = self._context.clock() - self._started_at
            before, text = self._before, text.removeprefix(self._lead)
        if text:
            self._pieces.append(text)
            self._save(self._context.journal.append, text)
        return before + text

    def _settle(self, ended_by: type[BaseException] | None) -> None:
        """Writes the answer's final status, and passes the reply to the owner of the conversation."""
        self._open_answer()
        unshown = self._take(self._cutter.flush())
        text = "".join(self._pieces)
        status = self._status(ended_by)
        provenance = replace(
            self._origin(),
            reason=self._finish.reason if self._finish else None,
            usage=self._finish.usage if self._finish else Usage(),
            first_token_s=self._first_token_s,
            total_s=self._context.clock() - self._started_at,
        )
        self._save(self._context.journal.end, status, provenance)
        asked = (self._question,) if self._question is not None else ()
        self.reply = Reply(
            text,
            status,
            provenance,
            (*asked, Message(Role.ASSISTANT, text, status)),
            unshown,
            self._unsaved,
            self._fault(text, status, provenance),
        )
        self._context.ended(self.reply)

    def _status(self, ended_by: type[BaseException] | None) -> Status:
        if self._finish is not None:
            return Status.LENGTH if self._finish.reason is FinishReason.LENGTH else Status.COMPLETE
        if ended_by is None or issubclass(ended_by, _STOPPED):
            return Status.STOPPED
        return Status.INTERRUPTED if self._pieces else Status.FAILED

    def _fault(self, text: str, status: Status, provenance: Provenance) -> BrokenReply | None:
        """The error of an answer that ended normally, but does not match the constraint."""
        constraint = self._draft.constraint
        wrong = constraint.wrong_with(text) if constraint and self._finish else None
        if wrong is None:
            return None
        if status is not Status.LENGTH:
            return BrokenReply(wrong, hint="ask again, or describe the required format in the question")
        return BrokenReply(
            f"the answer was cut at {provenance.settings.max_tokens} tokens, before it was complete",
            hint="--max-tokens sets the limit",
        )

    def _save(self, write: Callable[..., None], *args: object) -> None:
        """Saves. An error of the store does not end the turn; the reply has that of the last call."""
        try:
            write(*args)
        except (StorageError, TryLaterError) as error:
            self._unsaved = error
        else:
            self._unsaved = None
