"""A chat: a conversation with one backend at a time. No I/O of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.generation import Backend, Event, Limits, Notice, Request, Settings
from llmchat.core.journal import Journal
from llmchat.core.plan import Plan, make_plan
from llmchat.core.turn import Turn
from llmchat.errors import InputError


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

    def is_news(self, event: Event) -> bool:
        """Whether the person has to be told: not of what is said once, and was."""
        if not isinstance(event, Notice):
            return True
        heard = event.once and event in self.told
        self.told.add(event)
        return not heard

    def ask(
        self, question: str, *, raw: bool = False, stream: bool = True, constraint: Constraint | None = None
    ) -> Turn:
        """The turn that asks this: journalled when it is entered, sent when it is iterated."""
        return Turn(self, Message(Role.USER, question), raw=raw, stream=stream, constraint=constraint)

    def retry(self) -> Turn:
        """The turn that asks the newest question again; the old answer stays in the journal as a sibling.

        Raises InputError where there is no question yet.
        """
        if not any(message.role is Role.USER for message in self.conversation.messages):
            raise InputError("there is no question to send again", hint="type one")
        while self.conversation.messages[-1].role is not Role.USER:
            self._step_back()
        return Turn(self, None)

    def go_on(self) -> Turn:
        """The turn that goes on with the newest answer, which was cut off.

        Its answer has the whole text from the beginning; the part stays in the journal as a sibling. Its
        figures, tokens and times, are those of what was added.
        Raises InputError where there is no such answer.
        """
        newest = self.conversation.messages[-1] if self.conversation.messages else None
        if newest is None or newest.role is not Role.ASSISTANT or not newest.text:
            raise InputError("there is no reply to go on with", hint="/retry asks the last question again")
        if newest.status is Status.COMPLETE:
            raise InputError("the last reply was not cut off", hint="ask for more in your own words")
        self._step_back()
        return Turn(self, None, before=newest.text)

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
        self,
        conversation: Conversation,
        *,
        raw: bool = False,
        stream: bool = True,
        continues: bool = False,
        within: Limits | None = None,
        settings: Settings | None = None,
        constraint: Constraint | None = None,
    ) -> Plan:
        """What asking this conversation's newest question sends; see `make_plan`.

        With `continues` the conversation ends in the unfinished answer that is to be gone on with.
        `settings` replaces the effective ones.
        """
        effective = settings or self.effective_settings()
        if raw:
            request = Request(
                conversation.messages[-1:],
                effective,
                raw=True,
                stream=stream,
                constraint=constraint,
                chosen=self.settings,
            )
            return Plan(request)
        plan = await make_plan(
            self.backend,
            conversation,
            self.settings,
            effective,
            stream=stream,
            within=within,
        )
        return replace(plan, request=replace(plan.request, continues=continues, constraint=constraint))
