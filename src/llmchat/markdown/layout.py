"""Lays out block events as rows: margins, list markers, quote bars, and the leaves inside.

Every decision depends on earlier blocks only: a blank row before a block does not depend on the looseness
of a list, which a later line could change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.style import Style

from llmchat.markdown import structure
from llmchat.markdown.leaves import Leaf, Listing, Page, Prose, Rows, Verbatim, unformatted
from llmchat.markdown.rows import PLAIN, Row, Run, lay, make_row
from llmchat.markdown.structure import Close, Enter, Event, Item, Leave, ListOf, Open, Quote, Text

ROOM = 10
"""Minimum width for text inside quotes and lists; narrower ones are not indented further."""

_BULLETS = "\u2022\u25e6\u25aa"
_OPEN_TASK, _DONE_TASK = "\u2610", "\u2611"
_BAR = "\u2502 "
_TASK = re.compile(r"\[([ xX])\](?=[ \t])")


@dataclass(frozen=True, slots=True)
class Level:
    """An open container, or the document, as it is drawn.

    `first` is the prefix of its first row, `then` that of the others. `above` is the last block in it.
    """

    first: str = ""
    then: str = ""
    style: Style = PLAIN
    container: structure.Container | None = None
    begun: bool = False  # its first row was given out
    above: structure.Container | structure.Leaf | None = None
    spaced: bool = False  # it has a blank row in it


@dataclass(frozen=True, slots=True)
class Layout:
    """The state of the layout: the open blocks as they are drawn, and the number of code blocks."""

    levels: tuple[Level, ...] = (Level(),)
    leaf: Leaf | None = None
    listings: int = 0

    def take(self, event: Event, page: Page) -> tuple[Layout, list[Row]]:
        """The layout after this event, and the rows that are final by it."""
        match event:
            case Enter(container):
                return self._enter(container, page)
            case Leave():
                return self._leave(page)
            case Open(leaf):
                return self._open(leaf, page)
            case Text():
                return self._text(event, page)
            case Close():
                return self._close(page)

    def open_rows(self, page: Page) -> list[Row]:
        """The rows of the open leaf that are not final yet."""
        if self.leaf is None:
            return []
        return self._draw(_open_rows(self.leaf, self._inside(page), growing=True), page)[1]

    def _enter(self, container: structure.Container, page: Page) -> tuple[Layout, list[Row]]:
        after, rows = self._space(container, page)
        match container:
            case Quote():
                level = Level(_BAR, _BAR, page.theme["quote"], container)
            case Item():
                shown = after._marker(container)
                level = Level(shown, " " * cell_len(shown), page.theme["marker"], container)
            case ListOf():
                level = Level(container=container)
        return replace(after, levels=(*after.levels, level)), rows

    def _marker(self, item: Item) -> str:
        if item.marker.number is not None:
            return f"{item.marker.text:>3} "
        depth = sum(1 for level in self.levels if isinstance(level.container, Item))
        return f"{_BULLETS[min(depth, len(_BULLETS) - 1)]} "

    def _leave(self, page: Page) -> tuple[Layout, list[Row]]:
        """Draws the marker of an item or the bar of a quote that has no row yet."""
        rows: list[Row] = []
        after = self
        if self.levels[-1].first and not self.levels[-1].begun:
            after, rows = self._draw([Row()], page)
        *outer, parent, left = after.levels
        parent = replace(parent, above=left.container, spaced=parent.spaced or left.spaced)
        return replace(after, levels=(*outer, parent)), rows

    def _space(self, block: structure.Container | structure.Leaf, page: Page) -> tuple[Layout, list[Row]]:
        """Draws the blank row above a block, if there is one."""
        *outer, parent = self.levels
        above = parent.above
        if isinstance(block, Item):
            wanted = above is not None and parent.spaced
        elif isinstance(block, ListOf) and isinstance(parent.container, Item):
            wanted = above is not None and not isinstance(above, structure.Paragraph)
        else:
            wanted = above is not None
        if not wanted:
            return replace(self, levels=(*outer, replace(parent, above=block))), []
        parent = replace(parent, above=block, spaced=True)
        return replace(self, levels=(*outer, parent))._draw([Row()], page)

    def _open(self, leaf: structure.Leaf, page: Page) -> tuple[Layout, list[Row]]:
        if isinstance(leaf, structure.Heading) and not leaf.text:
            return self, []  # there is nothing to show
        after, rows = self._space(leaf, page)
        inner = after._inside(page)
        match leaf:
            case structure.Paragraph():
                return replace(after, leaf=Prose(PLAIN)), rows
            case structure.Heading(level, text):
                return replace(after, leaf=Prose(page.theme[f"heading{level}"], source=text)), rows
            case structure.Rule():
                drawn, line = after._draw([make_row([("\u2500" * inner.width, page.theme["rule"])])], page)
                return drawn, rows + line
            case structure.Formula():
                return replace(after, leaf=Verbatim(page.theme["math"])), rows
            case structure.Table(columns):
                return replace(after, leaf=Rows(columns)), rows
            case structure.Code():
                return after._open_listing(leaf, page, rows)

    def _open_listing(self, code: structure.Code, page: Page, rows: list[Row]) -> tuple[Layout, list[Row]]:
        number = self.listings + 1
        label = f"[{number}] {code.language}".rstrip()
        laid = lay(((label, page.theme["label"]),), self._inside(page).width)
        drawn, above = self._draw(map(make_row, laid), page)
        return replace(drawn, leaf=Listing(code.language), listings=number), rows + above

    def _text(self, text: Text, page: Page) -> tuple[Layout, list[Row]]:
        assert self.leaf is not None, "text belongs to an open leaf"
        if isinstance(self.leaf, Prose) and self.leaf == Prose(self.leaf.style):
            text = self._with_task_box(text)
        leaf, rows = _add(self.leaf, text, self._inside(page))
        return replace(self, leaf=leaf)._draw(rows, page)

    def _with_task_box(self, text: Text) -> Text:
        """Draws the checkbox of a task list item."""
        level = self.levels[-1]
        if level.begun or not isinstance(level.container, Item):
            return text
        if not (box := _TASK.match(text.text)):
            return text
        drawn = _OPEN_TASK if box[1] == " " else _DONE_TASK
        return replace(text, text=drawn + text.text[box.end() :])

    def _close(self, page: Page) -> tuple[Layout, list[Row]]:
        if self.leaf is None:
            return self, []
        rows = _open_rows(self.leaf, self._inside(page))
        return replace(self, leaf=None)._draw(rows, page)

    def _inside(self, page: Page) -> Page:
        """The page inside the open containers."""
        used = sum(cell_len(level.then) for level in self._fitting(page))
        return replace(page, width=page.width - used)

    def _fitting(self, page: Page) -> list[Level]:
        """The outermost levels that can be indented at this width."""
        fitting, left = [], page.width
        room = min(ROOM, max(1, page.width // 2))
        for level in self.levels:
            left -= cell_len(level.then)
            if left < room:
                break
            fitting.append(level)
        return fitting

    def _draw(self, rows: Iterable[Row], page: Page) -> tuple[Layout, list[Row]]:
        """Puts bars, markers and indentation before rows of the innermost container.

        The marker of an item that cannot be indented gets its own row.
        """
        drawn: list[Row] = []
        after, fitting = self, len(self._fitting(page))
        for row in rows:
            for shown in (*after._lone_markers(fitting, page), row):
                lead = [(level.then if level.begun else level.first, level.style) for level in after.levels]
                drawn.append(_behind(lead[:fitting], shown))
                after = after._begun()
        return after, drawn

    def _begun(self) -> Layout:
        if all(level.begun for level in self.levels):
            return self
        return replace(self, levels=tuple(replace(level, begun=True) for level in self.levels))

    def _lone_markers(self, fitting: int, page: Page) -> list[Row]:
        width = self._inside(page).width
        return [
            make_row(runs)
            for level in self.levels[fitting:]
            if isinstance(level.container, Item) and not level.begun
            for runs in lay(((level.first.strip(), level.style),), width)
        ]


def _add(leaf: Leaf, text: Text, page: Page) -> tuple[Leaf, list[Row]]:
    try:
        return leaf.add(text, page)
    except Exception:  # noqa: BLE001 - whatever a parser or a lexer trips over, the text is shown
        shown, rows = unformatted(leaf, page)
        after, more = shown.add(text, page)
        return after, rows + more


def _open_rows(leaf: Leaf, page: Page, *, growing: bool = False) -> list[Row]:
    try:
        return leaf.open_rows(page, growing=growing)
    except Exception:  # noqa: BLE001 - likewise
        shown, rows = unformatted(leaf, page)
        return rows + shown.open_rows(page)


def _behind(lead: list[Run], row: Row) -> Row:
    if not any(text for text, _ in lead):
        return row
    return make_row([*lead, *((segment.text, segment.style or PLAIN) for segment in row.segments)])
