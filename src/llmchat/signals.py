"""Which signals end the program, and how, wherever no event loop hears them. Imports next to nothing."""

from __future__ import annotations

import os
import signal
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def ending() -> list[signal.Signals]:
    """The signals that end us. One that is ignored is left so: nohup asked for it, or a shell's `&`."""
    return [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def leave_at_once() -> None:
    """From here on each ends the process on the spot, with its exit code and without a traceback."""
    for number in ending():
        signal.signal(number, _leave)


def leave_in_order() -> None:
    """From here on each raises SystemExit with its exit code, so that what is under way cleans up."""
    for number in ending():
        signal.signal(number, _unwind)


def ignore() -> None:
    """From here on none does anything: what is left to do must not be cut short."""
    for number in ending():
        signal.signal(number, signal.SIG_IGN)


def _leave(number: int, _: FrameType | None) -> None:
    os._exit(128 + number)


def _unwind(number: int, _: FrameType | None) -> None:
    ignore()
    raise SystemExit(128 + number)
