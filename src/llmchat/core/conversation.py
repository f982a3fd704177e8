"""Messages, turns and conversations, and the turns that fit a context window. No I/O, no ids, no times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from llmchat.errors import ContextOverflow, InputError


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Status(StrEnum):
    """How a message ended. Questions are always COMPLETE."""

    COMPLETE = "complete"
    LENGTH = "length"  # cut by the token limit
    STOPPED = "stopped"  # by the person
    INTERRUPTED = "interrupted"  # by an error, with some text
    FAILED = "failed"  # by an error, before any text


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the text as it was typed or generated, unescaped."""

    role: Role
    text: str
    status: Status = Status.COMPLETE


@dataclass(frozen=True, slots=True)
class Window:
    """The messages that are sent, and how many of the oldest turns are left out."""

    messages: tuple[Message, ...]
    dropped_turns: int
    tokens: int | None = None  # of the prompt; None if counting was not necessary
    newest_dropped: str = ""  # the question of the newest turn that was left out


Count = Callable[[Sequence[Message]], Awaitable[int]]
"""Counts the tokens of the prompt with these messages, system message first."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A system message, which may be empty, and the messages since."""

    system: str = ""
    messages: tuple[Message, ...] = ()

    def add(self, message: Message) -> Conversation:
        return replace(self, messages=(*self.messages, message))

    def without_newest(self) -> Conversation:
        return replace(self, messages=self.messages[:-1])

    def up_to_question(self, question: str | None) -> Conversation:
        """The conversation up to this question; without one, up to its newest question.

        Raises InputError if there is none.
        """
        if question is not None:
            return self.add(Message(Role.USER, question))
        asked = self
        while asked.messages and asked.messages[-1].role is not Role.USER:
            asked = asked.without_newest()
        if not asked.messages:
            raise InputError("there is no question yet", hint="type one")
        return asked

    def turns(self) -> list[tuple[Message, ...]]:
        """The messages grouped into turns: a question and its answers."""
        groups: list[list[Message]] = []
        for message in self.messages:
            if message.role is Role.USER or not groups:
                groups.append([])
            groups[-1].append(message)
        return [tuple(group) for group in groups]

    def sendable(self, turns: Sequence[tuple[Message, ...]] | None = None) -> tuple[Message, ...]:
        """The system message and these turns (default: all), without what would confuse a model.

        A question whose answer failed without text is left out, unless it is the newest.
        """
        chosen = self.turns() if turns is None else turns
        last = len(chosen) - 1
        head = (Message(Role.SYSTEM, self.system),) if self.system else ()
        return head + tuple(
            message
            for at, turn in enumerate(chosen)
            if at == last or any(m.role is Role.ASSISTANT and m.text for m in turn)
            for message in turn
            if message.text
        )

    async def window(self, limit: int, count: Count) -> Window:
        """Chooses what is sent so that the prompt has at most `limit` tokens.

        The system message and the newest question always stay. The oldest whole turns are left out first,
        in steps of a quarter of the limit, so that most prompts extend the last one, and a server's prompt
        cache stays useful.

        Raises ContextOverflow if even the newest question alone does not fit.
        """
        turns = self.turns()
        total = await count(self.sendable(turns))
        if total <= limit:
            return Window(self.sendable(turns), 0, total)
        alone = await count(self.sendable(turns[-1:]))
        if alone > limit:
            raise ContextOverflow(
                f"the question has {alone} tokens with its system message; the model has room for {limit}",
                hint="shorten it, or lower --max-tokens",
            )
        step = max(1, limit // 4)
        goal = min(total - alone, -(-(total - limit) // step) * step)  # tokens to leave out
        low, high, tokens = 1, len(turns) - 1, alone
        while low < high:
            middle = (low + high) // 2
            rest = await count(self.sendable(turns[middle:]))
            if total - rest >= goal:
                high, tokens = middle, rest
            else:
                low = middle + 1
        return Window(self.sendable(turns[low:]), low, tokens, turns[low - 1][0].text)
