"""Second tries: when there is one, what is said before it, and what comes of an error behind a text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from llmchat.core.attempts import Recovery, Retry, attempts
from llmchat.core.generation import Event, Finish, FinishReason, Progress, Thought, Token
from llmchat.errors import BrokenReply, InputError, LLMChatError, TryLaterError, UnavailableError

END = Finish(FinishReason.STOP)
Script = Sequence[Event | LLMChatError]


@dataclass
class Server:
    """Answers attempt after attempt with the next script; an attempt is a word."""

    scripts: list[Script]
    sent: list[str] = field(default_factory=list)
    open: int = 0

    async def run(self, attempt: str) -> AsyncGenerator[Event, None]:
        self.sent.append(attempt)
        self.open += 1
        try:
            for step in self.scripts.pop(0):
                if isinstance(step, LLMChatError):
                    raise step
                yield step
        finally:
            self.open -= 1


@dataclass
class Answer:
    """A recovery that gives these answers, one after another, to errors of one kind."""

    kind: type[LLMChatError]
    answers: list[Retry[str] | LLMChatError]

    async def recover(self, failed: str, error: LLMChatError) -> Retry[str] | LLMChatError | None:
        return self.answers.pop(0) if isinstance(error, self.kind) and self.answers else None


async def collect(server: Server, *recoveries: Recovery[str]) -> list[Event]:
    async with aclosing(attempts("first", server.run, recoveries)) as events:
        return [event async for event in events]


async def test_an_attempt_that_succeeds_is_the_only_one() -> None:
    server = Server([[Token("Hi"), END]])
    assert await collect(server, Answer(LLMChatError, [Retry("second")])) == [Token("Hi"), END]
    assert (server.sent, server.open) == (["first"], 0)


async def test_a_failed_attempt_is_made_again_as_the_first_recovery_that_knows_how_says() -> None:
    server = Server([[Progress("a"), UnavailableError("down")], [Token("Hi"), END]])
    recoveries = [Answer(InputError, [Retry("never")]), Answer(UnavailableError, [Retry("second")])]
    assert await collect(server, *recoveries) == [Progress("a"), Token("Hi"), END]
    assert (server.sent, server.open) == (["first", "second"], 0)


async def test_what_a_recovery_has_to_say_comes_before_its_attempt() -> None:
    server = Server([[UnavailableError("down")], [Token("Hi"), END]])
    retry = Retry("second", delay=0.001, events=[Progress("waiting")])
    assert await collect(server, Answer(UnavailableError, [retry])) == [Progress("waiting"), Token("Hi"), END]


async def test_recoveries_follow_one_another_until_none_knows_more() -> None:
    server = Server([[UnavailableError("down")], [InputError("refused")], [UnavailableError("down again")]])
    recoveries = [Answer(UnavailableError, [Retry("second")]), Answer(InputError, [Retry("third")])]
    with pytest.raises(UnavailableError, match="down again"):
        await collect(server, *recoveries)
    assert server.sent == ["first", "second", "third"]


async def test_a_recovery_may_know_a_better_error() -> None:
    server = Server([[UnavailableError("closed")]])
    with pytest.raises(UnavailableError, match="the engine died") as caught:
        await collect(server, Answer(UnavailableError, [UnavailableError("the engine died")]))
    assert str(caught.value.__cause__) == "closed"


@pytest.mark.parametrize("piece", [Token("Half"), Thought("Hm")])
async def test_after_a_text_or_a_thought_nothing_is_sent_again(piece: Event) -> None:
    server = Server([[piece, UnavailableError("down")]])
    with pytest.raises(LLMChatError, match="down"):
        await collect(server, Answer(LLMChatError, [Retry("second")]))
    assert server.sent == ["first"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (UnavailableError("x"), BrokenReply),
        (InputError("x"), BrokenReply),
        (BrokenReply("x"), BrokenReply),
        (TryLaterError("x"), TryLaterError),
    ],
)
async def test_an_error_behind_a_text_breaks_the_reply_off(
    error: LLMChatError, raised: type[LLMChatError]
) -> None:
    with pytest.raises(raised, match="x"):
        await collect(Server([[Token("Half"), error]]))


async def test_an_error_behind_a_thought_alone_is_what_it_is() -> None:
    with pytest.raises(UnavailableError):
        await collect(Server([[Thought("Hm"), UnavailableError("x")]]))


async def test_leaving_the_events_leaves_the_attempt() -> None:
    server = Server([[Token("Hi"), Token("you"), END]])
    async with aclosing(attempts("first", server.run, ())) as events:
        assert await anext(events) == Token("Hi")
        assert server.open == 1
    assert server.open == 0
