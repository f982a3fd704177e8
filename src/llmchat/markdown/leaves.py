"""The leaf blocks, as values: each takes text and returns the rows that are final."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from rich.cells import cell_len
from rich.style import Style

from llmchat.markdown import syntax
from llmchat.markdown.highlight import BEGIN, Highlighter, State
from llmchat.markdown.inline import Inline
from llmchat.markdown.rows import PLAIN, Row, Runs, Span, cut, fit, fold, lay, make_row, plain, wrap
from llmchat.markdown.structure import Text
from llmchat.markdown.syntax import Align
from llmchat.markdown.table import Grid
from llmchat.markdown.theme import Theme

STRETCH = 240
"""Length of a paragraph's unsettled part, in characters, from which on a place to settle it is searched."""

STRETCH_LIMIT = 2000
"""Length after which it is settled anyway: markup that is open for so long is shown as text."""

_MARKS = 64  # maximum of combining marks on one character
_WIDE = "\u3001\u3002\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff01\uff0c\uff1f"
_PAUSE = re.compile(rf"(?<![ \n])[ \n]++(?=[^ \n])|[{_WIDE}](?=[{_WIDE}])")


@dataclass(frozen=True, slots=True)
class Page:
    """The parsers and the width that leaves are laid out with."""

    theme: Theme
    inline: Inline
    highlighter: Highlighter
    width: int


class Leaf(Protocol):
    """A growing block of text. Rows that it gave out are final; `open_rows` are not."""

    def add(self, text: Text, page: Page) -> tuple[Leaf, list[Row]]:
        """The leaf with this text added, and the rows that are final by it."""

    def open_rows(self, page: Page, *, growing: bool = False) -> list[Row]:
        """The remaining rows if the block ends here; or, while it is `growing`, for now."""

    @property
    def rest(self) -> Runs:
        """The rows that are laid out already, but not final."""

    @property
    def source(self) -> str:
        """The source after that."""


def _lay_growing(runs: Runs, width: int) -> tuple[Runs, list[Row]]:
    """The runs of the last row, which later text may change, and the rows before it."""
    runs = fit(runs, width)
    text = plain(runs)
    *done, last = wrap(text, width)
    rest = cut(runs, [(last[0], len(text))])[0]
    return rest, [make_row(part) for part in cut(runs, done)]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph or a heading: inline markup, wrapped at words.

    Its source is parsed in sections, cut where no markup is open, so that the cost per character does not
    grow with its length. The cuts depend on the source only.
    """

    style: Style
    rest: Runs = ()  # parsed runs of the last row; the rows before were given out
    source: str = ""
    tested: int = 0  # there is no place to cut before this one

    def add(self, text: Text, page: Page) -> tuple[Prose, list[Row]]:
        begun = bool(self.source or self.rest)
        source = self.source + ("\n" if text.begins and begun else "") + text.text
        grown, changed = replace(self, source=source), False
        while (found := grown._find_cut(page.inline)) is not grown:
            changed = True
            grown = found
        if not changed:
            return grown, []
        rest, rows = _lay_growing(grown.rest, page.width)
        return replace(grown, rest=rest), rows

    def open_rows(self, page: Page, *, growing: bool = False) -> list[Row]:
        source = page.inline.completed(self.source) if growing else self.source
        runs = (*self.rest, *page.inline.runs(source, self.style))
        return [make_row(each) for each in lay(runs, page.width)] if runs else []

    def _find_cut(self, inline: Inline) -> Prose:
        """The paragraph with its next section settled or a place ruled out; itself if neither."""
        if len(self.source) <= self.tested + STRETCH:
            return self
        found = _PAUSE.search(self.source, self.tested + STRETCH)
        end = found.end() if found else len(self.source)
        if end > STRETCH_LIMIT:
            return self._settle(_forced_cut(self.source), inline)
        if found is None:
            return self
        if inline.is_settled(self.source[:end]):
            return self._settle(end, inline)
        return replace(self, tested=end)

    def _settle(self, end: int, inline: Inline) -> Prose:
        if end >= len(self.source):
            return self
        done = inline.runs(self.source[:end], self.style)
        return replace(self, rest=(*self.rest, *done), source=self.source[end:], tested=0)


def _forced_cut(source: str) -> int:
    """The place after the last blank that fits, else inside a word, but not inside a character."""
    blank = max(source.rfind(" ", 0, STRETCH_LIMIT), source.rfind("\n", 0, STRETCH_LIMIT))
    if blank > 0:
        return blank + 1
    for end in range(STRETCH_LIMIT, min(len(source), STRETCH_LIMIT + _MARKS)):
        if cell_len(source[end]) and source[end - 1] != "\u200d":
            return end
    return STRETCH_LIMIT + _MARKS


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines shown as written: a formula, or a block whose layout failed."""

    style: Style
    rest: Runs = ()  # the last row of an overlong line
    source: ClassVar[str] = ""

    def add(self, text: Text, page: Page) -> tuple[Verbatim, list[Row]]:
        runs = (*self.rest, (text.text.expandtabs(4), self.style))
        if text.ends:
            return replace(self, rest=()), [make_row(each) for each in lay(runs, page.width)]
        rest, rows = _lay_growing(runs, page.width)
        return replace(self, rest=rest), rows

    def open_rows(self, page: Page, *, growing: bool = False) -> list[Row]:
        return [make_row(each) for each in lay(self.rest, page.width)] if self.rest else []


