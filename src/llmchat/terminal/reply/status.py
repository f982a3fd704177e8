"""The lines on stderr beside a reply: spinner, notes, errors, the model's reasoning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llmchat.core.generation import Progress
from llmchat.errors import LLMChatError
from llmchat.sanitize import Newlines, sanitize, sanitize_line
from llmchat.scrub import scrub
from llmchat.terminal.device.streams import Streams

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_DELAY_S = 0.3
"""Delay before the spinner appears: most waits are shorter."""
_STEP_S = 0.1


class StatusLine:
    """Writes to stderr beside a reply. On a terminal a spinner shows what is being waited for."""

    def __init__(self, streams: Streams, *, quiet: bool = False, thoughts: bool = True) -> None:
        """With `quiet` only errors are shown; without `thoughts` no reasoning."""
        self.make_room: Callable[[], None] = lambda: None
        """Called before a line is written, to clear what is painted on the screen."""
        self._streams = streams
        self._quiet = quiet
        self._shows_thoughts = thoughts and not quiet
        capable = streams.supports_escapes(streams.stderr)
        self._spins = capable and not quiet
        self._dims = capable and not streams.environ.get("NO_COLOR")
        self._newlines = Newlines()
        self._line_open = False
        self._progress = Progress("")
        self._timer: asyncio.TimerHandle | None = None
        self._frame = 0
        self._spinner_shown = False

    def progress(self, progress: Progress) -> None:
        """Shows what is happening while no text comes."""
        self._progress = progress
        if self._spins and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY_S, self._spin)

    def note(self, text: str) -> None:
        """Shows a notice, which is not part of the answer."""
        if not self._quiet:
            self._say(f"llmchat: {sanitize_line(text)}")

    def error(self, error: LLMChatError) -> None:
        """Shows an error in two lines."""
        self._say(error_lines(error))

    def thought(self, text: str) -> None:
        """Shows a piece of the model's reasoning, dim on a terminal. It is not part of the answer."""
        shown = sanitize(self._newlines.feed(text)) if self._shows_thoughts else ""
        if shown:
            self.make_room()
            self._stop_spinner()
            self._streams.tell(f"\x1b[2m{shown}\x1b[22m" if self._dims else shown)
            self._line_open = not shown.endswith("\n")

    def clear(self) -> None:
        """Removes the spinner, and ends an open line. May be called at any time."""
        if self._timer is not None:  # called at every token
            self._stop_spinner()
        if self._line_open:
            self.end_line()

    def end_line(self) -> None:
        """Ends an open line of reasoning."""
        if self._line_open:
            self._streams.tell("\n")
            self._line_open = False

    def _say(self, lines: str) -> None:
        self.make_room()
        self.clear()
        self._streams.say(lines)

    def _spin(self) -> None:
        self._frame += 1
        text = f"{_SPINNER[self._frame % len(_SPINNER)]} {_describe(self._progress)}"
        self._streams.tell(f"\r\x1b[K{text[: self._streams.size(self._streams.stderr)[0] - 1]}")
        self._spinner_shown = True
        self._timer = asyncio.get_running_loop().call_later(_STEP_S, self._spin)

    def _stop_spinner(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._spinner_shown:
            self._streams.tell("\r\x1b[K")
            self._spinner_shown = False


def error_lines(error: LLMChatError) -> str:
    """The two lines of an error: what failed, and what to do."""
    line = f"llmchat: error: {sanitize_line(scrub(error.message))}"
    return f"{line}\nllmchat: hint: {sanitize_line(scrub(error.hint))}" if error.hint else line


def _describe(progress: Progress) -> str:
    stage = sanitize_line(progress.stage)
    if progress.done is None or not progress.total:
        return f"{stage} ..."
    return f"{stage}: {progress.done / progress.total:.0%}"
