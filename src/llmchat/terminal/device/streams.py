"""Standard input, output and error as bytes and as facts: what each descriptor is, decided once."""

from __future__ import annotations

import os
import select
import signal
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from llmchat.errors import InputError, StorageError, UsageError

_BLOCK = 1 << 16  # bytes
INPUT_CAP = 16 * 1024 * 1024
"""Bytes of a prompt, from wherever it comes."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The three standard streams. A closed one is None. Text is UTF-8 whatever the locale."""

    stdin: BinaryIO | None
    stdout: BinaryIO | None
    stderr: BinaryIO | None
    environ: Mapping[str, str]

    @classmethod
    def standard(cls) -> Streams:
        """Those of this process. One that does not wait (O_NONBLOCK) would lose what it has no room for."""
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if stream is not None and os.name == "posix":
                with suppress(OSError, ValueError):
                    os.set_blocking(stream.fileno(), True)
        return cls(_binary_of(sys.stdin), _binary_of(sys.stdout), _binary_of(sys.stderr), os.environ)

    def is_terminal(self, stream: BinaryIO | None) -> bool:
        return stream is not None and not stream.closed and os.isatty(stream.fileno())

    def size(self, stream: BinaryIO | None) -> tuple[int, int]:
        """Columns and rows of a terminal as it says itself; 80 by 24 where it does not."""
        try:
            columns, rows = os.get_terminal_size(stream.fileno()) if stream is not None else (0, 0)
        except OSError:
            return 80, 24
        return columns or 80, rows or 24

    @property
    def piped(self) -> bool:
        """Whether something may come through stdin: a pipe, a file or a socket."""
        if self.stdin is None or self.stdin.closed:
            return False
        try:
            mode = os.fstat(self.stdin.fileno()).st_mode
        except OSError:
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)

    def read_stdin(self) -> str:
        """All of standard input. Raises InputError for what is no text, UsageError if it is closed."""
        if self.stdin is None or self.stdin.closed:
            raise UsageError("standard input is closed", hint="give the prompt as words")
        return decode(self._read(self.stdin, INPUT_CAP + 1), "standard input")

    def _read(self, stream: BinaryIO, limit: int) -> bytes:
        """So many bytes at most. At a terminal Ctrl-D is the end, which only the stream itself tells."""
        if os.name != "posix" or self.is_terminal(stream):
            return stream.read(limit)
        return _read(stream.fileno(), limit)

    def write(self, text: str) -> None:
        """Writes text to stdout as it is. Raises OSError as writing does, StorageError if it is closed."""
        if self.stdout is None or self.stdout.closed:
            raise StorageError("standard output is closed", hint="redirect it to a file or a pipe")
        self.stdout.write(text.encode("utf-8", "replace"))
        self.stdout.flush()

    def say(self, text: str) -> None:
        """Writes a line of ours to stderr."""
        self.tell(f"{text}\n")

    def tell(self, text: str) -> None:
        """Writes text of ours to stderr; a closed stderr is no reason to fail."""
        if self.stderr is not None:
            try:
                self.stderr.write(text.encode("utf-8", "replace"))
                self.stderr.flush()
            except (OSError, ValueError):
                pass


def _binary_of(stream: TextIO | None) -> BinaryIO | None:
    """Python has None in the place of a standard stream that was closed before it started."""
    return stream.buffer if stream is not None else None


def _read(descriptor: int, limit: int) -> bytes:
    """What can be read from here to the end, at most so many bytes.

    A signal is heeded even if it comes just before we wait: Python alone would look at it after the wait.
    """
    data = bytearray()
    with _waking() as woken:
        while len(data) < limit:
            ready, _, _ = select.select([descriptor, woken], [], [])
            if woken in ready:
                os.read(woken, _BLOCK)  # its handler has run, and did not end us
            elif block := os.read(descriptor, min(_BLOCK, limit - len(data))):
                data += block
            else:
                break
    return bytes(data)


@contextmanager
def _waking() -> Iterator[int]:
    """A descriptor that can be read from once a signal has come."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    try:
        yield woken
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(waker)


def decode(content: bytes, name: str) -> str:
    """The text in these bytes, without a byte order mark.

    Raises InputError if there are more than INPUT_CAP bytes, or if they are no UTF-8 text.
    """
    try:
        return check_text(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        if len(content) > INPUT_CAP:  # it may have been cut inside a character
            raise _too_large(name) from error
        if b"\0" in content:
            raise _binary(name) from error
        hint = "convert it, for instance with iconv"
        raise InputError(f"{name} is not UTF-8 (byte {error.start})", hint=hint) from error


def check_text(text: str, name: str) -> str:
    """The text, if it can be sent. Raises InputError as `decode` does."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise InputError(f"{name} is not UTF-8", hint="check the encoding it was typed in") from error
    if size > INPUT_CAP:
        raise _too_large(name)
    if "\0" in text:
        raise _binary(name)
    return text


def _too_large(name: str) -> InputError:
    return InputError(f"{name} is over {INPUT_CAP >> 20} MiB", hint="send a part of it")


def _binary(name: str) -> InputError:
    return InputError(f"{name} is binary, not text", hint="convert it to text first")
