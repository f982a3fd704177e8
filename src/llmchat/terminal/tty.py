"""The terminal's line discipline between prompts: nothing typed is echoed, nothing typed is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def quiet_line(terminal: BinaryIO | None) -> Iterator[None]:
    """Keeps typed keys unseen and waiting, Enter among them, until a prompt reads them.

    Ctrl-C still is a signal. The line is restored on every way out. Does nothing where this is no
    terminal, or no POSIX one.
    """
    if terminal is None or os.name != "posix" or not os.isatty(terminal.fileno()):
        yield
        return
    import termios

    descriptor = terminal.fileno()
    found = termios.tcgetattr(descriptor)
    quiet = termios.tcgetattr(descriptor)
    quiet[0] &= ~termios.ICRNL  # Enter stays Enter: the prompt reads a newline as a new line of the message
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    quiet[3] |= termios.NOFLSH  # Ctrl-C would throw away what was typed, and output that is under way
    termios.tcsetattr(descriptor, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(descriptor, termios.TCSADRAIN, found)
