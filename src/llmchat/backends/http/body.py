"""Reads the body of one response: completely, its beginning, or as much as arrives in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from llmchat.errors import BrokenReply


class BodyReader:
    """A buffered reader over `read`, which returns b"" at the end. Raises what it raises."""

    def __init__(self, read: Callable[[], Awaitable[bytes]], first: float | None = None) -> None:
        """`first` is the time limit of `peek` in seconds."""
        self._read = read
        self._first = first
        self._peeked = b""

    async def read(self) -> bytes:
        """The next bytes."""
        peeked, self._peeked = self._peeked, b""
        return peeked or await self._read()

    async def peek(self, most: int) -> bytes:
        """The beginning, not consumed: at least so many bytes, or less if they do not arrive in time."""
        try:
            async with asyncio.timeout(self._first):
                while len(self._peeked) < most and (chunk := await self._read()):
                    self._peeked += chunk
        except TimeoutError:
            pass
        return self._peeked

    async def all(self, most: int, *, between: float) -> bytes:
        """The whole body, cut at so many bytes. Raises TimeoutError if nothing arrives for so many seconds.

        White space does not count, as JSON may have any amount of it.
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
        """As much of an error's body as arrives in so many seconds; ignores errors."""
        data = bytearray()
        try:
            async with asyncio.timeout(within):
                while len(data) <= most and (chunk := await self.read()):
                    data += chunk
        except (TimeoutError, BrokenReply):
            pass
        return bytes(data[:most])
