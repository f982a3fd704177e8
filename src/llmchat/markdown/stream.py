"""A reply's text, piece by piece -> rows that are final and rows that are not; writes to no terminal."""

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
    """What changed on the screen: rows that are final from now on, then those that may still change.

    Between them are the hidden ones, which may change too, and for which there is no room.
    """

    done: tuple[Row, ...]
    tail: tuple[Row, ...]
    hidden: tuple[Row, ...] = ()


class MarkdownStream:
    """Lays growing Markdown out, in rows of at most `width` cells.

    `feed` only keeps text; `frame` does the work, so that it is done as often as something is painted.
    All `done` rows together with the last `tail` are what one rendering of the whole text gives, however
    it was cut into pieces and whenever frames were asked for. Memory and the time of a frame are bounded.
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
        """The next piece of the text. It may be foreign: nothing in it reaches a row unsanitized."""
        self._pieces.append(text)

    def frame(self) -> Frame:
        """Lays out what was fed since the last frame. The tail has at most `max_tail_rows`: its last ones."""
        done = self._read()
        tail = self._preview()
        hidden = 0 if self._max_tail_rows is None else max(0, len(tail) - self._max_tail_rows)
        return Frame(tuple(done), tuple(tail[hidden:]), tuple(tail[:hidden]))

    def finish(self) -> tuple[Row, ...]:
        """The text is complete: the rest of the rows. Nothing may be fed after it."""
        return tuple(self._read() + self._take(self._reader.finish()))

    def limit_tail(self, rows: int) -> None:
        """The tail has at most this many rows from now on: its last ones."""
        self._max_tail_rows = rows

    def resize(self, width: int) -> None:
        """The rows to come, those of the tail among them, have at most this many cells."""
        self._page = replace(self._page, width=max(1, width))

    def _read(self) -> list[Row]:
        """The rows that are final with what was fed."""
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
        """The rows that are not final: what is open, and the unfinished line if it says what it is."""
        layout, rows = self._layout, []
        for event in self._reader.preview():
            layout, more = layout.take(event, self._page)
            rows += more
        rows += layout.open_rows(self._page)
        while rows and rows[-1] == Row():
            rows.pop()
        return rows
