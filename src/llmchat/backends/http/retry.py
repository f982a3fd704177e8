"""Decides whether a failed request is sent again and after how long; must not send or wait itself."""

from __future__ import annotations

import random
from collections.abc import Callable

from llmchat.backends.http.errors import ClosedEarly, Delay, ServerBusy, ServerDown, Unreached
from llmchat.errors import LLMChatError

TRIES = 3
LONGEST_DELAY = 60.0
"""Seconds before a try that a server may ask for."""
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 4.0

Retryable = (Unreached, ServerDown, ServerBusy)
"""The errors after which another try makes sense, as long as no text has come."""


class RetryPolicy:
    """Counts the tries of one request and bounds the whole time spent on waiting, in seconds."""

    def __init__(
        self,
        wait: float,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float] = random.random,
        loads: bool = False,
    ) -> None:
        """With `loads` a server that loads a model may be asked more often, and one that is busy once."""
        self._clock = clock
        self._jitter = jitter
        self._until = clock() + wait
        self._tried = 0
        self._loads = loads

    def delay(self, error: LLMChatError) -> float | None:
        """Seconds until the next try, or None where there should be none.

        A connection that was closed while it was idle is replaced at once. Jitter keeps many clients
        from coming back all at once. A server that asks for more time than is left is not asked again,
        unless it only guessed how long its model takes to load.
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
