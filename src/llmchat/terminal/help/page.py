"""A help page as values, and its layout as plain text of a given width. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

WIDEST = 96
"""Maximum line length in columns; longer lines are hard to read."""

_TERM = 24  # columns of the longest term that has its meaning beside it
_NARROW = 60  # columns of a window that has no room for that
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class HelpText:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class HelpRows:
    """Terms, each with its meaning."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are not wrapped."""

    text: str


@dataclass(frozen=True, slots=True)
class HelpHeading:
    """A heading inside a page."""

    text: str


Block = HelpText | HelpRows | Lines | HelpHeading


@dataclass(frozen=True, slots=True)
class HelpPage:
    """The page of one topic."""

    name: str
    about: str  # in a line
    blocks: tuple[Block, ...]


def to_text(page: HelpPage, columns: int) -> str:
    """The page in lines that fit the window, unless a single word is longer."""
    width = max(12, min(columns, WIDEST) - 1)
    return "\n".join("\n".join(_lay_out(block, width)) + "\n" for block in page.blocks)


def _lay_out(block: Block, width: int) -> Iterator[str]:
    match block:
        case HelpHeading(text):
            yield from _fill(f"{text}:", width)
        case HelpText(text):
            yield from _fill(text, width)
        case Lines(text):
            yield from (f"{_INDENT}{line}".rstrip() for line in text.split("\n"))
        case HelpRows(rows):
            beside = [len(term) for term, _ in rows if len(term) <= _TERM]
            indent = max(beside, default=0) + 2 if width >= _NARROW else len(_INDENT)
            for term, meaning in rows:
                yield from _row(term, meaning, indent, width)


def _row(term: str, meaning: str, indent: int, width: int) -> Iterator[str]:
    """The meaning beside its term if there is room, else below it."""
    lines = _fill(meaning, width - indent)
    if len(term) + 2 <= indent:
        yield f"{term:<{indent}}{lines.pop(0) if lines else ''}".rstrip()
    else:
        yield from _fill(term, width)
    yield from (" " * indent + line for line in lines)


def _fill(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
