"""An OpenAI-compatible server, in a thread of its own, whose replies a test dictates as it goes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from servers import Reply
from servers.openai import CHAT, DONE, OpenAIServer, chunk, thought, usage

_DICTATED = Reply()


class DictatedServer(OpenAIServer):
    """`say` sends pieces of the reply that is under way, or comes next, one packet each; `finish` ends it."""

    def __init__(self) -> None:
        super().__init__()
        self.always(CHAT, _DICTATED)
        self._loop = asyncio.new_event_loop()
        self._events: asyncio.Queue[str] = asyncio.Queue()

    def say(self, *texts: str) -> None:
        for text in texts:
            self._loop.call_soon_threadsafe(self._events.put_nowait, chunk(text))

    def think(self, *texts: str) -> None:
        for text in texts:
            self._loop.call_soon_threadsafe(self._events.put_nowait, thought(text))

    def finish(self) -> None:
        for event in (chunk(finish="stop"), usage(7, 2), DONE):
            self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    def forget(self) -> None:
        """What was not sent yet is not said any more."""

        def drain() -> None:
            while not self._events.empty():
                self._events.get_nowait()

        self._loop.call_soon_threadsafe(drain)

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply is not _DICTATED:
            return await super()._send(request, reply)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        event = ""
        while event != DONE:
            event = await self._events.get()
            await response.write(f"data: {event}\n\n".encode())
        await response.write_eof()
        return response

    def serve(self, started: threading.Event, ended: asyncio.Event) -> None:
        """Answers in this thread until it has ended."""

        async def run() -> None:
            async with self:
                started.set()
                await ended.wait()

        try:
            self._loop.run_until_complete(run())
        finally:
            self._loop.close()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Answers as long as the block lasts."""
        started, ended = threading.Event(), asyncio.Event()
        thread = threading.Thread(target=self.serve, args=(started, ended))
        thread.start()
        try:
            assert started.wait(10)
            yield
        finally:
            self._loop.call_soon_threadsafe(ended.set)
            thread.join()


@contextmanager
def dictated() -> Iterator[DictatedServer]:
    """A server as long as the block lasts."""
    server = DictatedServer()
    with server.running():
        yield server
