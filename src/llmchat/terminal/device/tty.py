"""The terminal's line discipline between prompts: nothing typed is echoed, nothing typed is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import BinaryIO, Protocol

from llmchat.terminal.reply.view import View

_MARK_PASTES, _MARK_NONE = b"\x1b[?2004h", b"\x1b[?2004l"


class Asking(Protocol):
    """A prompt that has the terminal to itself while it waits for a line."""

    def give_way(self, call: Callable[[], None]) -> None:
        """Takes the prompt away, calls this, and shows the prompt again."""

    def let_go(self) -> None:
        """The program ends on the spot: what the prompt set of the terminal must not stay set."""


class TtyLine:
    """The line of a terminal; without one nothing here does anything. Ctrl-C still is a signal on it."""

    def __init__(self, terminal: BinaryIO | None) -> None:
        self._descriptor = None if terminal is None else terminal.fileno()
        self._found: list[int | list[bytes | int]] | None = None
        self._view: View | None = None
        self._asking: Asking | None = None
        self._screen: BinaryIO | None = None  # of a terminal that marks what is pasted

    def quieten(self) -> None:
        """Keeps typed keys unseen and waiting, Enter among them, until a prompt reads them."""
        if self._descriptor is None or not self._is_ours():
            return
        import termios

        with suppress(termios.error):  # the terminal is gone, for which we were continued
            quiet = termios.tcgetattr(self._descriptor)
            if self._found is None:
                self._found = list(quiet)
            quiet[0] &= ~termios.ICRNL  # Enter stays Enter: a prompt reads a newline as one of the message
            quiet[3] &= ~(termios.ECHO | termios.ICANON)
            quiet[3] |= termios.NOFLSH  # Ctrl-C would throw away what was typed, and output under way
            termios.tcsetattr(self._descriptor, termios.TCSANOW, quiet)
        self._tell(_MARK_PASTES)

    def restore(self) -> None:
        """Leaves the line as it was found."""
        if self._descriptor is not None and self._found is not None and self._is_ours():
            import termios

            self._tell(_MARK_NONE)
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._found)

    def quit(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Backslash ends the program on the spot, as it ends any, but not with a line that is quiet."""
        with suppress(OSError):
            if self._asking:
                self._asking.let_go()
        self.restore()
        _obey(number)

    def stop(self, number: int, _: FrameType | None = None) -> None:
        """Ctrl-Z gives the line back until we are continued."""
        self.restore()
        _obey(number)
        self.quieten()

    def stop_all(self) -> None:
        """The same for a key that a prompt read: who was started together with us stops, too."""
        before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        if before is signal.SIG_IGN:
            return
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
        self.stop(signal.SIGTSTP)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While this lasts, Ctrl-Z also takes away what is unfinished on the screen. Needs an event loop."""
        if self._descriptor is None:
            yield
            return
        loop = asyncio.get_running_loop()
        heard = {signal.SIGCONT: self._go_on, signal.SIGWINCH: self._tell_size}
        if signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN:
            heard[signal.SIGTSTP] = self._stop
        before = {number: signal.getsignal(number) for number in heard}
        for number, call in heard.items():
            loop.add_signal_handler(number, call)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    @contextmanager
    def shown_by(self, view: View) -> Iterator[None]:
        """While this lasts, this is told what happens to the terminal."""
        self._view = view
        try:
            yield
        finally:
            self._view = None

    @contextmanager
    def asked_by(self, prompt: Asking) -> Iterator[None]:
        """While this lasts, the terminal is in the hands of a prompt."""
        self._asking = prompt
        try:
            yield
        finally:
            self._asking = None

    @contextmanager
    def pastes_marked(self, screen: BinaryIO) -> Iterator[None]:
        """What is pasted meanwhile reaches the next prompt as a paste: one message, and never a command."""
        self._screen = screen
        self._tell(_MARK_PASTES)
        try:
            yield
        finally:
            self._tell(_MARK_NONE)
            self._screen = None

    def _tell(self, sequence: bytes) -> None:
        """Past all buffers: a signal may come in the middle of a write."""
        if self._screen is not None:
            with suppress(OSError):
                os.write(self._screen.fileno(), sequence)

    def _is_ours(self) -> bool:
        """Whether we are in the foreground; a shell stops whoever touches its line in the background."""
        assert self._descriptor is not None
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # a terminal that is nobody's, or gone
            return True

    def _stop(self) -> None:
        if self._asking:
            self._asking.give_way(lambda: self.stop(signal.SIGTSTP))
            return
        if self._view:
            self._view.suspend()
        self.stop(signal.SIGTSTP)
        if self._view:
            self._view.resume()

    def _go_on(self) -> None:
        """Back in the foreground, maybe after a while in the background."""
        if not self._asking:
            self.quieten()

    def _tell_size(self) -> None:
        if self._view:
            self._view.resized()


def _obey(number: int) -> None:
    """Does what the signal does to a program without a handler; returns when a stop is over."""
    before = signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, before)


@contextmanager
def quiet_line(terminal: BinaryIO | None) -> Iterator[TtyLine]:
    """The terminal's line, quiet until this is left, however that goes; nothing where it is none."""
    there = terminal is not None and os.name == "posix" and os.isatty(terminal.fileno())
    line = TtyLine(terminal if there else None)
    before = {}
    try:
        if there:
            before = {number: signal.signal(number, call) for number, call in _handlers(line).items()}
        line.quieten()
        yield line
    finally:
        line.restore()
        for number, handler in before.items():
            signal.signal(number, handler)


def _handlers(line: TtyLine) -> dict[signal.Signals, Callable[[int, FrameType | None], None]]:
    """A shell that knows no Ctrl-Z has it ignored, and it stays so."""
    told = {signal.SIGQUIT: line.quit, signal.SIGTSTP: line.stop}
    return {number: call for number, call in told.items() if signal.getsignal(number) is not signal.SIG_IGN}
