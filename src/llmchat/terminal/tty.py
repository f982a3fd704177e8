"""The terminal's line discipline between prompts: nothing typed is echoed, nothing typed is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import BinaryIO

from llmchat.terminal.view import View


class Line:
    """The line of a terminal; without one nothing here does anything. Ctrl-C still is a signal on it."""

    def __init__(self, terminal: BinaryIO | None) -> None:
        self._descriptor = None if terminal is None else terminal.fileno()
        self._found: list[int | list[bytes | int]] | None = None
        self._view: View | None = None

    def quieten(self) -> None:
        """Keeps typed keys unseen and waiting, Enter among them, until a prompt reads them."""
        if self._descriptor is None:
            return
        import termios

        if self._found is None:
            self._found = list(termios.tcgetattr(self._descriptor))
        quiet = termios.tcgetattr(self._descriptor)
        quiet[0] &= ~termios.ICRNL  # Enter stays Enter: a prompt reads a newline as a new line of the message
        quiet[3] &= ~(termios.ECHO | termios.ICANON)
        quiet[3] |= termios.NOFLSH  # Ctrl-C would throw away what was typed, and output that is under way
        termios.tcsetattr(self._descriptor, termios.TCSANOW, quiet)

    def restore(self) -> None:
        """Leaves the line as it was found."""
        if self._descriptor is not None and self._found is not None:
            import termios

            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._found)

    def quit(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Backslash ends the program on the spot, as it ends any, but not with a line that is quiet."""
        self.restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, Ctrl-Z gives the terminal back until we are continued. Needs an event loop."""
        if self._descriptor is None:
            yield
            return
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTSTP, self._stop)
        loop.add_signal_handler(signal.SIGWINCH, self._tell_size)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGWINCH)
            loop.remove_signal_handler(signal.SIGTSTP)

    @contextmanager
    def shown_by(self, view: View) -> Iterator[None]:
        """While this lasts, this is told what happens to the terminal."""
        self._view = view
        try:
            yield
        finally:
            self._view = None

    def _stop(self) -> None:
        if self._view:
            self._view.suspend()
        self.restore()
        os.kill(os.getpid(), signal.SIGSTOP)  # returns when the shell continues us
        self.quieten()
        if self._view:
            self._view.resume()

    def _tell_size(self) -> None:
        if self._view:
            self._view.resized()


@contextmanager
def quiet_line(terminal: BinaryIO | None) -> Iterator[Line]:
    """The terminal's line, quiet until this is left, however that goes; nothing where it is none."""
    there = terminal is not None and os.name == "posix" and os.isatty(terminal.fileno())
    line = Line(terminal if there else None)
    line.quieten()
    quit_before = signal.signal(signal.SIGQUIT, line.quit) if there else None
    try:
        yield line
    finally:
        if there:
            signal.signal(signal.SIGQUIT, quit_before)
        line.restore()
