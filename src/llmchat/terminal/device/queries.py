"""Queries a terminal by escape sequences: character widths, synchronized output. Echo must be off."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass

from llmchat.terminal.device.streams import Streams

SAMPLES: Mapping[str, str] = {"a Chinese character": "你", "an emoji": "👍"}
TIMEOUT_S = 0.2

# xterm's ctlseqs: DSR 6 (where is the cursor), DECRQM of the private mode 2026, and DA1, which every terminal
# replies to, so that we do not wait for a reply that does not come.
_CURSOR_POSITION, _MODE, _DEVICE = "\x1b[6n", "\x1b[?2026$p", "\x1b[c"
_COLUMN_REPLY = re.compile(rb"\x1b\[\d+;(\d+)R")
_MODE_REPLY = re.compile(rb"\x1b\[\?2026;(\d)\$y")
_DEVICE_REPLY = re.compile(rb"\x1b\[\?[\d;]*c")


@dataclass(frozen=True, slots=True)
class TerminalReplies:
    """A terminal's replies: the cells that each of SAMPLES takes, and whether it supports mode 2026."""

    cells: Mapping[str, int]
    synchronizes: bool
    complete: bool  # it replied in time, so that no reply is still on its way


def can_query(streams: Streams) -> bool:
    """True if stdin and stdout are a terminal, and llmchat is its foreground process."""
    stdin = streams.stdin
    if stdin is None or os.name != "posix":
        return False
    if not (streams.is_terminal(stdin) and streams.supports_escapes(streams.stdout)):
        return False
    try:
        return os.tcgetpgrp(stdin.fileno()) == os.getpgrp()
    except OSError:  # it is not ours
        return False


def query_terminal(streams: Streams) -> TerminalReplies:
    """Writes each sample at the beginning of the line, and asks for the cursor's position."""
    assert streams.stdin is not None, "see can_query"
    asked = "".join(f"\r{sample}{_CURSOR_POSITION}" for sample in SAMPLES.values())
    streams.write(f"{asked}\r\x1b[K{_MODE}{_DEVICE}")
    replies = _read(streams.stdin.fileno())
    columns = [int(each) - 1 for each in _COLUMN_REPLY.findall(replies)]
    known = len(columns) == len(SAMPLES)
    mode = _MODE_REPLY.search(replies)
    return TerminalReplies(
        dict(zip(SAMPLES, columns, strict=True)) if known else {},
        synchronizes=mode is not None and mode[1] in (b"1", b"2"),
        complete=_DEVICE_REPLY.search(replies) is not None,
    )


def _read(descriptor: int) -> bytes:
    """Reads until the last reply has arrived, or until the timeout."""
    replies, deadline = b"", time.monotonic() + TIMEOUT_S
    while not _DEVICE_REPLY.search(replies):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            break
        if not (block := os.read(descriptor, 1024)):
            break
        replies += block
    return replies


def discard_late_replies(streams: Streams) -> None:
    """Removes late replies from the input, so that the shell does not read them."""
    import termios

    assert streams.stdin is not None, "see can_query"
    termios.tcflush(streams.stdin.fileno(), termios.TCIFLUSH)
