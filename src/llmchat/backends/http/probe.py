"""Asks a server about itself, and waits for one that starts; an answer never depends on what it tells."""

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
"""Seconds for an answer that nobody needs."""
HEED_S = 1.0
"""Seconds in which a server that was busy is not asked about itself again."""
LEAST_KEY = 8
"""Characters of a key that would be noticed in what a server tells; less may be a word of it."""


class ServerProbe:
    """Questions about a server and for what it can compute, each asked once and waited for a little.

    What is wrong with a server that does not answer them properly, the request for a reply shows.
    """

    def __init__(self, client: HttpClient) -> None:
        self._client = client
        self._waited = 0.0  # seconds, for a server that was not ready when the question came
        self._busy: ServerDown | ServerBusy | None = None  # why it could not be asked about itself
        self._busy_at = 0.0
        self._unknown: set[str] = set()  # what it was asked and does not know
        self._silent = False  # it did not answer in time, and is not asked about itself again

    async def learn(self, url: str) -> object:
        """The JSON that a server tells about itself at this URL; None where it tells nothing.

        Nothing is learnt where our key stands in it, either: it would be shown and kept. Asks once, and waits
        a little: the question itself shows what is wrong with a server that does not answer properly. Raises
        Unreached, ServerDown and ServerBusy while there is none, DeniedError.
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
        """What a server may be able to compute, as tokens; None for good where it is not.

        Asks once, and waits a little: nobody needs it.
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
        """How a failed request for a reply is tried again; what was waited for the server before counts."""
        wait, self._waited = self._client.endpoint.timeouts.wait - self._waited, 0.0
        self.forget_busy()
        policy = RetryPolicy(wait, clock=asyncio.get_running_loop().time)
        return WaitAndRetry(policy, self._client.endpoint)

    async def until(self, work: Callable[[], Awaitable[None]]) -> AsyncGenerator[Event, None]:
        """Does this, as often as a request is tried, and gives the events of the waiting in between.

        While a model loads this goes on as long as there is time for waiting; the request that follows has
        only what is left of it. A server that is merely busy is left to that request.
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
        """Raises why the server could not be asked about itself a moment ago: it was waited for then."""
        if self._busy is not None and asyncio.get_running_loop().time() < self._busy_at + HEED_S:
            raise self._busy

    def forget_busy(self) -> None:
        """It may be asked again."""
        self._busy = None
