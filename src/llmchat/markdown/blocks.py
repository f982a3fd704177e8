"""Source lines -> block events, by CommonMark's own algorithm: one line at a time; lays nothing out.

markdown-it-py wants a whole document, so feeding it a growing one costs its length again each time. The
block phase of the specification (appendix, "Phase 1") is defined line by line, and without setext headings,
link references and HTML blocks, which reach back, every event is final as soon as its line is complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from llmchat.markdown import syntax
from llmchat.markdown.line import SourceLine
from llmchat.markdown.structure import (
    Close,
    Code,
    Container,
    Enter,
    Event,
    Formula,
    Heading,
    Item,
    Leaf,
    Leave,
    ListOf,
    Open,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)

NESTING = 100
"""Quotes, lists and items that may be open at once; a marker beyond is text."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """What is open after some lines: containers from the outermost, the leaf in them, a line held back.

    A paragraph's last line is held back while it may be the header of a table.
    """

    containers: tuple[Container, ...] = ()
    leaf: Leaf | None = None
    held: str | None = None

    def read(self, line: str, *, begins: bool = True, ends: bool = True) -> tuple[Blocks, list[Event]]:
        """What is open after this line, and what it does. No newline in it.

        A part of an overlong line is only ever text or code, and goes where its first part went.
        """
        step = _Step(self, ends=ends)
        if begins:
            step.read(line)
        elif self.leaf is not None:
            step.text(line, begins=False)
        return Blocks(tuple(step.stack), step.leaf, step.held), step.events

    def end(self) -> list[Event]:
        """What closes everything that is open."""
        step = _Step(self, ends=True)
        step.unwind(0)
        return step.events


class _Step:
    """One line being read: what is open, and the rest of the line from a column on."""

    def __init__(self, before: Blocks, *, ends: bool) -> None:
        self.stack = list(before.containers)
        self.leaf = before.leaf
        self.held = before.held
        self.events: list[Event] = []
        self._ends = ends
        self._line = SourceLine("")

    def read(self, line: str) -> None:
        self._line = SourceLine(line)
        matched = self._match_containers()
        whole = matched == len(self.stack)
        if whole and (self._continue_literal() or self._begin_table()):
            return
        opened = False
        while self._begin_container(matched, whole=whole and not opened):
            matched, opened = len(self.stack), True
        if self._begin_leaf(matched):
            return
        blank = self._line.is_blank
        lazy = isinstance(self.leaf, Paragraph) and not blank
        if not lazy and len(self.stack) > matched:
            self.unwind(matched)
        if blank:
            self._close_leaf()
        elif self.leaf is not None and (self._ends or isinstance(self.leaf, Paragraph)):
            self.text(self._line.rest)
        else:
            self._open(Paragraph(), matched)
            self.text(self._line.rest)

    def text(self, line: str, *, begins: bool = True) -> None:
        """Adds to the open leaf."""
        if not isinstance(self.leaf, Paragraph):
            self._emit(line, begins=begins)
            return
        if begins:
            line = line.lstrip(" \t")
        if self._ends:
            line = line.rstrip(" \t")
        self._release()
        if begins and self._ends and "|" in line:
            self.held = line
        else:
            self._begin_paragraph()
            self._emit(line, begins=begins)

    def unwind(self, depth: int) -> None:
        """Closes the leaf, and all containers but the outermost `depth`."""
        self._close_leaf()
        while len(self.stack) > depth:
            self.stack.pop()
            self.events.append(Leave())

    def _emit(self, line: str, *, begins: bool = True) -> None:
        self.events.append(Text(line, begins, self._ends))

    def _release(self) -> None:
        if self.held is not None:
            self._begin_paragraph()
            self.events.append(Text(self.held))
            self.held = None

    def _begin_paragraph(self) -> None:
        if self.leaf != Paragraph(begun=True):
            self.leaf = Paragraph(begun=True)
            self.events.append(Open(self.leaf))

    def _close_leaf(self) -> None:
        if self.leaf is not None:
            self._release()
            self.events.append(Close())
            self.leaf = None

    def _match_containers(self) -> int:
        """How many of the open containers this line is in, by its markers and its indentation."""
        for depth, container in enumerate(self.stack):
            indent = self._line.indent
            match container:
                case Quote():
                    if indent > 3 or not self._line.text.startswith(">"):
                        return depth
                    self._take_quote_mark()
                case Item(_, columns, filled):
                    blank = self._line.is_blank
                    if (blank and not filled) or (indent < columns and not blank):
                        return depth
                    self._line.drop(columns)
        return len(self.stack)

    def _take_quote_mark(self) -> None:
        self._line.take(">")
        self._line.drop(1)

    def _continue_literal(self) -> bool:
        """Takes a line of the open code or formula as it is."""
        match self.leaf:
            case Code(None):
                return self._continue_indented_code(self.leaf)
            case Code(syntax.Fence() as fence):
                indent = self._line.indent
                if self._ends and indent <= 3 and fence.is_closed_by(self._line.text):
                    self._close_leaf()
                else:
                    self._line.drop(min(indent, fence.indent))
                    self.text(self._line.rest)
                return True
            case Formula(closer) if not self._line.is_blank:
                self.text(self._line.rest)
                if self._line.text.rstrip(" \t").endswith(closer):
                    self._close_leaf()
                return True
        return False

    def _continue_indented_code(self, code: Code) -> bool:
        if self._line.is_blank:
            self.leaf = replace(code, blanks=code.blanks + 1)
            return True
        if self._line.indent < 4:
            self._close_leaf()
            return False
        self.events += [Text("")] * code.blanks
        self.leaf = Code()
        self._line.drop(4)
        self.text(self._line.rest)
        return True

    def _begin_table(self) -> bool:
        """Makes a table of the line held back, if this one stands below a header."""
        if self.held is None or not self._ends or self._line.indent > 3:
            return False
        columns = syntax.alignments(self._line.text.rstrip(" \t"))
        if columns is None or len(columns) != len(syntax.cells(self.held)):
            return False
        header, self.held = self.held, None
        if self.leaf == Paragraph(begun=True):
            self.events.append(Close())
        self.leaf = Table(columns)
        self.events += [Open(self.leaf), Text(header)]
        return True

    def _begin_container(self, matched: int, *, whole: bool) -> bool:
        """Opens the quote or the list item that the rest of the line begins with."""
        indent = self._line.indent
        if indent > 3 or len(self.stack) >= NESTING:
            return False
        rest = self._line.text
        if rest.startswith(">"):
            self._enter(Quote(), matched)
            self._take_quote_mark()
            return True
        found = syntax.marker(rest)
        if found is None or (self._ends and syntax.is_rule(rest)):
            return False
        empty = syntax.is_blank(rest[len(found.text) :])
        if whole and isinstance(self.leaf, Paragraph) and (empty or found.number not in (None, 1)):
            return False  # it would interrupt a paragraph
        self._line.take(found.text)
        padding = self._line.indent
        if empty or padding > 4:
            padding = 1
        self._line.drop(padding)
        self._enter(Item(found, indent + len(found.text) + padding), matched)
        return True

    def _begin_leaf(self, matched: int) -> bool:
        """Opens the heading, rule, code or formula that the rest of the line is."""
        if self._line.indent > 3:
            if self._line.is_blank or isinstance(self.leaf, Paragraph):
                return False
            self._open(Code(), matched)
            self._line.drop(4)
            self.text(self._line.rest)
            return True
        if not self._ends:
            return False
        indent, rest = self._line.indent, self._line.text
        if heading := syntax.heading(rest):
            self._open(Heading(*heading), matched)
            self._close_leaf()
        elif fence := syntax.fence(rest, indent):
            self._open(Code(fence), matched)
        elif syntax.is_rule(rest):
            self._open(Rule(), matched)
            self._close_leaf()
        elif closer := syntax.formula(rest):
            self._open(Formula(closer), matched)
            self.text(rest)
            if rest.rstrip(" \t").endswith(closer) and len(rest.rstrip(" \t")) > 2:
                self._close_leaf()
        else:
            return False
        return True

    def _open(self, leaf: Leaf, matched: int) -> None:
        self._make_room(matched, item=False)
        self.leaf = leaf
        if not isinstance(leaf, Paragraph):  # that opens with its first text: it may become a table
            self.events.append(Open(leaf))

    def _enter(self, container: Quote | Item, matched: int) -> None:
        self._make_room(matched, item=isinstance(container, Item))
        if isinstance(container, Item):
            wanted = ListOf(container.marker.kind)
            if not self.stack or self.stack[-1] != wanted:
                self._leave_list()
                self._push(wanted)
        self._push(container)

    def _push(self, container: Container) -> None:
        self._fill()
        self.stack.append(container)
        self.events.append(Enter(container))

    def _make_room(self, matched: int, *, item: bool) -> None:
        """Ends what the new block is not in; only items stand directly in a list."""
        self.unwind(matched)
        if not item:
            self._leave_list()
        self._fill()

    def _leave_list(self) -> None:
        if self.stack and isinstance(self.stack[-1], ListOf):
            self.unwind(len(self.stack) - 1)

    def _fill(self) -> None:
        if self.stack and isinstance(item := self.stack[-1], Item):
            self.stack[-1] = replace(item, filled=True)
