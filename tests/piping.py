"""Streams whose ends are real pipes, so that a test reads what another process would."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from llmchat.terminal.device.streams import Streams


@dataclass
class Pipes:
    """`streams`, and what has been written to two of them."""

    streams: Streams
    _stdout: int
    _stderr: int

    def out(self) -> bytes:
        """What came through stdout since the last look."""
        return _available(self._stdout)

    def err(self) -> bytes:
        return _available(self._stderr)


def _available(descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    try:
        return os.read(descriptor, 1 << 16)
    except BlockingIOError:
        return b""


@contextmanager
def pipes(stdin: bytes | None = None) -> Iterator[Pipes]:
    """Streams with this on stdin, which else is closed."""
    with ExitStack() as stack:

        def writing() -> tuple[int, BinaryIO]:
            read, write = os.pipe()
            stack.callback(os.close, read)
            return read, stack.enter_context(os.fdopen(write, "wb"))

        source: BinaryIO | None = None
        if stdin is not None:
            read, write = os.pipe()
            source = stack.enter_context(os.fdopen(read, "rb"))
            with os.fdopen(write, "wb") as file:
                file.write(stdin)
        (out, stdout), (err, stderr) = writing(), writing()
        yield Pipes(Streams(source, stdout, stderr, {}), out, err)
