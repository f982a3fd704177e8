"""Standard input, output and error: reading, writing, and whether each is a terminal, pipe or file."""

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

from llmchat.errors import StorageError, UsageError
from llmchat.sanitize import sanitize_line

_BLOCK = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Streams:
    """The three standard streams; a closed one is None. Text is UTF-8 in any locale."""

    stdin: BinaryIO | None
    stdout: BinaryIO | None
    stderr: BinaryIO | None
    environ: Mapping[str, str]

    @classmethod
    def standard(cls) -> Streams:
        """Those of this process, in blocking mode: with O_NONBLOCK output would be lost."""
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            if stream is not None and os.name == "posix":
                with suppress(OSError, ValueError):
                    os.set_blocking(stream.fileno(), True)
        return cls(_binary_of(sys.stdin), _binary_of(sys.stdout), _binary_of(sys.stderr), os.environ)

    def is_terminal(self, stream: BinaryIO | None) -> bool:
        return stream is not None and not stream.closed and os.isatty(stream.fileno())

    def supports_escapes(self, stream: BinaryIO | None) -> bool:
        """True for a terminal that understands escape sequences, according to TERM."""
        return self.is_terminal(stream) and self.environ.get("TERM", "dumb") != "dumb"

    def size(self, stream: BinaryIO | None) -> tuple[int, int]:
        """Columns and rows that the terminal reports; 80 by 24 if it reports none."""
        try:
            columns, rows = os.get_terminal_size(stream.fileno()) if stream is not None else (0, 0)
        except OSError:
            return 80, 24
        return columns or 80, rows or 24

    @property
    def piped(self) -> bool:
        """True if stdin may carry input: a pipe, a file or a socket."""
        if self.stdin is None or self.stdin.closed:
            return False
        try:
            mode = os.fstat(self.stdin.fileno()).st_mode
        except OSError:
            return False
        return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)

    def read_stdin(self, limit: int) -> bytes:
        """Standard input to its end, at most `limit` bytes. Raises UsageError if it is closed."""
        if self.stdin is None or self.stdin.closed:
            raise UsageError("standard input is closed", hint="give the prompt as an argument")
        if os.name != "posix" or self.is_terminal(self.stdin):  # where only the stream itself tells Ctrl-D
            return self.stdin.read(limit)
        return _read(self.stdin.fileno(), limit)

    def write(self, text: str) -> None:
        """Writes text to stdout as it is. Raises OSError as writing does, StorageError if it is closed."""
        if self.stdout is None or self.stdout.closed:
            raise StorageError("standard output is closed", hint="redirect it to a file or a pipe")
        self.stdout.write(text.encode("utf-8", "replace"))
        self.stdout.flush()

    def say(self, text: str) -> None:
        """Writes a line to stderr."""
        self.tell(f"{text}\n")

    def note(self, text: str) -> None:
        """Writes `llmchat: ` and a line to stderr; foreign text in it is sanitized."""
        self.say(f"llmchat: {sanitize_line(text)}")

    def tell(self, text: str) -> None:
        """Writes text to stderr; ignores a closed stderr."""
        if self.stderr is not None:
            try:
                self.stderr.write(text.encode("utf-8", "replace"))
                self.stderr.flush()
            except (OSError, ValueError):
                pass


def _binary_of(stream: TextIO | None) -> BinaryIO | None:
    """The binary stream; None if it was closed before Python started."""
    return stream.buffer if stream is not None else None


def _read(descriptor: int, limit: int) -> bytes:
    """What can be read from here to the end, at most `limit` bytes.

    A signal is handled even if it comes just before we wait: Python alone would look at it after the wait.
    """
    data = bytearray()
    with _signal_descriptor() as woken:
        while len(data) < limit:
            ready, _, _ = select.select([descriptor, woken], [], [])
            if woken in ready:
                os.read(woken, _BLOCK)  # the signal's handler has run, and did not end the process
            elif block := os.read(descriptor, min(_BLOCK, limit - len(data))):
                data += block
            else:
                break
    return bytes(data)


@contextmanager
def _signal_descriptor() -> Iterator[int]:
    """A descriptor that becomes readable once a signal has arrived."""
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    before = signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    try:
        yield woken
    finally:
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(waker)
