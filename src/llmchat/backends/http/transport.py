"""The HTTP connection to one endpoint, by aiohttp: TLS, proxy, deadlines, and the errors of a connection.

The home of aiohttp, which is imported when the first request is sent or `warm` is called.
"""

from __future__ import annotations

import asyncio
import errno
import importlib
import json
import os
import socket
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

from llmchat import __version__
from llmchat.backends.http.answer import JSON, Body
from llmchat.backends.http.endpoint import Endpoint
from llmchat.backends.http.errors import ClosedEarly, Unreached
from llmchat.errors import BrokenReply, ConfigError, LLMChatError, TryLaterError, UnavailableError

if TYPE_CHECKING:
    import aiohttp

KEEP_ALIVE = 240
"""Seconds before an unused connection is closed: a person reads and types between questions."""


class Transport:
    """Sends requests to one endpoint and reads responses; raises only errors of llmchat.errors."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client: aiohttp.ClientSession | None = None
        self._answered = False  # of the last request: its connection can be used again

    async def warm(self) -> None:
        """Imports aiohttp without blocking the event loop."""
        await asyncio.to_thread(importlib.import_module, "aiohttp")

    async def aclose(self) -> None:
        """Closes the connection. May be called twice; a later request opens it again."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def send(self, method: str, url: str, body: Body | None, *, accept: str) -> aiohttp.ClientResponse:
        """Sends a request and returns the response's head. Raises ClosedEarly, among others."""
        if self.endpoint.offline:
            raise ConfigError(
                f"{self.endpoint.server} was not contacted: --offline", hint="leave out --offline"
            )
        client = await self._open()
        import aiohttp

        data = None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept} | ({} if data is None else {"Content-Type": JSON})
        answered, self._answered = self._answered, False
        try:
            async with asyncio.timeout(self.endpoint.timeouts.header):
                response = await client.request(
                    method, url, data=data, headers=headers, proxy=self.endpoint.proxy, allow_redirects=False
                )
        except (OSError, ValueError, aiohttp.ClientError) as error:
            raise _unanswered(error, self.endpoint, aged=answered) from error
        self._answered = True
        _end_with_connection(response)
        return response

    async def _open(self) -> aiohttp.ClientSession:
        if self._client is None:
            await self.warm()
            import aiohttp

            if (read_key := self.endpoint.read_key) is not None:
                self.endpoint = replace(self.endpoint, key=await read_key(), read_key=None)
        if self._client is None:  # checked again, as another request may have opened it meanwhile
            endpoint = self.endpoint
            connector: aiohttp.BaseConnector
            if endpoint.unix_socket is not None:
                connector = aiohttp.UnixConnector(
                    str(endpoint.unix_socket), limit=0, keepalive_timeout=KEEP_ALIVE
                )
            else:
                connector = aiohttp.TCPConnector(ssl=_trust(endpoint), limit=0, keepalive_timeout=KEEP_ALIVE)
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

    async def read(self, response: aiohttp.ClientResponse) -> bytes:
        """The next bytes of a response, b"" at its end. Raises BrokenReply if it is cut off."""
        import aiohttp

        try:
            return await response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            server = self.endpoint.server
            lost = f"the connection to {server} was lost in the middle of the answer"
            if isinstance(error.__cause__, aiohttp.http_exceptions.ContentEncodingError):
                lost = f"the response of {server} cannot be decompressed"
            raise BrokenReply(lost, hint="ask again; a proxy may be in the way") from error


def _end_with_connection(response: aiohttp.ClientResponse) -> None:
    """Wakes a reader of this response when its connection is closed.

    aiohttp closes it after an invalid chunk, without waking the reader.
    """
    connection = response.connection
    protocol = connection.protocol if connection is not None else None
    closed = protocol.closed if protocol is not None else None  # an empty one is false
    if closed is None:
        return
    import aiohttp

    def end(over: asyncio.Future[None]) -> None:
        over.exception()
        if not response.content.is_eof() and response.content.exception() is None:
            response.content.set_exception(aiohttp.ClientPayloadError("the connection is closed"))

    closed.add_done_callback(end)


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


def _unanswered(error: Exception, endpoint: Endpoint, *, aged: bool) -> LLMChatError:
    """The error of a request without a response; `aged` if its connection was used before."""
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
            closed = ClosedEarly(f"{server} closed the connection before it answered", hint="ask again")
            closed.aged = aged
            return closed
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | ValueError():
            return ConfigError("the URL is not supported", hint="it looks like http://host:port/path")
        case OSError():
            return Unreached(
                f"cannot reach {server}: {_reason(error)}", hint="is the server running, and the URL right?"
            )
    return _no_http(server, error)


def _no_http(server: str, error: Exception) -> BrokenReply:
    said = str(getattr(error, "message", ""))
    if said.startswith(("Got more than", "Too many headers")):
        return BrokenReply(f"the headers of {server} are too long", hint="is a proxy in the way?")
    return BrokenReply(
        f"{server} does not answer with HTTP", hint="check the URL: http:// or https://, and the port"
    )


def _reason(error: Exception) -> str:
    """The system's reason why a connection failed."""
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return str(cause.verify_message)
    if isinstance(cause, socket.gaierror | ssl.SSLError):
        return cause.strerror or type(cause).__name__
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)  # asyncio puts its own text into `strerror`
    return str(cause) or type(cause).__name__
