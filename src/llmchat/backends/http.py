"""Sends requests to one server over a kept connection; must not know what its answers mean.

aiohttp lives here, and is imported when the first request is made or `warm` is called.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llmchat import __version__
from llmchat.backends.endpoint import Auth, Endpoint, Timeouts
from llmchat.backends.faults import BUSY_STATUSES, Answer, Unreached, not_a_model, quote, refusal
from llmchat.backends.retry import Patience, Retryable
from llmchat.backends.stream import EventStream
from llmchat.core.generation import Event, Progress, Token
from llmchat.errors import BrokenReply, ConfigError, LLMChatError, TryLaterError, UnavailableError

if TYPE_CHECKING:
    import aiohttp

__all__ = ["Auth", "Endpoint", "HttpSession", "Timeouts"]

EVENT_STREAM = "text/event-stream"
JSON = "application/json"
LONGEST_ANSWER = 16 << 20
"""Bytes of an answer with status 200 that is no stream."""
LONGEST_EXCUSE = 64 << 10
"""Bytes that are read of any other answer."""
KEEP_ALIVE = 240
"""Seconds for which an unused connection is kept: a person reads and types between two questions."""

Body = Mapping[str, object]


class HttpSession:
    """Requests to one endpoint, each with its deadlines, its tries, and an explanation if it fails.

    Everything raises errors of llmchat.errors, and none of them ever holds the key.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client: aiohttp.ClientSession | None = None
        self._connected = False  # before, so that a connection found closed may only have grown old

    async def warm(self) -> None:
        """Imports aiohttp without holding up the event loop."""
        await asyncio.to_thread(importlib.import_module, "aiohttp")

    async def aclose(self) -> None:
        """Closes the connection. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def move(self, endpoint: Endpoint) -> None:
        """Goes on with another endpoint: a server that was started anew."""
        self.endpoint = endpoint
        await self.aclose()

    def quote(self, text: str) -> str:
        """A server's words for a message: on one line, short, without the key."""
        return quote(text, key=self.endpoint.key, limit=500)

    async def get_json(self, url: str) -> object:
        """The JSON at this URL. Raises the error of every other status than 200."""
        return self.checked(await self.ask("GET", url)).json()

    async def post_json(self, url: str, body: Body, *, once: bool = False) -> object:
        """What the server answers this with; `once` leaves trying again to the caller."""
        answer = await (self._ask_once("POST", url, body) if once else self.ask("POST", url, body))
        return self.checked(answer).json()

    def checked(self, answer: Answer) -> Answer:
        """This answer, if its status is 200; else raises the error that it means."""
        if answer.status != 200:
            raise refusal(answer, key=self.endpoint.key, now=lambda: datetime.now(UTC))
        return answer

    async def ask(self, method: str, url: str, body: Body | None = None, *, patient: bool = False) -> Answer:
        """The answer, whatever its status; tries again after connection failures.

        `patient` also tries again while the server is busy or starting, and then raises.
        """
        patience = self._patience()
        while True:
            try:
                answer = await self._ask_once(method, url, body)
                return self.checked(answer) if patient and answer.status in BUSY_STATUSES else answer
            except Retryable as error:
                delay = patience.delay(error)
                if delay is None:
                    raise
            await asyncio.sleep(delay)

    async def retrying(
        self, attempt: Callable[[], AsyncGenerator[Event, None]]
    ) -> AsyncGenerator[Event, None]:
        """The events of an attempt; of another one where it fails for a while before any text has come."""
        patience = self._patience()
        while True:
            spoken = False
            try:
                async with aclosing(attempt()) as events:
                    async for event in events:
                        spoken = spoken or isinstance(event, Token)
                        yield event
                return
            except Retryable as error:
                delay = None if spoken else patience.delay(error)
                if delay is None:
                    raise
            more = f", trying again in {delay:.0f} s" if delay >= 1 else ""
            yield Progress(f"waiting for the server{more}")
            await asyncio.sleep(delay)

    @asynccontextmanager
    async def stream(
        self, url: str, body: Body, *, fault: Callable[[object], LLMChatError | None]
    ) -> AsyncGenerator[EventStream, None]:
        """The events of the reply to this. Leaving the block drops the connection unless the reply is whole.

        `fault` finds the error in an answer that is JSON with status 200. Raises BrokenReply where the
        answer is no event stream.
        """
        response = await self._send("POST", url, body, accept=EVENT_STREAM)
        try:
            if response.status != 200 or response.content_type != EVENT_STREAM:
                answer = await self._answer(response)
                raise fault(self.checked(answer).json()) or _not_a_stream(answer)
            server = self.endpoint.server
            events = EventStream(lambda: self._read(response), self.endpoint.timeouts, server=server)
            yield events
            await events.drain()
        finally:
            response.close()

    def _patience(self) -> Patience:
        return Patience(self.endpoint.timeouts.wait, clock=asyncio.get_running_loop().time)

    async def _ask_once(self, method: str, url: str, body: Body | None) -> Answer:
        response = await self._send(method, url, body, accept=JSON)
        try:
            return await self._answer(response)
        finally:
            response.close()

    async def _answer(self, response: aiohttp.ClientResponse) -> Answer:
        server, ok = self.endpoint.server, response.status == 200
        data, limit = bytearray(), LONGEST_ANSWER if ok else LONGEST_EXCUSE
        try:
            while len(data) <= limit:
                async with asyncio.timeout(self.endpoint.timeouts.idle):
                    if not (chunk := await self._read(response)):
                        break
                data += chunk
            body = data[:limit].decode(errors="strict" if ok else "replace")
        except TimeoutError as error:
            raise TryLaterError(f"{server} stopped in the middle of its answer", hint="ask again") from error
        except UnicodeDecodeError as error:
            raise not_a_model(server, "bytes that are not UTF-8") from error
        headers = response.headers
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Answer(
            server, response.status, kind, body, headers.get("Retry-After"), headers.get("Location")
        )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        import aiohttp

        try:
            return await response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenReply(
                f"the connection to {self.endpoint.server} was lost in the middle of the answer",
                hint="ask again",
            ) from error

    async def _send(self, method: str, url: str, body: Body | None, *, accept: str) -> aiohttp.ClientResponse:
        """The answer's head. A connection that the server closed in the meantime is replaced in silence."""
        try:
            return await self._send_once(method, url, body, accept=accept)
        except ClosedEarly:
            if not self._connected:
                raise
            self._connected = False
            return await self._send_once(method, url, body, accept=accept)

    async def _send_once(
        self, method: str, url: str, body: Body | None, *, accept: str
    ) -> aiohttp.ClientResponse:
        client = await self._open()
        import aiohttp

        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept} | ({} if data is None else {"Content-Type": JSON})
        try:
            async with asyncio.timeout(self.endpoint.timeouts.header):
                response = await client.request(
                    method, url, data=data, headers=headers, proxy=self.endpoint.proxy, allow_redirects=False
                )
        except (OSError, ValueError, aiohttp.ClientError) as error:
            raise _unanswered(error, self.endpoint) from error
        self._connected = True
        return response

    async def _open(self) -> aiohttp.ClientSession:
        if self._client is None:
            await self.warm()
            import aiohttp

        if self._client is None:  # still: another request may have opened it meanwhile
            endpoint = self.endpoint
            connector: aiohttp.BaseConnector
            if endpoint.unix_socket is not None:
                connector = aiohttp.UnixConnector(str(endpoint.unix_socket), keepalive_timeout=KEEP_ALIVE)
            else:
                connector = aiohttp.TCPConnector(ssl=_trust(endpoint), keepalive_timeout=KEEP_ALIVE)
            authorization = endpoint.authorization
            self._client = aiohttp.ClientSession(
                connector=connector,
                headers={"User-Agent": f"llmchat/{__version__}", "Accept-Encoding": "identity"}
                | ({"Authorization": authorization} if authorization else {}),
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=endpoint.timeouts.connect, sock_connect=endpoint.timeouts.connect
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,  # neither proxies of the environment nor ~/.netrc
            )
        return self._client


