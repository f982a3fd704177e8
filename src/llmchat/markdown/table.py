"""Lays out tables. The column widths depend on the header and the first rows only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import zip_longest

from rich.cells import cell_len
from rich.style import Style

from llmchat.markdown.rows import Run, Runs, cut, lay, plain
from llmchat.markdown.syntax import Align

SAMPLE = 30
"""How many rows decide the widths; later ones wrap their cells to fit."""

_GAP = " \u2502 "
_CROSSING = "\u2500\u253c\u2500"
_LINE = "\u2500"

Cells = tuple[Runs, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """The rows of a table so far. Nothing is laid out before the widths are `frozen`."""

    header: Cells
    columns: tuple[Align, ...]
    border: Style
    natural: tuple[int, ...]  # the natural width of each column
    rows: tuple[Cells, ...] = ()
    frozen: bool = False

    @classmethod
    def begin(cls, header: Cells, columns: tuple[Align, ...], border: Style) -> Grid:
        return cls(header, columns, border, tuple(map(_natural, header)))

    def add(self, row: Cells, width: int) -> tuple[Grid, list[Runs]]:
        """The table with one more row, and the rows that are final by it."""
        if self.frozen:
            return self, self._lay_row(row, self._widths(width), width)
        natural = tuple(max(had, _natural(cell)) for had, cell in zip(self.natural, row, strict=True))
        grown = replace(self, natural=natural, rows=(*self.rows, row))
        if len(grown.rows) < SAMPLE:
            return grown, []
        return replace(grown, rows=(), frozen=True), grown.open_rows(width)

    def open_rows(self, width: int) -> list[Runs]:
        """The rows that are not final yet."""
        if self.frozen:
            return []
        widths = self._widths(width)
        laid = self._lay_row(self.header, widths, width)
        if widths:
            laid.append(((_CROSSING.join(_LINE * columns for columns in widths), self.border),))
        for row in self.rows:
            laid += self._lay_row(row, widths, width)
        return laid

    def _widths(self, width: int) -> tuple[int, ...]:
        """The width of each column; empty if the columns do not fit side by side."""
        room = width - len(_GAP) * (len(self.natural) - 1)
        wanted = [max(1, columns) for columns in self.natural]
        if room < len(wanted) * min(3, max(wanted)):
            return ()
        widths: dict[int, int] = {}
        order = sorted(range(len(wanted)), key=wanted.__getitem__)
        for left, column in enumerate(order):  # narrow columns first; the others share the rest
            share = room // (len(order) - left)
            widths[column] = min(wanted[column], share)
            room -= widths[column]
        return tuple(widths[column] for column in range(len(wanted)))

    def _lay_row(self, row: Cells, widths: tuple[int, ...], width: int) -> list[Runs]:
        gap: Run = (_GAP, self.border)
        if not widths:
            joined = [run for cell in row if cell for run in (*cell, gap)][:-1]
            return lay(tuple(joined), width)
        folded = [lay(cell, columns) for cell, columns in zip(row, widths, strict=True)]
        laid = []
        for parts in zip_longest(*folded, fillvalue=()):
            line: list[Run] = []
            for part, columns, align in zip(parts, widths, self.columns, strict=True):
                line += [*_aligned(part, columns, align), gap]
            laid.append(tuple(line[:-1]))
        return laid


def _natural(cell: Runs) -> int:
    return max(map(cell_len, plain(cell).split("\n")))


def _aligned(part: Runs, width: int, align: Align) -> Runs:
    text = plain(part)
    bare = text.rstrip(" ")
    part = cut(part, [(0, len(bare))])[0]
    left = width - cell_len(bare)
    before = {Align.LEFT: 0, Align.CENTER: left // 2, Align.RIGHT: left}[align]
    blank = Style.null()
    return ((" " * before, blank), *part, (" " * (left - before), blank))
