"""Asks a terminal what only it knows, by escape sequences. Leaves nothing on it; echo has to be off."""

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
    """What a terminal replied: the cells that each of SAMPLES takes, and whether it knows mode 2026."""

    cells: Mapping[str, int]
    synchronizes: bool
    complete: bool  # it replied in time, so that no reply is still on its way


def can_query(streams: Streams) -> bool:
    """Whether there is a terminal at both ends, with us in front of it."""
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
    """Writes each sample at the beginning of the line and asks where the cursor is then."""
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
    """All that comes until the last reply is there, or in time."""
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
    """Takes late replies out of the input, so that a shell does not read them."""
    import termios

    assert streams.stdin is not None, "see can_query"
    termios.tcflush(streams.stdin.fileno(), termios.TCIFLUSH)
