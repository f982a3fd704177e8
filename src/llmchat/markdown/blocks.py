"""Parses source lines into block events, one line at a time, by CommonMark's algorithm.

Our own parser, as markdown-it-py needs the whole document: parsing a growing one again and again is slow. The
block phase of the specification (appendix, "Phase 1") is defined line by line, and without setext headings,
link references and HTML blocks, which reach back, every event is final as soon as its line is complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from llmchat.markdown import syntax
from llmchat.markdown.open_blocks import OpenBlocks
from llmchat.markdown.structure import (
    Close,
    Code,
    Container,
    Event,
    Formula,
    Heading,
    Item,
    Leaf,
    Open,
    Paragraph,
    Quote,
    Rule,
    Table,
    Text,
)

NESTING = 100
"""Maximum nesting of quotes, lists and items; further markers are text."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The parser's state after some lines: open containers, outermost first, the open leaf, a held-back line.

    A paragraph's last line is held back while it may be the header of a table.
    """

    containers: tuple[Container, ...] = ()
    leaf: Leaf | None = None
    held: str | None = None

    def read(self, line: str, *, begins: bool = True, ends: bool = True) -> tuple[Blocks, list[Event]]:
        """The state after this line, and its events. The line has no newline.

        A further part of an overlong line is text or code, and belongs to the same leaf as its first part.
        """
        after = OpenBlocks(list(self.containers), self.leaf, self.held, ends=ends)
        if begins:
            _LineReader(line, after).read()
        elif self.leaf is not None:
            after.text(line, begins=False)
        return Blocks(tuple(after.stack), after.leaf, after.held), after.events

    def end(self) -> list[Event]:
        """The events that close everything."""
        after = OpenBlocks(list(self.containers), self.leaf, self.held, ends=True)
        after.unwind(0)
        return after.events


class _LineReader:
    """The parsing of one line: the open blocks, and the rest of the line."""

    def __init__(self, line: str, blocks: OpenBlocks) -> None:
        self._line = syntax.SourceLine(line)
        self._open = blocks

    def read(self) -> None:
        matched = self._match_containers()
        whole = matched == len(self._open.stack)
        if whole and (self._continue_literal() or self._begin_table()):
            return
        opened = False
        while self._begin_container(matched, whole=whole and not opened):
            matched, opened = len(self._open.stack), True
        if self._begin_leaf(matched):
            return
        blank = self._line.is_blank
        lazy = isinstance(self._open.leaf, Paragraph) and not blank
        if not lazy and len(self._open.stack) > matched:
            self._open.unwind(matched)
        if blank:
            self._open.close_leaf()
        elif self._open.leaf is not None and (self._open.ends or isinstance(self._open.leaf, Paragraph)):
            self._open.text(self._line.rest)
        else:
            self._open.open(Paragraph(), matched)
            self._open.text(self._line.rest)

    def _match_containers(self) -> int:
        """How many of the open containers this line continues, by its markers and indentation."""
        for depth, container in enumerate(self._open.stack):
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
        return len(self._open.stack)

    def _take_quote_mark(self) -> None:
        self._line.take(">")
        self._line.drop(1)

    def _continue_literal(self) -> bool:
        """Adds the line to the open code block or formula."""
        match self._open.leaf:
            case Code(None):
                return self._continue_indented_code(self._open.leaf)
            case Code(syntax.Fence() as fence):
                indent = self._line.indent
                if self._open.ends and indent <= 3 and fence.is_closed_by(self._line.text):
                    self._open.close_leaf()
                else:
                    self._line.drop(min(indent, fence.indent))
                    self._open.text(self._line.rest)
                return True
            case Formula(closer) if not self._line.is_blank:
                self._open.text(self._line.rest)
                if self._line.text.rstrip(" \t").endswith(closer):
                    self._open.close_leaf()
                return True
        return False

    def _continue_indented_code(self, code: Code) -> bool:
        if self._line.is_blank:
            self._open.leaf = replace(code, blanks=code.blanks + 1)
            return True
        if self._line.indent < 4:
            self._open.close_leaf()
            return False
        self._open.events += [Text("")] * code.blanks
        self._open.leaf = Code()
        self._line.drop(4)
        self._open.text(self._line.rest)
        return True

    def _begin_table(self) -> bool:
        """Starts a table with the held-back line as its header, if this line is a delimiter row."""
        if self._open.held is None or not self._open.ends or self._line.indent > 3:
            return False
        columns = syntax.alignments(self._line.text.rstrip(" \t"))
        if columns is None or len(columns) != len(syntax.cells(self._open.held)):
            return False
        header, self._open.held = self._open.held, None
        if self._open.leaf == Paragraph(begun=True):
            self._open.events.append(Close())
        self._open.leaf = Table(columns)
        self._open.events += [Open(self._open.leaf), Text(header)]
        return True

    def _begin_container(self, matched: int, *, whole: bool) -> bool:
        """Opens the quote or list item that the rest of the line starts with."""
        indent = self._line.indent
        if indent > 3 or len(self._open.stack) >= NESTING:
            return False
        rest = self._line.text
        if rest.startswith(">"):
            self._open.enter(Quote(), matched)
            self._take_quote_mark()
            return True
        found = syntax.marker(rest)
        if found is None or (self._open.ends and syntax.is_rule(rest)):
            return False
        empty = syntax.is_blank(rest[len(found.text) :])
        if whole and isinstance(self._open.leaf, Paragraph) and (empty or found.number not in (None, 1)):
            return False  # it may not interrupt a paragraph
        self._line.take(found.text)
        padding = self._line.indent
        if empty or padding > 4:
            padding = 1
        self._line.drop(padding)
        self._open.enter(Item(found, indent + len(found.text) + padding), matched)
        return True

    def _begin_leaf(self, matched: int) -> bool:
        """Opens the heading, rule, code block or formula that the rest of the line is."""
        if self._line.indent > 3:
            if self._line.is_blank or isinstance(self._open.leaf, Paragraph):
                return False
            self._open.open(Code(), matched)
            self._line.drop(4)
            self._open.text(self._line.rest)
            return True
        if not self._open.ends:
            return False
        indent, rest = self._line.indent, self._line.text
        if heading := syntax.heading(rest):
            self._open.open(Heading(*heading), matched)
            self._open.close_leaf()
        elif fence := syntax.fence(rest, indent):
            self._open.open(Code(fence), matched)
        elif syntax.is_rule(rest):
            self._open.open(Rule(), matched)
            self._open.close_leaf()
        elif closer := syntax.formula(rest):
            self._open.open(Formula(closer), matched)
            self._open.text(rest)
            if rest.rstrip(" \t").endswith(closer) and len(rest.rstrip(" \t")) > 2:
                self._open.close_leaf()
        else:
            return False
        return True
