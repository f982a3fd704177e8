"""A server on loopback that answers with bytes as a test scripts them, the illegal ones included."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from socket import SO_LINGER, SOL_SOCKET
from typing import Self

from servers import Recorded


class Act(Enum):
    """What a server does instead of sending the next bytes."""

    CLOSE = "closes the connection"
    RESET = "resets the connection"
    HANG = "is silent until the client leaves"
    KEEP = "waits for the next request on this connection"


Step = bytes | Act


def head(status: str = "200 OK", content_type: str | None = "text/event-stream", **headers: str) -> bytes:
    """The head of an answer; underscores in header names stand for hyphens."""
    named = {"Content-Type": content_type} if content_type else {}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return "".join([f"HTTP/1.1 {status}\r\n", *(f"{n}: {v}\r\n" for n, v in named.items()), "\r\n"]).encode()


def chunked(*parts: bytes) -> bytes:
    """These bytes as chunks of HTTP/1.1, one each; an empty one is the end."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


def page(status: str, content_type: str | None, body: bytes, **headers: str) -> list[Step]:
    """A whole answer of a known length."""
    return [head(status, content_type, Content_Length=str(len(body)), **headers) + body, Act.KEEP]


@dataclass
class ByteServer:
    """`async with ByteServer({"/info": steps}) as server:` answers each path with its steps.

    A path may have several answers, which are given in turn, the last one from then on. Other paths are
    not found. `seen` is every request; `left` is set when a client goes away.
    """

    answers: Mapping[str, Sequence[Step] | Callable[[int], Sequence[Step]]]
    unix: Path | None = None
    tls: ssl.SSLContext | None = None
    seen: list[Recorded] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    _listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def asked_for(self, path: str) -> list[Recorded]:
        return [each for each in self.seen if each.path == path]

    async def __aenter__(self) -> Self:
        if self.unix:
            self._listener = await asyncio.start_unix_server(self._serve, self.unix)
        else:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
            self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for each in self._open:
            each.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            while request := await _read_request(reader):
                self.seen.append(request)
                self.asked.set()
                if not await self._answer(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        except asyncio.CancelledError:  # the test is over
            pass
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _answer(
        self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Whether the connection goes on."""
        nothing = page("404 Not Found", "application/json", b'{"error": "not found"}')
        answer = self.answers.get(request.path, nothing)
        steps = answer(len(self.asked_for(request.path)) - 1) if callable(answer) else answer
        for step in steps:
            match step:
                case Act.CLOSE:
                    return False
                case Act.RESET:
                    sock = writer.get_extra_info("socket")
                    sock.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
                    writer.transport.abort()
                    return False
                case Act.HANG:
                    await reader.read(1)  # its end: the client left
                    self.left.set()
                    return False
                case Act.KEEP:
                    return True
                case _:
                    writer.write(step)
                    await writer.drain()
                    await asyncio.sleep(0)
        return False


async def _read_request(reader: asyncio.StreamReader) -> Recorded | None:
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1").splitlines()
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines if line)
    body = await reader.readexactly(int(headers.get("Content-Length", 0)))
    return Recorded(method, path, headers, body)


def as_json(value: object, status: str = "200 OK", **headers: str) -> list[Step]:
    """An answer of JSON."""
    return page(status, "application/json", json.dumps(value).encode(), **headers)
