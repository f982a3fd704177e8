"""Reads and writes descriptors while the event loop goes on; must not know what goes through them.

They stay in blocking mode, which others may share: each is asked first whether it would block.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator

CHUNK = 1 << 16
ATOMIC = 4096
"""Bytes that a pipe takes at once when it says that it can be written to (POSIX: PIPE_BUF)."""


async def read_chunks(descriptor: int) -> AsyncGenerator[bytes, None]:
    """What comes, as it comes, until it ends. Raises OSError."""
    while True:
        await _ready(descriptor, writing=False)
        if not (chunk := os.read(descriptor, CHUNK)):
            return
        yield chunk


class DescriptorWriter:
    """Writes to a descriptor. What is left when somebody is cancelled goes before what is written next."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left = b""

    async def write(self, data: bytes) -> None:
        """Returns once all is written. One at a time. Raises OSError."""
        self._left += data
        await self.finish()

    async def finish(self) -> None:
        """Writes what is left."""
        while self._left:
            can_block = await _ready(self._descriptor, writing=True)
            part = self._left[:ATOMIC] if can_block else self._left
            self._left = self._left[os.write(self._descriptor, part) :]


async def _ready(descriptor: int, *, writing: bool) -> bool:
    """Returns once it would not block. False where it never does, as a file."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    try:
        add(descriptor, _wake, ready)
    except PermissionError:  # what epoll says of a file
        return False
    try:
        await ready
    finally:
        remove(descriptor)
    return True


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
