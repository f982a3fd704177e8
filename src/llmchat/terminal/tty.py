"""The terminal's line discipline while a reply is shown: what is typed is not echoed into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO


@contextmanager
def echo_off(stdin: BinaryIO | None) -> Iterator[None]:
    """Keeps typed keys unseen and waiting for the next prompt; Ctrl-C works. Restored on every way out.

    Does nothing where stdin is no terminal.
    """
    if stdin is None or os.name != "posix" or not os.isatty(stdin.fileno()):
        yield
        return
    import termios

    descriptor = stdin.fileno()
    before = termios.tcgetattr(descriptor)
    quiet = termios.tcgetattr(descriptor)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    quiet[3] |= termios.NOFLSH  # Ctrl-C would throw away what was typed, and output that is under way
    termios.tcsetattr(descriptor, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