@dataclass(frozen=True, slots=True)
class Listing:
    """A code block: coloured line by line, wrapped at the last cell, without padding or background."""

    language: str
    state: State = BEGIN
    rest: Runs = ()
    source: ClassVar[str] = ""

    def add(self, text: Text, page: Page) -> tuple[Listing, list[Row]]:
        line, whole = text.text.expandtabs(4), text.begins and text.ends
        language = self.language if whole else ""  # an overlong line is data
        coloured, state = page.highlighter.runs(language, line, self.state)
        runs = fit((*self.rest, *coloured), page.width)
        content = plain(runs)
        spans = fold(content, page.width)
        rest: Runs = ()
        if not text.ends:
            rest = cut(runs, spans[-1:])[0]
            spans = spans[:-1]
        rows = _folded_rows(runs, spans, page.width)
        return replace(self, state=state, rest=rest), rows

    def open_rows(self, page: Page, *, growing: bool = False) -> list[Row]:
        spans = fold(plain(self.rest), page.width)
        return _folded_rows(self.rest, spans, page.width) if self.rest else []


def _folded_rows(runs: Runs, spans: list[Span], width: int) -> list[Row]:
    parts, length = cut(runs, spans), len(plain(runs))
    return [
        make_row(part, joined=end < length and cell_len(plain(part)) == width)
        for part, (_, end) in zip(parts, spans, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Rows:
    """A table. Its first text is the header; surplus cells are joined to the last one."""

    columns: tuple[Align, ...]
    grid: Grid | None = None
    source: str = ""
    rest: ClassVar[Runs] = ()

    def add(self, text: Text, page: Page) -> tuple[Rows, list[Row]]:
        style = PLAIN if self.grid else page.theme["header"]
        cells = tuple(page.inline.runs(cell, style) for cell in self._cells(text.text))
        if self.grid is None:
            return replace(
                self, grid=Grid.begin(cells, self.columns, page.theme["border"]), source=text.text
            ), []
        grid, laid = self.grid.add(cells, page.width)
        source = "" if grid.frozen else f"{self.source}\n{text.text}"
        return replace(self, grid=grid, source=source), [make_row(runs) for runs in laid]

    def open_rows(self, page: Page, *, growing: bool = False) -> list[Row]:
        return [make_row(runs) for runs in self.grid.open_rows(page.width)] if self.grid else []

    def _cells(self, line: str) -> tuple[str, ...]:
        count, cells = len(self.columns), syntax.cells(line)
        if len(cells) > count:  # a pipe in code belongs to the code only if there would be too many cells
            cells = syntax.cells(line, keep_code=True)
        cells = (*cells[: count - 1], " | ".join(cells[count - 1 :]))
        return (*cells, *[""] * (count - len(cells)))


def unformatted(leaf: Leaf, page: Page) -> tuple[Verbatim, list[Row]]:
    """The leaf as plain source, for one whose layout failed; and the rows that are final by it."""
    shown, rows = Verbatim(PLAIN, leaf.rest), []
    for line in leaf.source.split("\n") if leaf.source else ():
        shown, more = shown.add(Text(line), page)
        rows += more
    return shown, rows
