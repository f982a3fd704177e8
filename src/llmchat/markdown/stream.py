"""Lays out a reply's text, piece by piece, as final and unfinished rows; writes to no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from llmchat.markdown.highlight import Highlighter, Lexer
from llmchat.markdown.inline import Inline
from llmchat.markdown.layout import Layout
from llmchat.markdown.leaves import Page
from llmchat.markdown.reader import BlockReader
from llmchat.markdown.rows import Row
from llmchat.markdown.structure import Event
from llmchat.markdown.theme import Theme


@dataclass(frozen=True, slots=True)
class Frame:
    """One update of the screen: rows that are now final, then rows that may still change.

    Between them are the hidden rows, which may change too, and do not fit the window.
    """

    done: tuple[Row, ...]
    tail: tuple[Row, ...]
    hidden: tuple[Row, ...] = ()


class MarkdownStream:
    """Lays out growing Markdown in rows of at most `width` cells.

    `feed` only stores text; `frame` does the work, once for each update of the screen. All `done` rows and
    the last `tail` together equal one rendering of the whole text, however it was split into pieces and
    frames. Memory and the time of a frame are bounded.
    """

    def __init__(
        self,
        width: int,
        *,
        theme: Theme,
        max_tail_rows: int | None = None,
        find_lexer: Callable[[str], Lexer | None] | None = None,
    ) -> None:
        self._page = Page(theme, Inline(theme), Highlighter(theme, find_lexer), max(1, width))
        self._max_tail_rows = max_tail_rows
        self._pieces: list[str] = []
        self._reader = BlockReader()
        self._layout = Layout()

    def feed(self, text: str) -> None:
        """Takes the next piece of foreign text, which is sanitized."""
        self._pieces.append(text)

    def frame(self) -> Frame:
        """Lays out what was fed since the last frame. The tail has the last `max_tail_rows` rows at most."""
        done = self._read()
        tail = self._preview()
        hidden = 0 if self._max_tail_rows is None else max(0, len(tail) - self._max_tail_rows)
        return Frame(tuple(done), tuple(tail[hidden:]), tuple(tail[:hidden]))

    def finish(self) -> tuple[Row, ...]:
        """Ends the text; returns the remaining rows. Nothing may be fed after it."""
        return tuple(self._read() + self._take(self._reader.finish()))

    def limit_tail(self, rows: int) -> None:
        """Limits the tail to its last rows from now on."""
        self._max_tail_rows = rows

    def resize(self, width: int) -> None:
        """Sets the width of the rows to come, including those of the tail."""
        self._page = replace(self._page, width=max(1, width))

    def _read(self) -> list[Row]:
        """The rows that became final by what was fed."""
        fed = "".join(self._pieces)
        self._pieces.clear()
        return self._take(self._reader.read(fed))

    def _take(self, events: Iterable[Event]) -> list[Row]:
        done: list[Row] = []
        for event in events:
            self._layout, rows = self._layout.take(event, self._page)
            done += rows
        return done

    def _preview(self) -> list[Row]:
        """The rows that are not final: open blocks, and the unfinished line if its kind is clear."""
        layout, rows = self._layout, []
        for event in self._reader.preview():
            layout, more = layout.take(event, self._page)
            rows += more
        rows += layout.open_rows(self._page)
        while rows and rows[-1] == Row():
            rows.pop()
        return rows
