"""Retries after lost connections, 429, 502, 503, 504, and while a model is loading: when, and how often."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from llmchat.backends.http.endpoint import Endpoint
from llmchat.backends.http.errors import ClosedEarly, Delay, ServerBusy, ServerDown, Unreached
from llmchat.core.attempts import Retry
from llmchat.core.generation import Event, Notice, Progress
from llmchat.errors import LLMChatError

A = TypeVar("A")

TRIES = 3
LONGEST_DELAY = 60.0
"""Longest delay in seconds that a server can ask for."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 4.0

Retryable = (Unreached, ServerDown, ServerBusy)
"""The errors that are retried, as long as no text has come."""


class RetryPolicy:
    """Limits the number of tries of one request, and the total time of waiting, in seconds."""

    def __init__(
        self,
        wait: float,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        loads: bool = False,
    ) -> None:
        """With `loads`, a server that is loading a model is asked more often, and a busy one once."""
        self._clock = clock
        self._jitter = jitter
        self._until = clock() + wait
        self._tried = 0
        self._loads = loads

    def delay(self, error: LLMChatError) -> float | None:
        """Seconds until the next try; None if there is none.

        A connection that was closed while idle is replaced at once. Jitter keeps many clients from retrying
        at the same time. A server that asks for a longer delay than is left is not asked again, unless its
        delay is only an estimate of the loading time.
        """
        self._tried += 1
        if isinstance(error, ClosedEarly) and error.aged and self._tried < TRIES:
            return 0.0
        left = self._until - self._clock()
        loading = self._loads and isinstance(error, ServerDown) and error.loading
        if (self._tried >= TRIES and not loading) or left <= 0 or not isinstance(error, Retryable):
            return None
        if self._loads and isinstance(error, ServerBusy):
            return None
        asked: Delay | None = None if isinstance(error, Unreached) else error.delay
        if asked is None:
            backoff = min(LONGEST_BACKOFF, FIRST_BACKOFF * (1 << (self._tried - 1)))
            return min(backoff * (0.5 + self._jitter() / 2), left)
        if asked.guess:
            return min(asked.seconds, LONGEST_DELAY, left)
        if asked.seconds > min(LONGEST_DELAY, left):
            return None
        return min(asked.seconds * (1 + self._jitter() / 10), left)


class WaitAndRetry:
    """The recovery from temporary errors: waits, then tries again."""

    def __init__(self, policy: RetryPolicy, endpoint: Endpoint) -> None:
        self._policy = policy
        self._endpoint = endpoint

    async def recover(self, failed: A, error: LLMChatError) -> Retry[A] | LLMChatError | None:
        if not isinstance(error, Retryable) or (delay := self._policy.delay(error)) is None:
            return None
        return Retry(failed, delay, self._said(error, delay) if delay else ())

    def _said(self, error: LLMChatError, delay: float) -> list[Event]:
        """The text of the progress while waiting."""
        more = f", trying again in {delay:.0f} s" if delay >= 1 else ""
        if not (isinstance(error, ServerDown) and error.starting):
            return [Progress(f"waiting for the server{more}")]
        most = f"{self._endpoint.timeouts.wait:g} s at most"
        bound = f" ({most})" if error.loading else ""
        notice = Notice(f"waiting for the model at {self._endpoint.server}{bound}", once=True)
        return [notice, Progress(f"waiting for the model{more}")]
