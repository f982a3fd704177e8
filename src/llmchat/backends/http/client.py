"""Sends requests to one endpoint, and returns whole responses or streams; knows no API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from llmchat.backends.http.answer import JSON, Answer, Body, not_a_model
from llmchat.backends.http.body import BodyReader
from llmchat.backends.http.endpoint import Endpoint
from llmchat.backends.http.errors import quote, refusal
from llmchat.backends.http.sse import LONGEST_MARK, looks_like_events
from llmchat.backends.http.stream import EventStream
from llmchat.backends.http.transport import Transport
from llmchat.errors import BrokenReply, LLMChatError, TryLaterError

if TYPE_CHECKING:
    import aiohttp

EVENT_STREAM = "text/event-stream"
_USUAL = frozenset({"", JSON, EVENT_STREAM, "text/html", "text/plain"})
"""Content types that no API uses."""
LONGEST_ANSWER = 16 << 20
"""Maximum bytes of a response with status 200 that is not a stream."""
LONGEST_ERROR_BODY = 64 << 10
"""Maximum bytes of any other response."""
ERROR_BODY_S = 5.0
"""Time limit for reading them, in seconds: the status is enough."""


class HttpClient:
    """Sends each request once. Raises only errors of llmchat.errors, which never contain the key."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._transport = Transport(endpoint)

    @property
    def endpoint(self) -> Endpoint:
        return self._transport.endpoint

    async def warm(self) -> None:
        """Imports the HTTP library without blocking the event loop."""
        await self._transport.warm()

    async def aclose(self) -> None:
        """Closes the connection. May be called twice."""
        await self._transport.aclose()

    def quote(self, text: str) -> str:
        """A server's text for a message: on one line, short, without the key."""
        return quote(text, key=self.endpoint.key, limit=500)

    async def get_json(self, url: str) -> object:
        """The JSON at this URL. Raises the error of any status but 200."""
        return self.checked(await self.once("GET", url)).json()

    async def post_json(self, url: str, body: Body) -> object:
        """The JSON response to this request. Raises as `get_json`."""
        return self.checked(await self.once("POST", url, body)).json()

    def checked(self, answer: Answer) -> Answer:
        """The response, if its status is 200; else raises its error."""
        if answer.status != 200:
            endpoint = self.endpoint
            now = partial(datetime.now, UTC)
            raise refusal(answer, key=endpoint.key, key_from=endpoint.key_from, now=now)
        return answer

    @asynccontextmanager
    async def stream(
        self, url: str, body: Body, *, fault: Callable[[object], LLMChatError | None]
    ) -> AsyncGenerator[EventStream, None]:
        """The events of a streamed reply. Leaving the context drops the connection of an unfinished reply.

        `fault` finds an error in a JSON response with status 200. Raises BrokenReply if the response is not
        an event stream.
        """
        response = await self._transport.send("POST", url, body, accept=EVENT_STREAM)
        try:
            reader = BodyReader(lambda: self._transport.read(response), self.endpoint.timeouts.first_token)
            if response.status != 200 or not await _is_stream(response.headers, reader):
                answer = await self._answer(response, reader)
                raise fault(self.checked(answer).json()) or _not_a_stream(answer)
            events = EventStream(reader.read, self.endpoint.timeouts, server=self.endpoint.server)
            yield events
            await events.drain()
        finally:
            response.close()

    async def once(self, method: str, url: str, body: Body | None = None) -> Answer:
        """The response, with any status. Sends only once."""
        response = await self._transport.send(method, url, body, accept=JSON)
        try:
            return await self._answer(response, BodyReader(lambda: self._transport.read(response)))
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
        if kind not in _USUAL:  # is shown, and may contain the key
            kind = self.quote(kind)
        told = (headers.get(name) for name in ("Retry-After", "Location", "Date"))
        return Answer(server, response.status, kind, body, *told)

    async def _body(self, reader: BodyReader) -> str:
        server = self.endpoint.server
        try:
            return (await reader.all(LONGEST_ANSWER, between=self.endpoint.timeouts.idle)).decode()
        except TimeoutError as error:
            raise TryLaterError(
                f"{server} stopped in the middle of its response", hint="ask again"
            ) from error
        except UnicodeDecodeError as error:
            raise not_a_model(server, "bytes that are not UTF-8") from error


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()


async def _is_stream(headers: Mapping[str, str], reader: BodyReader) -> bool:
    """True if a response is an event stream: by its type, else by its first bytes."""
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
