"""Prints answer lines to stdout, in input order or as they arrive; does not parse them."""

from __future__ import annotations

import asyncio
import os
import stat
from contextlib import suppress
from typing import BinaryIO

from llmchat.terminal.batch.descriptors import DescriptorWriter

AHEAD = 8192
"""How many lines may be ahead of the oldest one without an answer: so many answers may wait in memory."""
FAREWELL_S = 1.0
"""Seconds that a stopped run waits for the reader of stdout to take what is left."""


class Output:
    """One answer per position. In order, an answer waits until all before it are printed."""

    def __init__(self, descriptor: int, *, ordered: bool) -> None:
        self._writer = DescriptorWriter(descriptor)
        self._ordered = ordered
        self._held: dict[int, bytes] = {}  # answers that wait for an earlier one; b"" is printed already
        self._next = 0
        self._writing = asyncio.Lock()
        self._moved = asyncio.Event()

    async def room(self, position: int) -> None:
        """Waits until the answer at this position would not have to wait for too many others."""
        while self._ordered and position - self._next >= AHEAD:
            self._moved.clear()
            await self._moved.wait()

    async def add(self, position: int, answer: bytes) -> None:
        """Prints what can be printed now; b"" is an answer to leave out. Raises OSError."""
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
        """Ends an unfinished line of another program, before the first answer."""
        await self._writer.write(b"\n")

    async def leave(self) -> None:
        """Prints the finished answers, skipping missing ones, if the reader still takes them."""
        held, self._held = self._held, {}
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await self._writer.finish()
                for position in sorted(held):
                    await self._writer.write(_line(held[position]))


def _line(answer: bytes) -> bytes:
    return answer + b"\n" if answer else b""


class Printed:
    """The lines already in the file that stdout appends to (>>); none if it cannot be read."""

    def __init__(self, stdout: BinaryIO) -> None:
        self._hashes: set[int] = set()
        self.unfinished = False
        """True if the file ends in the middle of a line."""
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
