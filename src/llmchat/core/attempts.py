"""Every second try: an attempt that failed before any text came is made again, if a recovery knows how.

The recoveries, each beside what it knows:

    wait and try again                  backends/http/retry.py      connection failures, 429, 502, 503, 504
    without what the server refused     backends/server.py          a field nobody chose, stop texts
    in another protocol                 backends/server.py          a server that did not say which it speaks
    with a new engine                   backends/local/backend.py   the engine died before it answered
    with less                           core/plan.py                the prompt did not fit
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from llmchat.core.generation import Event, Thought, Token
from llmchat.errors import BrokenReply, LLMChatError, TryLaterError

A = TypeVar("A")
"""An attempt: what is done, as a value."""


@dataclass(frozen=True, slots=True)
class Retry(Generic[A]):
    """Another attempt, after so many seconds, and what the person is told before it."""

    attempt: A
    delay: float = 0.0
    events: Sequence[Event] = ()


class Recovery(Protocol[A]):
    """One reason to try again. It lives as long as the attempts for one reply, and may count them."""

    async def recover(self, failed: A, error: LLMChatError) -> Retry[A] | LLMChatError | None:
        """The next attempt; the error that explains this one better; None where it knows no help."""


async def attempts(
    first: A, run: Callable[[A], AsyncGenerator[Event, None]], recoveries: Sequence[Recovery[A]]
) -> AsyncGenerator[Event, None]:
    """The events of an attempt, and of others as long as each fails before any text and can be recovered.

    An error behind a text is a BrokenReply whatever the server calls it; a timeout stays a TryLaterError.
    """
    attempt = first
    while True:
        answered = thought = False
        events = run(attempt)
        try:
            async for event in events:
                kind = type(event)
                if kind is Token:
                    answered = True
                elif kind is Thought:
                    thought = True
                yield event
            return
        except LLMChatError as error:
            if answered and not isinstance(error, TryLaterError | BrokenReply):
                raise BrokenReply(error.message, hint=error.hint) from error
            if answered or thought:
                raise
            retry = await _recovered(recoveries, attempt, error)
        finally:
            await events.aclose()
        for told in retry.events:
            yield told
        await asyncio.sleep(retry.delay)
        attempt = retry.attempt


async def _recovered(recoveries: Sequence[Recovery[A]], failed: A, error: LLMChatError) -> Retry[A]:
    """The next attempt. Raises the error, or the better one that a recovery has, where there is none."""
    for recovery in recoveries:
        match await recovery.recover(failed, error):
            case Retry() as retry:
                return retry
            case LLMChatError() as better if better is not error:
                raise better from error
            case LLMChatError():
                break
    raise error
