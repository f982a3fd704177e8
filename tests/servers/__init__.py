"""Real HTTP servers on loopback that say what a test scripts, faults included, and record requests."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from aiohttp import web


class Fault(Enum):
    """What a server does in the middle of a reply instead of sending more."""

    HANG = "keeps the connection open in silence until the client leaves"
    DROP = "closes the connection on the spot"
    GATE = "waits for the test to call `open_gate`"


@dataclass(frozen=True)
class Reply:
    """One answer. Its steps are sent one packet each: a str as an event's data, bytes as they are.

    Without steps it sends `body`. `before` happens instead of any status.
    """

    steps: Sequence[str | bytes | Fault] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    before: Fault | None = None
    pause: float = 0  # seconds before each step


@dataclass(frozen=True)
class Recorded:
    """What one request was."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.body)


def json_reply(value: object, status: int = 200, **headers: str) -> Reply:
    """An answer of JSON; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = json.dumps(value).encode()
    return Reply(status=status, content_type="application/json", headers=named, body=body)


class LoopbackServer:
    """`async with LoopbackServer() as server:` answers at `server.url` until the block is left.

    A path is answered by what `script` queued for it, else by what `always` set, else by 404. Every
    request is in `requests`. `connections` counts those that brought a request.
    """

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.url = ""
        self.asked = asyncio.Event()  # a request came
        self.left = asyncio.Event()  # a client went away in the middle of a reply
        self._scripts: dict[str, deque[Reply]] = {}
        self._standing: dict[str, Reply] = {}
        self._peers: set[object] = set()
        self._gate = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def connections(self) -> int:
        return len(self._peers)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def script(self, path: str, *replies: Reply) -> None:
        """The next answers of a path, in this order."""
        self._scripts.setdefault(path, deque()).extend(replies)

    def always(self, path: str, reply: Reply) -> None:
        """The answer of a path whenever nothing is scripted."""
        self._standing[path] = reply

    def open_gate(self) -> None:
        """Lets replies go on that wait at a GATE, now and later."""
        self._gate.set()

    def bodies(self, path: str) -> list[dict[str, object]]:
        """The JSON of every request to a path, oldest first."""
        return [request.json for request in self.requests if request.path == path]

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{path:.*}", self._answer)
        quiet = logging.getLogger("loopback")  # clients that leave are what tests are about
        quiet.setLevel(logging.CRITICAL)
        self._runner = web.AppRunner(
            app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None, logger=quiet
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))
        recorded = Recorded(request.method, request.path, dict(request.headers), await request.read())
        self.requests.append(recorded)
        self.asked.set()
        try:
            return await self._send(request, self.reply_to(recorded))
        except (asyncio.CancelledError, ConnectionResetError):
            self.left.set()
            raise

    def reply_to(self, request: Recorded) -> Reply:
        """What this request is answered with."""
        if queue := self._scripts.get(request.path):
            return queue.popleft()
        return self._standing.get(request.path) or json_reply({"error": "not found"}, 404)

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.before is not None:
            await self._suffer(request, reply.before)
        headers = {"Content-Type": reply.content_type, **reply.headers}
        if reply.body is not None or not reply.steps:
            return web.Response(status=reply.status, headers=headers, body=reply.body or b"")
        response = web.StreamResponse(status=reply.status, headers=headers)
        await response.prepare(request)
        for step in reply.steps:
            await asyncio.sleep(reply.pause)
            if isinstance(step, Fault):
                await self._suffer(request, step)
            else:
                await response.write(step if isinstance(step, bytes) else f"data:{step}\n\n".encode())
        await response.write_eof()
        return response

    async def _suffer(self, request: web.Request, fault: Fault) -> None:
        match fault:
            case Fault.HANG:
                await asyncio.Event().wait()
            case Fault.GATE:
                await self._gate.wait()
            case Fault.DROP:
                if request.transport is not None:
                    request.transport.abort()
                raise ConnectionResetError
