"""The view of a terminal: a reply as Markdown while it comes. Paints on a timer, not on every piece."""

from __future__ import annotations

import asyncio
import os
import time

from rich.color import ColorSystem
from rich.style import Style

from llmchat.core.chat import Reply
from llmchat.core.generation import Progress
from llmchat.errors import LLMChatError
from llmchat.terminal.markdown import CodeBlock, MarkdownStream, load_theme
from llmchat.terminal.painter import Painter
from llmchat.terminal.sanitize import sanitize_line
from llmchat.terminal.spinner import Spinner
from llmchat.terminal.streams import Streams
from llmchat.terminal.view import error_lines, reply_notes, summary

FRAME_S = 1 / 30
SHARE = 0.15  # of a core that painting may take
TAIL_ROWS = 20


class LiveView:
    """Shows one reply on a terminal. Must be used inside an event loop."""

    def __init__(
        self, streams: Streams, *, theme: str, colours: ColorSystem | None, quiet: bool, footer: bool
    ) -> None:
        self._streams = streams
        self._quiet = quiet
        self._footer = footer
        self._colours = colours
        self._columns, lines = _window(streams)
        rows = max(1, min(TAIL_ROWS, lines - 1))
        self._markdown = MarkdownStream(self._columns, theme=load_theme(theme), max_tail_rows=rows)
        self._painter = Painter(streams.write, columns=self._columns, colours=colours)
        self._spinner = Spinner(streams, quiet=quiet)
        self._timer: asyncio.TimerHandle | None = None
        self._next_frame = 0.0

    @property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The code blocks shown so far."""
        return self._markdown.code_blocks

    def progress(self, progress: Progress) -> None:
        self._spinner.show(progress)

    def note(self, text: str) -> None:
        if not self._quiet:
            self._spinner.stop()
            self._painter.finish()
            self._streams.say(f"llmchat: {sanitize_line(text)}")

    def piece(self, text: str) -> None:
        self._spinner.stop()
        self._markdown.feed(text)
        self._schedule()

    def end(self, reply: Reply) -> None:
        self._spinner.stop()
        self._cancel_timer()
        self._fit_window()
        self._markdown.feed(reply.unshown)
        done = self._markdown.frame().done
        self._painter.paint((*done, *self._markdown.finish()), ())
        self._painter.finish()
        for note in reply_notes(reply):
            self.note(note)
        if self._footer:
            self._streams.write(f"{self._dim(summary(reply))}\n\n")

    def error(self, error: LLMChatError) -> None:
        self._spinner.stop()
        self._streams.say(error_lines(error))

    def resized(self) -> None:
        """The window may have another size now."""
        self._schedule()

    def suspend(self) -> None:
        """The terminal goes to somebody else for a while: nothing unfinished is left on it."""
        self._spinner.stop()
        self._cancel_timer()
        self._painter.clear()

    def resume(self) -> None:
        """The terminal is ours again."""
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._next_frame - loop.time()), self._paint)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _paint(self) -> None:
        self._timer = None
        began = time.perf_counter()
        self._fit_window()
        frame = self._markdown.frame()
        self._painter.paint(frame.done, frame.tail)
        cost = time.perf_counter() - began
        self._next_frame = asyncio.get_running_loop().time() + max(FRAME_S, cost * (1 / SHARE - 1))

    def _fit_window(self) -> None:
        columns, lines = _window(self._streams)
        self._markdown.limit_tail(max(1, min(TAIL_ROWS, lines - 1)))
        if columns != self._columns:
            self._columns = columns
            self._markdown.resize(columns)
            self._painter.resize(columns)

    def _dim(self, text: str) -> str:
        return Style(dim=True).render(text, color_system=self._colours) if self._colours else text


def _window(streams: Streams) -> tuple[int, int]:
    """Columns and rows as the terminal itself says; 80 by 24 where it does not."""
    assert streams.stdout is not None, "there is a terminal to paint on"
    try:
        columns, lines = os.get_terminal_size(streams.stdout.fileno())
    except OSError:
        return 80, 24
    return columns or 80, lines or 24
