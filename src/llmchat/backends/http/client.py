"""What the HTTP backends share: questions, streams and tries; must not know what the answers mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from llmchat.backends.http.answer import JSON, Answer, Body, not_a_model
from llmchat.backends.http.body import BodyReader
from llmchat.backends.http.connection import Connection
from llmchat.backends.http.endpoint import Auth, Endpoint, Timeouts
from llmchat.backends.http.errors import (
    ServerDown,
    quote,
    refusal,
)
from llmchat.backends.http.probe import ServerProbe
from llmchat.backends.http.retry import Retryable, RetryPolicy
from llmchat.backends.http.sse import LONGEST_MARK, looks_like_events
from llmchat.backends.http.stream import EventStream
from llmchat.core.generation import Event, Notice, Progress, Thought, Token, no_events
from llmchat.errors import BrokenReply, LLMChatError, TryLaterError

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Auth", "Endpoint", "HttpClient", "Timeouts"]

EVENT_STREAM = "text/event-stream"
_USUAL = frozenset({"", JSON, EVENT_STREAM, "text/html", "text/plain"})
"""Types of answers that hold nothing of ours."""
LONGEST_ANSWER = 16 << 20
"""Bytes of an answer with status 200 that is no stream."""
LONGEST_ERROR_BODY = 64 << 10
"""Bytes that are read of any other answer."""
ERROR_BODY_S = 5.0
"""Seconds in which they must come: its status says enough."""


class HttpClient:
    """Requests to one endpoint, each with its deadlines, its tries, and an explanation if it fails.

    Everything raises errors of llmchat.errors, and none of them ever holds the key.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._connection = Connection(endpoint)
        self.inquiry = ServerProbe(self)
        self._waited = 0.0  # seconds, for a server that was not ready when the question came

    @property
    def endpoint(self) -> Endpoint:
        return self._connection.endpoint

    async def warm(self) -> None:
        """Imports the HTTP library without holding up the event loop."""
        await self._connection.warm()

    async def aclose(self) -> None:
        """Closes the connection. May be called twice."""
        await self._connection.aclose()

    async def move(self, endpoint: Endpoint) -> None:
        """Goes on with another endpoint: a server that was started anew."""
        await self.aclose()
        self._connection = Connection(endpoint)
        self.inquiry = ServerProbe(self)

    def quote(self, text: str) -> str:
        """A server's words for a message: on one line, short, without the key."""
        return quote(text, key=self.endpoint.key, limit=500)

    async def get_json(self, url: str) -> object:
        """The JSON at this URL. Raises the error of every other status than 200."""
        return self.checked(await self.ask("GET", url)).json()

    async def post_json(self, url: str, body: Body, *, once: bool = False) -> object:
        """What the server answers this with; `once` leaves trying again to the caller."""
        answer = await (self.once("POST", url, body) if once else self.ask("POST", url, body))
        return self.checked(answer).json()

    def checked(self, answer: Answer) -> Answer:
        """This answer, if its status is 200; else raises the error that it means."""
        if answer.status != 200:
            endpoint = self.endpoint
            now = partial(datetime.now, UTC)
            raise refusal(answer, key=endpoint.key, key_from=endpoint.key_from, now=now)
        return answer

    async def ask(self, method: str, url: str, body: Body | None = None) -> Answer:
        """The answer, whatever its status; tries again after connection failures."""
        patience = self._patience(self.endpoint.timeouts.wait)
        while True:
            try:
                return await self.once(method, url, body)
            except Retryable as error:
                delay = patience.delay(error)
                if delay is None:
                    raise
            await asyncio.sleep(delay)

    async def retrying(
        self, attempt: Callable[[], AsyncGenerator[Event, None]]
    ) -> AsyncGenerator[Event, None]:
        """The events of an attempt; of another one where it fails for a while before any text has come."""
        wait, self._waited = self.endpoint.timeouts.wait - self._waited, 0.0
        self.inquiry.forget_busy()
        async with aclosing(self._retrying(attempt, self._patience(wait))) as events:
            async for event in events:
                yield event

    async def _retrying(
        self, attempt: Callable[[], AsyncGenerator[Event, None]], patience: RetryPolicy
    ) -> AsyncGenerator[Event, None]:
        while True:
            spoken = False
            try:
                async with aclosing(attempt()) as events:
                    async for event in events:
                        spoken = spoken or isinstance(event, Token | Thought)
                        yield event
                return
            except Retryable as error:
                delay = None if spoken else patience.delay(error)
                if delay is None:
                    raise
                fault = error
            if delay:
                for event in self._waiting(fault, delay):
                    yield event
            await asyncio.sleep(delay)

    async def until(self, work: Callable[[], Awaitable[object]]) -> AsyncGenerator[Event, None]:
        """Does this, as often as a request is tried, and gives the events of the waiting in between.

        While a model loads this goes on as long as there is time for waiting; the request that follows has
        only what is left of it. A server that is merely busy is left to that request.
        """
        self.inquiry.heed_busy()
        clock = asyncio.get_running_loop().time
        started = clock()

        async def attempt() -> AsyncGenerator[Event, None]:
            self.inquiry.forget_busy()
            await work()
            async for event in no_events():
                yield event

        patience = self._patience(self.endpoint.timeouts.wait, loads=True)
        try:
            async with aclosing(self._retrying(attempt, patience)) as events:
                async for event in events:
                    yield event
        except LLMChatError:
            self._waited = clock() - started
            raise

    def _waiting(self, fault: LLMChatError, delay: float) -> list[Event]:
        """What the person is told while we wait."""
        more = f", trying again in {delay:.0f} s" if delay >= 1 else ""
        if not (isinstance(fault, ServerDown) and fault.starting):
            return [Progress(f"waiting for the server{more}")]
        most = f"{self.endpoint.timeouts.wait:g} s at most"
        bound = f" ({most})" if fault.loading else ""
        notice = Notice(f"waiting for the model at {self.endpoint.server}{bound}", once=True)
        return [notice, Progress(f"waiting for the model{more}")]

    @asynccontextmanager
    async def stream(
        self, url: str, body: Body, *, fault: Callable[[object], LLMChatError | None]
    ) -> AsyncGenerator[EventStream, None]:
        """The events of the reply to this. Leaving the block drops the connection unless the reply is whole.

        `fault` finds the error in an answer that is JSON with status 200. Raises BrokenReply where the
        answer is no event stream.
        """
        response = await self._connection.send("POST", url, body, accept=EVENT_STREAM)
        try:
            reader = BodyReader(lambda: self._connection.read(response), self.endpoint.timeouts.first_token)
            if response.status != 200 or not await _is_stream(response.headers, reader):
                answer = await self._answer(response, reader)
                raise fault(self.checked(answer).json()) or _not_a_stream(answer)
            events = EventStream(reader.read, self.endpoint.timeouts, server=self.endpoint.server)
            yield events
            await events.drain()
        finally:
            response.close()

    def _patience(self, wait: float, *, loads: bool = False) -> RetryPolicy:
        return RetryPolicy(wait, clock=asyncio.get_running_loop().time, loads=loads)

    async def once(self, method: str, url: str, body: Body | None) -> Answer:
        """The answer, whatever its status. Asks only once."""
        response = await self._connection.send(method, url, body, accept=JSON)
        try:
            return await self._answer(response, BodyReader(lambda: self._connection.read(response)))
        finally:
            response.close()

    async def _answer(self, response: aiohttp.ClientResponse, reader: BodyReader) -> Answer:
        server, headers = self.endpoint.server, response.headers
        if response.status == 200:
            body = await self._body(reader)
        else:
            body = (await reader.read_error_body(LONGEST_ERROR_BODY, within=ERROR_BODY_S)).decode(
                errors="replace"
            )
        kind = _kind(headers)
        if kind not in _USUAL:  # one that is shown; our key may stand in it
            kind = self.quote(kind)
        told = (headers.get(name) for name in ("Retry-After", "Location", "Date"))
        return Answer(server, response.status, kind, body, *told)

    async def _body(self, reader: BodyReader) -> str:
        server = self.endpoint.server
        try:
            return (await reader.all(LONGEST_ANSWER, between=self.endpoint.timeouts.idle)).decode()
        except TimeoutError as error:
            raise TryLaterError(f"{server} stopped in the middle of its answer", hint="ask again") from error
        except UnicodeDecodeError as error:
            raise not_a_model(server, "bytes that are not UTF-8") from error


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def _is_stream(headers: Mapping[str, str], reader: BodyReader) -> bool:
    """Whether an answer is an event stream: by its type, or by its first bytes where that says nothing."""
    kind = _kind(headers)
    if kind in ("", "text/plain", "application/octet-stream"):
        return looks_like_events(await reader.peek(LONGEST_MARK))
    return kind == EVENT_STREAM


def _not_a_stream(answer: Answer) -> BrokenReply:
    if answer.content_type != JSON:
        return not_a_model(answer.server, answer.content_type)
    return BrokenReply(
        f"{answer.server} answered in one piece instead of a stream", hint="ask with --no-stream"
    )
