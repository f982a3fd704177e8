"""Source text, piece by piece -> block events: one reader for the terminal, the HTML export and `/code`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmchat.markdown.blocks import Blocks
from llmchat.markdown.structure import Close, Code, Enter, Event, Item, Open, Paragraph, Quote, Text
from llmchat.markdown.syntax import is_blank, is_prose, is_undecided
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


class BlockReader:
    """Reads growing Markdown. Nothing in an event is unsanitized.

    All events together are what reading the whole text at once gives, however it was cut into pieces.
    """

    def __init__(self) -> None:
        self._newlines = Newlines()
        self._line = ""  # the source of the last line, as far as it has not been read
        self._begins = True
        self._blocks = Blocks()

    def read(self, text: str) -> list[Event]:
        """The next piece of the text: reads all complete lines, and the parts of an overlong one."""
        *lines, self._line = (self._line + sanitize(self._newlines.feed(text))).split("\n")
        events: list[Event] = []
        for line in lines:
            last = self._read_parts(line, events)
            self._read_line(last, events, ends=True)
        self._line = self._read_parts(self._line, events)
        return events

    def finish(self) -> list[Event]:
        """The text is complete: reads the rest. Nothing may be read after it."""
        events: list[Event] = []
        if self._line or not self._begins:
            self._read_line(self._line, events, ends=True)
        events += self._blocks.end()
        self._line, self._begins, self._blocks = "", True, Blocks()
        return events

    def preview(self) -> list[Event]:
        """What the unfinished line would do as it is, if it says what it is, and a line that is held back."""
        after = self._blocks
        events: list[Event] = []
        if self._says_something():
            after, events = after.read(self._line, begins=self._begins)
            if events[-1:] == [Close()]:
                events.pop()  # the line may go on, and what it began with it
        if after.held is not None and not after.held.startswith("|"):  # else it is likely a table's header
            events += [event for event in after.end() if isinstance(event, Open | Text)]
        return events

    def _read_parts(self, line: str, events: list[Event]) -> str:
        """Reads all of an overlong line but its last part, which it returns."""
        start = 0
        while len(line) - start > (limit := self._limit(line, start)):
            self._read_line(line[start : start + limit], events, ends=False)
            start += limit
        return line[start:]

    def _limit(self, line: str, start: int) -> int:
        """How long the next part is. It follows from the line alone, not from the pieces it came in."""
        if not isinstance(self._blocks.leaf, Paragraph | None):
            return LINE_LIMIT
        goes_on = not self._begins
        return PROSE_LIMIT if goes_on or is_prose(line[start : start + PROSE_LIMIT]) else LINE_LIMIT

    def _read_line(self, line: str, events: list[Event], *, ends: bool) -> None:
        self._blocks, more = self._blocks.read(line, begins=self._begins, ends=ends)
        self._begins = ends
        events += more

    def _says_something(self) -> bool:
        """Whether the unfinished line is worth showing: more than marks that may turn out to be others."""
        leaf = self._blocks.leaf
        if is_blank(self._line) or not self._begins:
            return bool(self._line)
        if isinstance(leaf, Code) and leaf.fence is not None:
            return bool(self._line.strip(f" \t>{leaf.fence.mark[0]}"))
        return not is_undecided(self._line)


def split_code(text: str) -> Iterator[str | CodeBlock]:
    """The code blocks of a whole text, in the order of the numbers shown with them, and what is between them.

    That is lines as they are written, unsanitized, less the fences. The marker of a list item or a quote
    that begins with a code block becomes a line of its own.
    """
    reader, splitter = BlockReader(), _CodeSplitter()
    for line in Newlines().feed(text).removesuffix("\n").split("\n"):
        yield from splitter.take(line, reader.read(f"{line}\n"))
    yield from splitter.take(None, reader.finish())
    yield splitter.take_between()


def read_code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The code blocks of a whole reply, in the order of the numbers shown with them."""
    return tuple(part for part in split_code(text) if isinstance(part, CodeBlock))


class _CodeSplitter:
    """The lines since the last code block, and the text of the open one."""

    def __init__(self) -> None:
        self._between: list[str] = []
        self._open: Code | None = None
        self._code: list[str] = []

    def take(self, line: str | None, events: Sequence[Event]) -> Iterator[str | CodeBlock]:
        """The next line, None at the end, and what it does; gives out what is complete."""
        ends_fence = self._open is not None and self._open.fence is not None and events == [Close()]
        for event in events:
            match event:
                case Open(Code() as code):
                    if line is not None and any(isinstance(each, Enter) for each in events):
                        self._between.append(_markers(line, events))
                    yield self.take_between()
                    self._open, self._code = code, []
                case Text(text, begins, _) if self._open is not None:
                    self._code.append(f"\n{text}" if begins and self._code else text)
                case Close() if self._open is not None:
                    yield CodeBlock(self._open.language, "".join(self._code))
                    self._open = None
        if line is not None and self._open is None and not ends_fence:
            self._between.append(line)

    def take_between(self) -> str:
        text = "\n".join(self._between)
        self._between.clear()
        return text


def _markers(line: str, events: Sequence[Event]) -> str:
    """The markers of the items and quotes that begin on this line, as far in as the first of them."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    markers = []
    for event in events:
        match event:
            case Enter(Item(marker)):
                markers.append(marker.text)
            case Enter(Quote()):
                markers.append(">")
    return indent + " ".join(markers)
