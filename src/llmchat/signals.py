"""The signals that end the program, and their handlers outside of an event loop."""

from __future__ import annotations

import os
import signal
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def ending() -> list[signal.Signals]:
    """The signals that end the program, except those ignored at start, by nohup or a shell's `&`."""
    return [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def leave_at_once() -> None:
    """From now on each ends the process at once, with its exit code and without a traceback."""
    for number in ending():
        signal.signal(number, _leave)


def leave_in_order() -> None:
    """From now on each raises SystemExit with its exit code, so that running code cleans up."""
    for number in ending():
        signal.signal(number, _unwind)


def ignore() -> None:
    """From now on all are ignored, so that the cleanup is not interrupted."""
    for number in ending():
        signal.signal(number, signal.SIG_IGN)


def _leave(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


def _unwind(number: int, _: FrameType | None) -> None:
    ignore()
    raise SystemExit(128 + number)
