"""One kept HTTP connection and every way it can fail; must not know what is sent over it.

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
from llmchat.backends.answer import JSON, Body
from llmchat.backends.endpoint import Endpoint
from llmchat.backends.faults import Unreached
from llmchat.errors import BrokenReply, ConfigError, LLMChatError, TryLaterError, UnavailableError

if TYPE_CHECKING:
    import aiohttp

KEEP_ALIVE = 240
"""Seconds for which an unused connection is kept: a person reads and types between two questions."""


class ClosedEarly(Unreached):
    """The server closed the connection before it answered."""


class Connection:
    """Sends requests to one endpoint and reads answers; raises errors of llmchat.errors only."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._client: aiohttp.ClientSession | None = None
        self._connected = False  # before, so that a connection found closed may only have grown old

    async def warm(self) -> None:
        """Imports aiohttp without holding up the event loop."""
        await asyncio.to_thread(importlib.import_module, "aiohttp")

    async def aclose(self) -> None:
        """May be called twice; what is sent later opens it anew."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def send(self, method: str, url: str, body: Body | None, *, accept: str) -> aiohttp.ClientResponse:
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
        if self.endpoint.offline:
            raise ConfigError(f"{self.endpoint.server} was not asked: --offline", hint="leave out --offline")
        if self.endpoint.offline:
            raise ConfigError(f"{self.endpoint.server} was not asked: --offline", hint="leave out --offline")
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

            if (read_key := self.endpoint.read_key) is not None:
                self.endpoint = replace(self.endpoint, key=await read_key(), read_key=None)
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

    async def read(self, response: aiohttp.ClientResponse) -> bytes:
        """The next bytes of an answer, b"" at its end. Raises BrokenReply where it is cut off."""
        import aiohttp

        try:
            return await response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise BrokenReply(
                f"the connection to {self.endpoint.server} was lost in the middle of the answer",
                hint="ask again",
            ) from error


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
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError() | ValueError():
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
    if isinstance(cause, socket.gaierror | ssl.SSLError):
        return cause.strerror or type(cause).__name__
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)  # asyncio puts words of its own in `strerror`
    return str(cause) or type(cause).__name__
