"""A reply's text, piece by piece -> rows that are final and rows that are not; writes to no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from llmchat.markdown.blocks import Blocks
from llmchat.markdown.highlight import Highlighter, Lexer
from llmchat.markdown.inline import Inline
from llmchat.markdown.layout import Layout
from llmchat.markdown.leaves import Page
from llmchat.markdown.rows import Row
from llmchat.markdown.structure import Close, Code, Event, Open, Paragraph, Text
from llmchat.markdown.syntax import is_blank, is_prose, is_undecided
from llmchat.markdown.theme import Theme
from llmchat.sanitize import Newlines, sanitize

LINE_LIMIT = 2000
"""Characters of a line that are waited for; a longer line is read in parts."""

PROSE_LIMIT = 300
"""The same for running text, whose rows are then final while a paragraph, all one line, still grows."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block of a reply: the language its fence names, in lower case, and its text."""

    language: str
    text: str


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
        self._newlines = Newlines()
        self._pieces: list[str] = []
        self._line = ""  # the source of the last line, as far as it has not been read
        self._begins = True
        self._blocks = Blocks()
        self._layout = Layout()
        self._code: list[str] | None = None
        self._language = ""
        self._code_blocks: list[CodeBlock] = []

    @property
    def code_blocks(self) -> tuple[CodeBlock, ...]:
        """The code blocks that are complete, in the order of the numbers shown with them, from 1 on."""
        return tuple(self._code_blocks)

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
        done = self._read()
        if self._line or not self._begins:
            done += self._read_line(self._line, ends=True)
        done += self._take(self._blocks.end())
        self._line, self._begins, self._blocks = "", True, Blocks()
        return tuple(done)

    def limit_tail(self, rows: int) -> None:
        """The tail has at most this many rows from now on: its last ones."""
        self._max_tail_rows = rows

    def resize(self, width: int) -> None:
        """The rows to come, those of the tail among them, have at most this many cells."""
        self._page = replace(self._page, width=max(1, width))

    def _read(self) -> list[Row]:
        """Reads all complete lines, and the parts of an overlong one."""
        fed = sanitize(self._newlines.feed("".join(self._pieces)))
        self._pieces.clear()
        *lines, self._line = (self._line + fed).split("\n")
        done: list[Row] = []
        for line in lines:
            last = self._read_parts(line, done)
            done += self._read_line(last, ends=True)
        self._line = self._read_parts(self._line, done)
        return done

    def _read_parts(self, line: str, done: list[Row]) -> str:
        """Reads all of an overlong line but its last part, which it returns."""
        start = 0
        while len(line) - start > (limit := self._limit(line, start)):
            done += self._read_line(line[start : start + limit], ends=False)
            start += limit
        return line[start:]

    def _limit(self, line: str, start: int) -> int:
        """How long the next part is. It follows from the line alone, not from the pieces it came in."""
        if not isinstance(self._blocks.leaf, Paragraph | None):
            return LINE_LIMIT
        goes_on = not self._begins
        return PROSE_LIMIT if goes_on or is_prose(line[start : start + PROSE_LIMIT]) else LINE_LIMIT

    def _read_line(self, line: str, *, ends: bool) -> list[Row]:
        self._blocks, events = self._blocks.read(line, begins=self._begins, ends=ends)
        self._begins = ends
        return self._take(events)

    def _take(self, events: Iterable[Event]) -> list[Row]:
        done: list[Row] = []
        for event in events:
            self._collect(event)
            self._layout, rows = self._layout.take(event, self._page)
            done += rows
        return done

    def _collect(self, event: Event) -> None:
        """Keeps what code blocks say."""
        match event:
            case Open(Code() as code):
                self._code, self._language = [], code.language
            case Text(text, begins, _) if self._code is not None:
                self._code.append(f"\n{text}" if begins and self._code else text)
            case Close() if self._code is not None:
                self._code_blocks.append(CodeBlock(self._language, "".join(self._code)))
                self._code = None

    def _preview(self) -> list[Row]:
        """The rows that are not final: what is open, and the unfinished line if it says what it is."""
        layout, rows = self._layout, []
        for event in self._pending():
            layout, more = layout.take(event, self._page)
            rows += more
        rows += layout.open_rows(self._page)
        while rows and rows[-1] == Row():
            rows.pop()
        return rows

    def _pending(self) -> list[Event]:
        after = self._blocks
        events: list[Event] = []
        if self._says_something():
            after, events = after.read(self._line, begins=self._begins)
            if events[-1:] == [Close()]:
                events.pop()  # the line may go on, and what it began with it
        if after.held is not None and not after.held.startswith("|"):  # else it is likely a table's header
            events += [event for event in after.end() if isinstance(event, Open | Text)]
        return events

    def _says_something(self) -> bool:
        """Whether the unfinished line is worth showing: more than marks that may turn out to be others."""
        leaf = self._blocks.leaf
        if is_blank(self._line) or not self._begins:
            return bool(self._line)
        if isinstance(leaf, Code) and leaf.fence is not None:
            return bool(self._line.strip(f" \t>{leaf.fence.mark[0]}"))
        return not is_undecided(self._line)


def read_code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The code blocks of a whole reply, in the order of the numbers shown with them."""
    stream = MarkdownStream(80, theme=Theme({}))
    stream.feed(text)
    stream.finish()
    return stream.code_blocks
