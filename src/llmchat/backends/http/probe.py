"""Asks a server about itself (model, limits, token counts), and waits for one that is starting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from llmchat.backends.http.answer import Body
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.errors import BUSY_STATUSES, ClosedEarly, ServerBusy, ServerDown, Unreached
from llmchat.backends.http.retry import RetryPolicy, WaitAndRetry
from llmchat.core.attempts import attempts
from llmchat.core.generation import Event
from llmchat.errors import BrokenReply, LLMChatError, TryLaterError

LEARN_S = 5.0
"""Time limit in seconds for optional questions."""
HEED_S = 1.0
"""Seconds before a busy server is asked about itself again."""
LEAST_KEY = 8
"""Minimum length of a key that is searched in a server's answers; a shorter one could be a word."""


class ServerProbe:
    """Optional questions to a server, each asked once, with a short time limit.

    If the server does not answer them properly, the request for a reply raises the right error.
    """

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._waited = 0.0  # seconds spent waiting for a server that was not ready
        self._busy: ServerDown | ServerBusy | None = None  # why it could not be asked about itself
        self._busy_at = 0.0
        self._unknown: set[str] = set()  # questions that it cannot answer
        self._silent = False  # it did not answer in time, and is not asked again

    async def learn(self, url: str) -> object:
        """The server's JSON about itself at this URL; None if there is none.

        JSON that contains the key is ignored, as it would be shown and saved. Raises Unreached, ServerDown
        and ServerBusy while the server is not ready, and DeniedError.
        """
        self.heed_busy()
        if self._silent:
            return None
        try:
            async with asyncio.timeout(min(LEARN_S, self._client.endpoint.timeouts.header)):
                answer = await self._client.once("GET", url)
        except (TimeoutError, TryLaterError):
            self._silent = True
            return None
        except (ClosedEarly, BrokenReply):
            return None
        try:
            if answer.status in BUSY_STATUSES | {401, 403}:
                self._client.checked(answer)
        except (ServerDown, ServerBusy) as error:
            self._busy, self._busy_at = error, asyncio.get_running_loop().time()
            raise
        try:
            told = self._client.checked(answer).json()
        except LLMChatError:
            return None
        key = self._client.endpoint.key or ""
        return None if len(key) >= LEAST_KEY and key in json.dumps(told, ensure_ascii=False) else told

    async def compute(self, url: str, body: Body) -> object:
        """The answer to an optional computation, such as a token count; None for good if the server has none.

        Sends once, with a short time limit.
        """
        if url in self._unknown:
            return None
        try:
            async with asyncio.timeout(min(LEARN_S, self._client.endpoint.timeouts.header)):
                try:
                    answer = await self._client.once("POST", url, body)
                except ClosedEarly as error:
                    if not error.aged:
                        raise
                    answer = await self._client.once("POST", url, body)
            return self._client.checked(answer).json()
        except (Unreached, ServerDown, ServerBusy):
            return None
        except (LLMChatError, TimeoutError):
            self._unknown.add(url)
            return None

    def wait_and_retry(self) -> WaitAndRetry:
        """The retry policy for the request for a reply; time spent waiting before counts."""
        wait, self._waited = self._client.endpoint.timeouts.wait - self._waited, 0.0
        self.forget_busy()
        policy = RetryPolicy(wait, clock=asyncio.get_running_loop().time)
        return WaitAndRetry(policy, self._client.endpoint)

    async def until(self, work: Callable[[], Awaitable[None]]) -> AsyncGenerator[Event, None]:
        """Does this with retries; yields progress while waiting.

        While a model is loading this continues as long as there is time for waiting; the following request
        has only what is left. A server that is merely busy is left to that request.
        """
        self.heed_busy()
        clock = asyncio.get_running_loop().time
        started = clock()

        async def run(_: None) -> AsyncGenerator[Event, None]:
            self.forget_busy()
            await work()
            nothing: tuple[Event, ...] = ()
            for event in nothing:
                yield event

        endpoint = self._client.endpoint
        waiting = WaitAndRetry(RetryPolicy(endpoint.timeouts.wait, clock=clock, loads=True), endpoint)
        try:
            async with aclosing(attempts(None, run, [waiting])) as events:
                async for event in events:
                    yield event
        except LLMChatError:
            self._waited = clock() - started
            raise

    def heed_busy(self) -> None:
        """Raises the recent error of a question that was waited for, instead of waiting again."""
        if self._busy is not None and asyncio.get_running_loop().time() < self._busy_at + HEED_S:
            raise self._busy

    def forget_busy(self) -> None:
        """Allows the server to be asked again."""
        self._busy = None
