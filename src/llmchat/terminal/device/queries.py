"""Asks a terminal what only it knows, and waits but a moment. Leaves nothing on it; needs a quiet line."""

from __future__ import annotations

import os
import re
import select
import time
from collections.abc import Mapping
from dataclasses import dataclass

from llmchat.terminal.device.streams import Streams

SAMPLES: Mapping[str, str] = {"a Chinese character": "你", "an emoji": "👍"}
PATIENCE_S = 0.2

# xterm's ctlseqs: DSR 6 (where is the cursor), DECRQM of the private mode 2026, and DA1, which every terminal
# answers, so that nobody waits for an answer that does not come.
_WHERE, _MODE, _WHO = "\x1b[6n", "\x1b[?2026$p", "\x1b[c"
_COLUMN = re.compile(rb"\x1b\[\d+;(\d+)R")
_MODE_IS = re.compile(rb"\x1b\[\?2026;(\d)\$y")
_IT_IS = re.compile(rb"\x1b\[\?[\d;]*c")


@dataclass(frozen=True, slots=True)
class TerminalReplies:
    """What a terminal said: the cells that each of SAMPLES takes, and whether it knows mode 2026."""

    cells: Mapping[str, int]
    synchronizes: bool
    complete: bool  # it answered in time, so that no answer is still on its way


def can_ask(streams: Streams) -> bool:
    """Whether there is a terminal at both ends, with us in front of it."""
    stdin, terminal = streams.stdin, streams.environ.get("TERM", "dumb")
    if stdin is None or terminal == "dumb" or os.name != "posix":
        return False
    if not (streams.is_terminal(stdin) and streams.is_terminal(streams.stdout)):
        return False
    try:
        return os.tcgetpgrp(stdin.fileno()) == os.getpgrp()
    except OSError:  # it is not ours
        return False


def interview(streams: Streams) -> TerminalReplies:
    """Writes each sample at the beginning of the line and asks how far the cursor went."""
    assert streams.stdin is not None, "see can_ask"
    asked = "".join(f"\r{sample}{_WHERE}" for sample in SAMPLES.values())
    streams.write(f"{asked}\r\x1b[K{_MODE}{_WHO}")
    said = _read(streams.stdin.fileno())
    columns = [int(each) - 1 for each in _COLUMN.findall(said)]
    known = len(columns) == len(SAMPLES)
    mode = _MODE_IS.search(said)
    return TerminalReplies(
        dict(zip(SAMPLES, columns, strict=True)) if known else {},
        synchronizes=mode is not None and mode[1] in (b"1", b"2"),
        complete=_IT_IS.search(said) is not None,
    )


def _read(descriptor: int) -> bytes:
    """All that comes until the last answer is there, or in time."""
    said, deadline = b"", time.monotonic() + PATIENCE_S
    while not _IT_IS.search(said):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            break
        if not (block := os.read(descriptor, 1024)):
            break
        said += block
    return said


def drop_late_answers(streams: Streams) -> None:
    """Takes from the input what nobody will read, so that a shell does not."""
    import termios

    assert streams.stdin is not None, "see can_ask"
    termios.tcflush(streams.stdin.fileno(), termios.TCIFLUSH)
