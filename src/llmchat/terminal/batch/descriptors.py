"""Reads and writes file descriptors without blocking the event loop; knows nothing of their content.

They stay in blocking mode, as other processes may share them; polling tells whether one would block.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator

CHUNK = 1 << 16
ATOMIC = 4096
"""Bytes that a pipe takes at once when it says that it can be written to (POSIX: PIPE_BUF)."""


async def read_chunks(descriptor: int) -> AsyncGenerator[bytes, None]:
    """Chunks as they arrive, until the end. Raises OSError."""
    while True:
        await _ready(descriptor, writing=False)
        if not (chunk := os.read(descriptor, CHUNK)):
            return
        yield chunk


class DescriptorWriter:
    """Writes to a descriptor. What a cancelled write left over goes before the next one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left = b""

    async def write(self, data: bytes) -> None:
        """Returns once everything is written. One call at a time. Raises OSError."""
        self._left += data
        await self.finish()

    async def finish(self) -> None:
        """Writes what is left over."""
        while self._left:
            can_block = await _ready(self._descriptor, writing=True)
            part = self._left[:ATOMIC] if can_block else self._left
            self._left = self._left[os.write(self._descriptor, part) :]


async def _ready(descriptor: int, *, writing: bool) -> bool:
    """Waits until it would not block. False if it never blocks, as a file."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    try:
        add(descriptor, _wake, ready)
    except PermissionError:  # epoll refuses regular files
        return False
    try:
        await ready
    finally:
        remove(descriptor)
    return True


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
