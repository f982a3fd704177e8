"""The driver of all retries: a request that failed before any text came is sent again if a recovery applies.

The recoveries, and where they are:

    wait and try again                  backends/http/retry.py      connection failures, 429, 502, 503, 504
    without a refused field             backends/server.py          a field that was not set, stop texts
    in another API                      backends/server.py          a server that did not report its API
    with a new engine                   backends/local/backend.py   the engine crashed before it answered
    with a shorter prompt               core/plan.py                the prompt was too long
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from llmchat.core.generation import Event, Thought, Token
from llmchat.errors import BrokenReply, LLMChatError, TryLaterError

A = TypeVar("A")
"""Runs an attempt: a function from the attempt to its events."""


@dataclass(frozen=True, slots=True)
class Retry(Generic[A]):
    """Another attempt, after a delay in seconds, with a notice or progress before it."""

    attempt: A
    delay: float = 0.0
    events: Sequence[Event] = ()


class Recovery(Protocol[A]):
    """One reason to retry. A recovery lives as long as the attempts for one reply, and may count them."""

    async def recover(self, failed: A, error: LLMChatError) -> Retry[A] | LLMChatError | None:
        """The next attempt; or an error that explains this one better; or None if it does not apply."""


async def attempts(
    first: A, run: Callable[[A], AsyncGenerator[Event, None]], recoveries: Sequence[Recovery[A]]
) -> AsyncGenerator[Event, None]:
    """The events of an attempt, and of further ones while each fails before any text and a recovery applies.

    After text, any error is a BrokenReply; only a timeout stays a TryLaterError.
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
    """The next attempt. Raises the error, or a recovery's better one, if there is none."""
    for recovery in recoveries:
        match await recovery.recover(failed, error):
            case Retry() as retry:
                return retry
            case LLMChatError() as better if better is not error:
                raise better from error
            case LLMChatError():
                break
    raise error
