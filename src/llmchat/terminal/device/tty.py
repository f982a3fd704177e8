"""The terminal's mode between prompts: what is typed is not echoed, and waits for the next prompt."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import BinaryIO, Protocol

_BRACKETED_PASTE, _PLAIN_PASTE = b"\x1b[?2004h", b"\x1b[?2004l"


class Prompting(Protocol):
    """A prompt, which owns the terminal while it waits for a line."""

    def hide_during(self, call: Callable[[], None]) -> None:
        """Hides the prompt, calls this, and shows the prompt again."""

    def reset_terminal(self) -> None:
        """Restores the terminal modes that the prompt changed, because the program ends at once."""


class Showing(Protocol):
    """Something on the screen that changes, such as a streaming reply."""

    def suspend(self) -> None:
        """Another program gets the terminal for a while: clears what is unfinished."""

    def repaint(self) -> None:
        """The terminal is back, or its window has changed size."""


class TtyLine:
    """A terminal's line settings (termios); does nothing without a terminal. Ctrl-C stays a signal."""

    def __init__(self, terminal: BinaryIO | None) -> None:
        self._descriptor = None if terminal is None else terminal.fileno()
        self._original: list[int | list[bytes | int]] | None = None  # attributes
        self._showing: Showing | None = None
        self._prompting: Prompting | None = None
        self._screen: BinaryIO | None = None  # of a terminal in bracketed paste mode

    def turn_echo_off(self) -> None:
        """Turns echo off: typed keys, Enter included, are not shown, and wait until a prompt reads them."""
        if self._descriptor is None or not self._in_foreground():
            return
        import termios

        with suppress(termios.error):  # the terminal is gone, for which we were continued
            attributes = termios.tcgetattr(self._descriptor)
            if self._original is None:
                self._original = list(attributes)
            attributes[0] &= ~termios.ICRNL  # Enter stays Enter: a newline is part of a message
            attributes[3] &= ~(termios.ECHO | termios.ICANON)
            attributes[3] |= termios.NOFLSH  # Ctrl-C would throw away what was typed, and output under way
            termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        self._send(_BRACKETED_PASTE)

    def restore(self) -> None:
        """Restores the terminal's settings."""
        if self._descriptor is not None and self._original is not None and self._in_foreground():
            import termios

            self._send(_PLAIN_PASTE)
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._original)

    def quit(self, number: int, _: FrameType | None) -> None:
        """Ctrl-\\ ends the program at once, as usual, but with echo restored."""
        with suppress(OSError):
            if self._prompting:
                self._prompting.reset_terminal()
        self.restore()
        _take_default_action(number)

    def stop(self, number: int, _: FrameType | None = None) -> None:
        """Ctrl-Z: restores the terminal's settings until the program is continued."""
        self.restore()
        _take_default_action(number)
        self.turn_echo_off()

    def stop_all(self) -> None:
        """The same for a Ctrl-Z that a prompt read: stops the whole process group."""
        before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        if before is signal.SIG_IGN:
            return
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
        self.stop(signal.SIGTSTP)

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """Inside this context, Ctrl-Z also clears what is unfinished on the screen. Needs an event loop."""
        if self._descriptor is None:
            yield
            return
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGCONT: self._continue, signal.SIGWINCH: self._resize}
        if signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN:
            handlers[signal.SIGTSTP] = self._stop
        before = {number: signal.getsignal(number) for number in handlers}
        for number, call in handlers.items():
            loop.add_signal_handler(number, call)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    @contextmanager
    def showing(self, view: Showing) -> Iterator[None]:
        """Inside this context, `view` is told about changes of the terminal."""
        self._showing = view
        try:
            yield
        finally:
            self._showing = None

    @contextmanager
    def prompting(self, prompt: Prompting) -> Iterator[None]:
        """Inside this context, a prompt owns the terminal."""
        self._prompting = prompt
        try:
            yield
        finally:
            self._prompting = None

    @contextmanager
    def bracketed_paste(self, screen: BinaryIO) -> Iterator[None]:
        """Text pasted inside this context reaches the next prompt as one message, never as a command."""
        self._screen = screen
        self._send(_BRACKETED_PASTE)
        try:
            yield
        finally:
            self._send(_PLAIN_PASTE)
            self._screen = None

    def _send(self, sequence: bytes) -> None:
        """Writes unbuffered: a signal may arrive in the middle of a write."""
        if self._screen is not None:
            with suppress(OSError):
                os.write(self._screen.fileno(), sequence)

    def _in_foreground(self) -> bool:
        """True in the foreground. A background process that changes the terminal is stopped."""
        assert self._descriptor is not None
        try:
            return os.tcgetpgrp(self._descriptor) == os.getpgrp()
        except OSError:  # no controlling terminal, or it is gone
            return True

    def _stop(self) -> None:
        if self._prompting:
            self._prompting.hide_during(lambda: self.stop(signal.SIGTSTP))
            return
        if self._showing:
            self._showing.suspend()
        self.stop(signal.SIGTSTP)
        if self._showing:
            self._showing.repaint()

    def _continue(self) -> None:
        """SIGCONT: turns echo off again, unless a prompt owns the terminal."""
        if not self._prompting:
            self.turn_echo_off()

    def _resize(self) -> None:
        if self._showing:
            self._showing.repaint()


def _take_default_action(number: int) -> None:
    """Does what the signal does by default; returns when a stop is over."""
    before = signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, before)


@contextmanager
def without_echo(terminal: BinaryIO | None) -> Iterator[TtyLine]:
    """The terminal with echo off inside this context; without a terminal, one that does nothing."""
    there = terminal is not None and os.name == "posix" and os.isatty(terminal.fileno())
    line = TtyLine(terminal if there else None)
    before = {}
    try:
        if there:
            before = {number: signal.signal(number, call) for number, call in _handlers(line).items()}
        line.turn_echo_off()
        yield line
    finally:
        line.restore()
        for number, handler in before.items():
            signal.signal(number, handler)


def _handlers(line: TtyLine) -> dict[signal.Signals, Callable[[int, FrameType | None], None]]:
    """The handlers to install. A signal that the shell ignores, as one without job control, stays ignored."""
    handlers = {signal.SIGQUIT: line.quit, signal.SIGTSTP: line.stop}
    used = [number for number in handlers if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: handlers[number] for number in used}