class ClosedEarly(Unreached):
    """The server closed the connection before it answered."""


def _trust(endpoint: Endpoint) -> ssl.SSLContext | bool:
    """The system's certificates, and those of `ca_file`."""
    if endpoint.ca_file is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(endpoint.ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"cannot read the certificates in {endpoint.ca_file}", hint="ca_file must name a PEM file"
        ) from error
    return context


def _not_a_stream(answer: Answer) -> BrokenReply:
    if answer.content_type != JSON:
        return not_a_model(answer.server, answer.content_type)
    return BrokenReply(
        f"{answer.server} answered in one piece instead of a stream", hint="ask with --no-stream"
    )


def _unanswered(error: Exception, endpoint: Endpoint) -> LLMChatError:
    """The error of a request that got no status."""
    import aiohttp

    server, deadlines = endpoint.server, endpoint.timeouts
    match error:
        case aiohttp.ConnectionTimeoutError():
            return TryLaterError(
                f"no connection to {server} within {deadlines.connect:g} s",
                hint="check the network and the URL; LLMCHAT_CONNECT_TIMEOUT sets how long to wait",
            )
        case TimeoutError():
            return TryLaterError(
                f"{server} did not answer within {deadlines.header:g} s",
                hint="ask again; LLMCHAT_HEADER_TIMEOUT sets how long to wait",
            )
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return UnavailableError(
                f"no secure connection to {server}: {_reason(error)}",
                hint="check https:// and the server's certificate; ca_file adds a certificate authority",
            )
        case aiohttp.ClientHttpProxyError():
            return ConfigError(f"the proxy refuses to connect to {server}", hint="check the proxy setting")
        case aiohttp.ClientProxyConnectionError():
            return Unreached(f"cannot reach the proxy: {_reason(error)}", hint="check the proxy setting")
        case (
            aiohttp.ServerDisconnectedError()
            | aiohttp.ClientConnectionResetError()
            | aiohttp.ClientOSError(__cause__=aiohttp.ClientConnectionResetError())  # has no errno
            | OSError(errno=errno.ECONNRESET | errno.EPIPE)
        ):
            return ClosedEarly(f"{server} closed the connection before it answered", hint="ask again")
        case aiohttp.InvalidURL() | ValueError():
            return ConfigError("the URL cannot be used", hint="it looks like http://host:port/path")
        case OSError():
            return Unreached(
                f"cannot reach {server}: {_reason(error)}", hint="is the server running, and the URL right?"
            )
    return BrokenReply(
        f"{server} does not answer in HTTP", hint="check the URL: http:// or https://, and the port"
    )


def _reason(error: Exception) -> str:
    """Why a connection failed, in the system's own words."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return str(cause.verify_message)
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(cause).__name__
