"""Reads the body of one answer: all of it, its beginning, or what there is; must not know what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from llmchat.errors import BrokenReply


class BodyReader:
    """The bytes that `read` gives, b"" at their end. Raises what it raises."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], first: float | None = None) -> None:
        """`first` is how many seconds `peek` waits."""
        self._read = read
        self._first = first
        self._peeked = b""

    async def read(self) -> bytes:
        """The next bytes."""
        peeked, self._peeked = self._peeked, b""
        return peeked or await self._read()

    async def peek(self, most: int) -> bytes:
        """The beginning, at least so many bytes if there are; less of it where they do not come in time."""
        try:
            async with asyncio.timeout(self._first):
                while len(self._peeked) < most and (chunk := await self._read()):
                    self._peeked += chunk
        except TimeoutError:
            pass
        return self._peeked

    async def all(self, most: int, *, between: float) -> bytes:
        """The body, cut at so many bytes. Raises TimeoutError where nothing comes for so many seconds.

        Blanks are nothing: JSON may have any number of them.
        """
        data = bytearray()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(between) as deadline:
            while len(data) <= most and (chunk := await self.read()):
                data += chunk
                if chunk.strip():
                    deadline.reschedule(loop.time() + between)
        return bytes(data[:most])

    async def read_error_body(self, most: int, *, within: float) -> bytes:
        """What comes of the body in so many seconds; no fault of it counts."""
        data = bytearray()
        try:
            async with asyncio.timeout(within):
                while len(data) <= most and (chunk := await self.read()):
                    data += chunk
        except (TimeoutError, BrokenReply):
            pass
        return bytes(data[:most])
