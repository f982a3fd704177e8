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


class ReflowingEmulator(Emulator):
    """One that lays out its rows anew when its width changes, as most terminals do.

    What stands in the rows below the cursor is forgotten.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._drawing = False
        self._wrapped: dict[int, Cells] = {}  # rows that go on in the next one, by identity
        super().__init__(columns, rows)

    def draw(self, data: str) -> None:
        self._drawing = True
        super().draw(data)
        self._drawing = False

    def linefeed(self) -> None:
        if self._drawing:
            self._mark(self.buffer[self.cursor.y])
        super().linefeed()

    def erase_in_display(self, how: int = 0, *args: object, **options: object) -> None:
        for y in range(self.cursor.y, self.lines):
            self._wrapped.pop(id(self.buffer[y]), None)
        super().erase_in_display(how, *args, **options)

    def reflow(self, columns: int, height: int | None = None) -> None:
        """Makes the window so wide, and so high if that changes too."""
        lines: list[list[Char]] = [[]]
        rows = self.rows()
        for row in rows:
            wraps = id(row) in self._wrapped
            width = (
                self.columns
                if wraps
                else 1 + max((x for x in row if row[x] != self.default_char), default=-1)
            )
            if row is rows[-1]:
                width = max(width, self.cursor.x)
            lines[-1] += [row[x] for x in range(width)]
            if not wraps:
                lines.append([])
        self.columns, self.lines = columns, height or self.lines
        self._wrapped.clear()
        again = [row for line in lines[:-1] for row in self._fold(line)]
        self.scrollback = again[: -self.lines]
        self.buffer.clear()
        self.buffer.update(enumerate(again[-self.lines :]))
        self.cursor.y = len(again[-self.lines :]) - 1
        self.cursor.x = max(again[-1], default=-1) + 1

    def _fold(self, line: list[Char]) -> list[Cells]:
        rows = [Cells(self.default_char)]
        for x, cell in enumerate(line):
            wide = x + 1 < len(line) and line[x + 1].data == ""
            if len(rows[-1]) + 1 + wide > self.columns:
                self._mark(rows[-1])
                rows.append(Cells(self.default_char))
            rows[-1][len(rows[-1])] = cell
        return rows

    def _mark(self, row: Cells) -> None:
        self._wrapped[id(row)] = row
