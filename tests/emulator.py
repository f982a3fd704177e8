"""A terminal emulator (pyte) that keeps what scrolls out of its window, with pyte's faults mended."""

from __future__ import annotations

import re
import unicodedata

import pyte
from pyte.screens import Char, StaticDefaultDict
from wcwidth import wcwidth

Cells = StaticDefaultDict[int, Char]

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class Emulator(pyte.Screen):
    """A window of so many columns and rows, and the scrollback above it. Rows are not laid out anew.

    Like many a terminal it counts the cells of every character on its own, those of one emoji too.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.scrollback: list[Cells] = []
        super().__init__(columns, rows)
        self._stream = pyte.Stream(self)

    def feed(self, written: str) -> None:
        """Shows what a program has written."""
        self._stream.feed(written)

    def index(self) -> None:
        if self.cursor.y == self.lines - 1:
            self.scrollback.append(self.buffer[0])
        super().index()

    def draw(self, data: str) -> None:
        """Joins what has no width to the character before; pyte drops all that follows it."""
        start = 0
        for found in _NOT_ASCII.finditer(data):
            if wcwidth(found[0]) == 0 and not unicodedata.combining(found[0]):
                super().draw(data[start : found.start()])
                self._join(found[0])
                start = found.end()
        super().draw(data[start:])

    def _join(self, mark: str) -> None:
        if self.cursor.x:
            line = self.buffer[self.cursor.y]
            last = line[self.cursor.x - 1]
            line[self.cursor.x - 1] = last._replace(data=last.data + mark)

    def rows(self) -> list[Cells]:
        """Those of the scrollback, and of the window down to the cursor."""
        return [*self.scrollback, *(self.buffer[y] for y in range(self.cursor.y + 1))]

    def cells(self) -> list[dict[int, Char]]:
        """What these rows show, styles included, blanks without one left out."""
        return [{x: cell for x, cell in row.items() if cell != self.default_char} for row in self.rows()]

    def text(self) -> list[str]:
        """What these rows say, without the blanks at their ends."""
        return ["".join(row[x].data for x in range(self.columns)).rstrip(" ") for row in self.rows()]
