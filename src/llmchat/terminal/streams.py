"""Standard input, output and error as bytes and as facts: what each descriptor is, decided once."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from llmchat.errors import InputError, UsageError

INPUT_CAP = 16 * 1024 * 1024
"""Bytes of a prompt, from wherever it comes."""


@dataclass(frozen=True, slots=True)
class Streams:
    """The three standard streams. A closed one is None. Text is UTF-8 whatever the locale."""

    stdin: BinaryIO | None
    stdout: BinaryIO | None
    stderr: BinaryIO | None
    environ: Mapping[str, str]

    def is_terminal(self, stream: BinaryIO | None) -> bool:
        return stream is not None and not stream.closed and os.isatty(stream.fileno())

    @property
    def interactive(self) -> bool:
        """Whether a person sits at both ends."""
        return self.is_terminal(self.stdin) and self.is_terminal(self.stdout)

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
        return decode(self.stdin.read(INPUT_CAP + 1), "standard input")

    def say(self, text: str) -> None:
        """Writes a line of ours to stderr; a closed stderr is no reason to fail."""
        if self.stderr is not None:
            try:
                self.stderr.write(f"{text}\n".encode("utf-8", "replace"))
                self.stderr.flush()
            except (OSError, ValueError):
                pass


def decode(content: bytes, name: str) -> str:
    """The text in these bytes, without a byte order mark.

    Raises InputError if there are more than INPUT_CAP bytes, or if they are no UTF-8 text.
    """
    if len(content) > INPUT_CAP:
        raise InputError(f"{name} is over {INPUT_CAP // 1024 // 1024} MiB", hint="send a part of it")
    if b"\0" in content:
        raise InputError(f"{name} is binary, not text", hint="convert it to text first")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8: byte {error.start}", hint="convert it, for instance with iconv"
        ) from error
