"""Puts answer lines on stdout, in the order of their lines or as they come; must not know what they say."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from typing import BinaryIO

from llmchat.terminal.batch.descriptors import DescriptorWriter

AHEAD = 8192
"""Lines that are worked on beyond the oldest one without an answer: so many answers may have to wait."""
FAREWELL_S = 1.0
"""Seconds in which a reader of stdout must take what is left when the run is stopped."""


class Output:
    """Every position gets one answer. In order, it waits until all before it are out."""

    def __init__(self, descriptor: int, *, ordered: bool) -> None:
        self._writer = DescriptorWriter(descriptor)
        self._ordered = ordered
        self._held: dict[int, bytes] = {}  # answers that wait for one before them; b"" is out already
        self._next = 0
        self._writing = asyncio.Lock()
        self._moved = asyncio.Event()

    async def room(self, position: int) -> None:
        """Returns once the answer at this position would not have to wait for too many others."""
        while self._ordered and position - self._next >= AHEAD:
            self._moved.clear()
            await self._moved.wait()

    async def add(self, position: int, answer: bytes) -> None:
        """Prints what can be printed now; b"" is an answer that is not to be. Raises OSError."""
        if not self._ordered:
            async with self._writing:
                await self._writer.write(_line(answer))
            return
        self._held[position] = answer
        async with self._writing:
            while self._next in self._held:
                line = _line(self._held.pop(self._next))
                self._next += 1
                self._moved.set()
                await self._writer.write(line)

    async def break_line(self) -> None:
        """Ends a line of somebody else's, before anything is added."""
        await self._writer.write(b"\n")

    async def leave(self) -> None:
        """Prints what is finished, without what is missing in between, if the reader still takes it."""
        held, self._held = self._held, {}
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._writer.finish()
                for position in sorted(held):
                    await self._writer.write(_line(held[position]))


def _line(answer: bytes) -> bytes:
    return answer + b"\n" if answer else b""


class Printed:
    """The lines that are in the file which stdout appends to; none where it does not, or cannot be read."""

    def __init__(self, stdout: BinaryIO) -> None:
        self._hashes: set[int] = set()
        self.unfinished = False
        """Whether the file ends in the middle of a line."""
        with suppress(OSError):
            if _appends(stdout.fileno()):
                self._read(stdout.fileno())

    def __contains__(self, answer: bytes) -> bool:
        return hash(answer) in self._hashes

    def _read(self, descriptor: int) -> None:
        line = b"\n"
        with open(f"/proc/self/fd/{descriptor}", "rb") as file:  # noqa: PTH123 - a descriptor is no path
            for line in file:
                self._hashes.add(hash(line.removesuffix(b"\n")))
        self.unfinished = not line.endswith(b"\n")


def _appends(descriptor: int) -> bool:
    import fcntl

    appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
    return bool(appends) and stat.S_ISREG(os.fstat(descriptor).st_mode)
