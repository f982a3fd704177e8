"""The terminal's line discipline between prompts: nothing typed is echoed, nothing typed is lost."""

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
    """A prompt, which has the terminal to itself while it waits for a line."""

    def hide_during(self, call: Callable[[], None]) -> None:
        """Takes the prompt away, calls this, and shows the prompt again."""

    def reset_terminal(self) -> None:
        """The program ends on the spot: undoes what the prompt set of the terminal."""


class Showing(Protocol):
    """Something on the screen that changes, such as a reply that streams."""

    def suspend(self) -> None:
        """Another program gets the terminal for a while: nothing unfinished is left on it."""

    def repaint(self) -> None:
        """The terminal is back, or its window may have another size now."""


class TtyLine:
    """The line of a terminal; without one nothing here does anything. Ctrl-C still is a signal on it."""

    def __init__(self, terminal: BinaryIO | None) -> None:
        self._descriptor = None if terminal is None else terminal.fileno()
        self._original: list[int | list[bytes | int]] | None = None  # attributes
        self._showing: Showing | None = None
        self._prompting: Prompting | None = None
        self._screen: BinaryIO | None = None  # of a terminal in bracketed paste mode

    def turn_echo_off(self) -> None:
        """Typed keys, Enter among them, are not shown, and wait until a prompt reads them."""
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
        """Sets the terminal as it was before."""
        if self._descriptor is not None and self._original is not None and self._in_foreground():
            import termios

            self._send(_PLAIN_PASTE)
            with suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._original)

    def quit(self, number: int, _: FrameType | None) -> None:
        """Ctrl-Backslash ends the program on the spot, as it ends any, but not with echo turned off."""
        with suppress(OSError):
            if self._prompting:
                self._prompting.reset_terminal()
        self.restore()
        _take_default_action(number)

    def stop(self, number: int, _: FrameType | None = None) -> None:
        """Ctrl-Z sets the terminal as it was until we are continued."""
        self.restore()
        _take_default_action(number)
        self.turn_echo_off()

    def stop_all(self) -> None:
        """The same for a key that a prompt read: the processes started together with us stop, too."""
        before = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        if before is signal.SIG_IGN:
            return
        os.kill(0, signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, before)
        self.stop(signal.SIGTSTP)

    @contextmanager
    def handling_signals(self) -> Iterator[None]:
        """While this lasts, Ctrl-Z also takes what is unfinished off the screen. Needs an event loop."""
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
        """While this lasts, `view` is told what happens to the terminal."""
        self._showing = view
        try:
            yield
        finally:
            self._showing = None

    @contextmanager
    def prompting(self, prompt: Prompting) -> Iterator[None]:
        """While this lasts, the terminal belongs to a prompt."""
        self._prompting = prompt
        try:
            yield
        finally:
            self._prompting = None

    @contextmanager
    def bracketed_paste(self, screen: BinaryIO) -> Iterator[None]:
        """What is pasted meanwhile reaches the next prompt as a paste: one message, and never a command."""
        self._screen = screen
        self._send(_BRACKETED_PASTE)
        try:
            yield
        finally:
            self._send(_PLAIN_PASTE)
            self._screen = None

    def _send(self, sequence: bytes) -> None:
        """Past all buffers: a signal may come in the middle of a write."""
        if self._screen is not None:
            with suppress(OSError):
                os.write(self._screen.fileno(), sequence)

    def _in_foreground(self) -> bool:
        """Whether we are in the foreground; a program that sets the terminal in the background is stopped."""
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
        """Back in the foreground, maybe after a while in the background."""
        if not self._prompting:
            self.turn_echo_off()

    def _resize(self) -> None:
        if self._showing:
            self._showing.repaint()


def _take_default_action(number: int) -> None:
    """Does what the signal does to a program without a handler; returns when a stop is over."""
    before = signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
    signal.signal(number, before)


@contextmanager
def without_echo(terminal: BinaryIO | None) -> Iterator[TtyLine]:
    """The terminal, with echo turned off until this is left, however that goes; nothing where it is none."""
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
    """A shell without job control has Ctrl-Z ignored, and it stays so."""
    handlers = {signal.SIGQUIT: line.quit, signal.SIGTSTP: line.stop}
    used = [number for number in handlers if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: handlers[number] for number in used}
