"""Reads the lines of a batch's input, and identifies the input; does not parse the lines."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llmchat.core.input_text import INPUT_CAP
from llmchat.errors import InputError, MissingError, UsageError
from llmchat.paths import expand_home
from llmchat.terminal.batch.descriptors import read_chunks
from llmchat.terminal.device.streams import Streams


@dataclass(frozen=True, slots=True)
class BatchLine:
    """A line that is not blank. Of one over INPUT_CAP bytes only the beginning is kept, also over the cap."""

    number: int  # from 1, blank ones counted
    position: int  # from 0, blank ones not counted
    content: bytes  # without its end
    size: int  # bytes of the input from the line before to the end of this one

    @property
    def key(self) -> str:
        """A hash of its bytes."""
        return hashlib.sha256(self.content).hexdigest()[:32]


@contextmanager
def open_source(name: str, streams: Streams) -> Iterator[int]:
    """Opens the input; `-` is standard input. Raises MissingError, InputError or UsageError."""
    if name == "-":
        if streams.stdin is None or streams.stdin.closed:
            raise UsageError("standard input is closed", hint="name a file of prompts")
        yield streams.stdin.fileno()
        return
    try:
        descriptor = os.open(expand_home(name), os.O_RDONLY)
    except FileNotFoundError as error:
        raise MissingError(f"there is no file {name}", hint="check its name") from error
    except OSError as error:
        why = os.strerror(error.errno or 0)
        raise InputError(f"{name} cannot be read: {why}", hint="name a file of prompts") from error
    try:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise InputError(f"{name} is a folder", hint="name a file of prompts")
        yield descriptor
    finally:
        os.close(descriptor)


def size_of(descriptor: int) -> int | None:
    """Size of a file in bytes; None if it has none, as a pipe."""
    found = os.fstat(descriptor)
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def identity(name: str, descriptor: int, first: BatchLine) -> str:
    """Identifies this input, even if its lines have been edited since.

    A file is known by its name, anything else by its first line.
    """
    if name != "-" and size_of(descriptor) is not None:
        return os.path.realpath(expand_home(name))
    return first.key


async def read_lines(descriptor: int) -> AsyncGenerator[BatchLine, None]:
    """Every line that is not blank, one at a time in memory. Raises OSError."""
    number = position = size = 0
    async for content, length in _split(descriptor):
        number, size = number + 1, size + length
        if content.strip():
            yield BatchLine(number, position, content.removesuffix(b"\r"), size)
            position, size = position + 1, 0


async def _split(descriptor: int) -> AsyncGenerator[tuple[bytes, int], None]:
    """Each line without its newline, cut if it is too long, and its length in bytes."""
    line, length = bytearray(), 0
    async for chunk in read_chunks(descriptor):
        first, *others = chunk.split(b"\n")
        line += first[: INPUT_CAP + 1 - len(line)]
        length += len(first)
        for part in others:
            yield bytes(line), length + 1
            line, length = bytearray(part), len(part)
    if line:
        yield bytes(line), length
