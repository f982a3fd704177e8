"""Reads Markdown piece by piece into block events, for the terminal, the HTML export and `/code`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmchat.markdown.blocks import Blocks
from llmchat.markdown.structure import Close, Code, Enter, Event, Item, Open, Paragraph, Quote, Text
from llmchat.markdown.syntax import is_blank, is_prose, is_undecided
from llmchat.sanitize import Newlines, sanitize

LINE_LIMIT = 2000
"""Longest line, in characters, that is read as a whole; a longer one is read in parts."""

PROSE_LIMIT = 300
"""The same for running text, so that a paragraph on a single line becomes final while it grows."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A code block of a reply: the language of its fence, in lower case, and its text."""

    language: str
    text: str


class BlockReader:
    """Reads growing Markdown. All text in events is sanitized.

    The events do not depend on how the text was split into pieces.
    """

    def __init__(self) -> None:
        self._newlines = Newlines()
        self._line = ""  # the unread part of the last line
        self._begins = True
        self._blocks = Blocks()

    def read(self, text: str) -> list[Event]:
        """Takes the next piece; reads all complete lines, and parts of an overlong one."""
        *lines, self._line = (self._line + sanitize(self._newlines.feed(text))).split("\n")
        events: list[Event] = []
        for line in lines:
            last = self._read_parts(line, events)
            self._read_line(last, events, ends=True)
        self._line = self._read_parts(self._line, events)
        return events

    def finish(self) -> list[Event]:
        """Ends the text: reads the rest. Nothing may be read after it."""
        events: list[Event] = []
        if self._line or not self._begins:
            self._read_line(self._line, events, ends=True)
        events += self._blocks.end()
        self._line, self._begins, self._blocks = "", True, Blocks()
        return events

    def preview(self) -> list[Event]:
        """The events of the unfinished line, if its kind is clear, and of a held-back line."""
        after = self._blocks
        events: list[Event] = []
        if self._says_something():
            after, events = after.read(self._line, begins=self._begins)
            if events[-1:] == [Close()]:
                events.pop()  # the line may continue, and so may the block that it started
        if after.held is not None and not after.held.startswith("|"):  # else it is probably a table's header
            events += [event for event in after.end() if isinstance(event, Open | Text)]
        return events

    def _read_parts(self, line: str, events: list[Event]) -> str:
        """Reads an overlong line except its last part, which it returns."""
        start = 0
        while len(line) - start > (limit := self._limit(line, start)):
            self._read_line(line[start : start + limit], events, ends=False)
            start += limit
        return line[start:]

    def _limit(self, line: str, start: int) -> int:
        """The length of the next part. It depends on the line only, not on the pieces."""
        if not isinstance(self._blocks.leaf, Paragraph | None):
            return LINE_LIMIT
        goes_on = not self._begins
        return PROSE_LIMIT if goes_on or is_prose(line[start : start + PROSE_LIMIT]) else LINE_LIMIT

    def _read_line(self, line: str, events: list[Event], *, ends: bool) -> None:
        self._blocks, more = self._blocks.read(line, begins=self._begins, ends=ends)
        self._begins = ends
        events += more

    def _says_something(self) -> bool:
        """True if the unfinished line can be shown: it is more than marks whose meaning is still open."""
        leaf = self._blocks.leaf
        if is_blank(self._line) or not self._begins:
            return bool(self._line)
        if isinstance(leaf, Code) and leaf.fence is not None:
            return bool(self._line.strip(f" \t>{leaf.fence.mark[0]}"))
        return not is_undecided(self._line)


def split_code(text: str) -> Iterator[str | CodeBlock]:
    """The code blocks of a whole text, in the order of their numbers, and the text between them.

    The text is unchanged, without the fences. The marker of a list item or quote that starts with a code
    block becomes a line of its own.
    """
    reader, splitter = BlockReader(), _CodeSplitter()
    for line in Newlines().feed(text).removesuffix("\n").split("\n"):
        yield from splitter.take(line, reader.read(f"{line}\n"))
    yield from splitter.take(None, reader.finish())
    yield splitter.take_between()


def read_code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The code blocks of a whole reply, in the order of their numbers."""
    return tuple(part for part in split_code(text) if isinstance(part, CodeBlock))


class _CodeSplitter:
    """The lines since the last code block, and the text of the open one."""

    def __init__(self) -> None:
        self._between: list[str] = []
        self._open: Code | None = None
        self._code: list[str] = []

    def take(self, line: str | None, events: Sequence[Event]) -> Iterator[str | CodeBlock]:
        """Takes the next line, None at the end, and its events; yields what is complete."""
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
    """The markers of the items and quotes that start on this line, with their indentation."""
    indent = line[: len(line) - len(line.lstrip(" \t"))]
    markers = []
    for event in events:
        match event:
            case Enter(Item(marker)):
                markers.append(marker.text)
            case Enter(Quote()):
                markers.append(">")
    return indent + " ".join(markers)
