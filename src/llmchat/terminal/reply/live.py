"""The view for terminals: a reply as Markdown while it streams, painted on a timer."""

from __future__ import annotations

import asyncio
import time

from llmchat.core.conversation import Status
from llmchat.core.journal import Reply
from llmchat.errors import LLMChatError
from llmchat.terminal.reply.footer import reply_notes, summary
from llmchat.terminal.reply.screen import Screen, tail_rows
from llmchat.terminal.reply.status import StatusLine

FRAME_S = 1 / 30
SHARE = 0.15
"""The share of a CPU core that painting may take."""


class LiveView:
    """Shows one reply on a terminal. Needs a running event loop."""

    def __init__(self, screen: Screen, status: StatusLine, *, footer: bool) -> None:
        self.status = status
        status.make_room = self._make_room
        self._screen = screen
        self._footer = footer
        self._size = screen.size()
        self._markdown = screen.markdown()
        self._painter = screen.painter()
        self._timer: asyncio.TimerHandle | None = None
        self._next_frame = 0.0  # in the event loop's time
        self._over = False  # what is on the screen stays there

    def piece(self, text: str) -> None:
        self.status.clear()
        self._markdown.feed(text)
        self._schedule()

    def end(self, reply: Reply) -> None:
        self.status.clear()
        self._unschedule()
        self._over = True
        self._fit_window()
        self._markdown.feed(reply.unshown)
        self._painter.paint((*self._markdown.frame().done, *self._markdown.finish()), ())
        self._painter.finish()
        for note in reply_notes(reply, footer=self._footer):
            self.status.note(note)
        if self._footer and reply.status is not Status.FAILED:  # the error explains it
            self._screen.streams.write(f"{self._screen.dim(summary(reply))}\n\n")

    def error(self, error: LLMChatError) -> None:
        self.status.error(error)

    def suspend(self) -> None:
        self.status.clear()
        self._unschedule()
        self._painter.clear()

    def repaint(self) -> None:
        self._schedule()

    def _make_room(self) -> None:
        """Clears the unfinished rows; the next frame paints them again, below what was printed since."""
        self._painter.clear()
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and not self._over:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, self._next_frame - loop.time()), self._paint)

    def _unschedule(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _paint(self) -> None:
        self._timer = None
        began = time.perf_counter()
        self._fit_window()
        frame = self._markdown.frame()
        if frame.done or frame.tail:
            self.status.end_line()
        self._painter.paint(frame.done, frame.tail, frame.hidden)
        cost = time.perf_counter() - began
        self._next_frame = asyncio.get_running_loop().time() + max(FRAME_S, cost * (1 / SHARE - 1))

    def _fit_window(self) -> None:
        size = self._screen.size()
        if size == self._size:
            return
        columns, rows = size
        self._markdown.limit_tail(tail_rows(rows))
        if columns != self._size[0]:
            self._markdown.resize(columns)
        self._painter.resize(columns, rows)
        self._size = size
