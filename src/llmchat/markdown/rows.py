"""Wraps styled runs into rows of a given width; knows neither Markdown nor a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style

from llmchat.sanitize import REPLACEMENT

Run = tuple[str, Style]
Runs = tuple[Run, ...]
PLAIN = Style.null()
Span = tuple[int, int]
"""Start and end of a row in the text."""

_WORD = re.compile(" +|[^ ]+")
_CLOSING = frozenset(
    "\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\uff09\u300d\u300f\u3011\u300b\u3009"
    ",.!?:;)]}\u201d\u2019"
)
_OPENING = frozenset("\uff08\u300c\u300e\u3010\u300a\u3008([{\u201c\u2018")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the screen: styled text without newline, control character or trailing blank.

    A `joined` row fills the width, and the next one continues the same line of code: a painter may let the
    terminal wrap there, so that it is copied as one line.
    """

    segments: tuple[Segment, ...] = ()
    joined: bool = False

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)

    @property
    def cells(self) -> int:
        """Its width in cells."""
        return cell_len(self.text)


def make_row(runs: Iterable[Run], *, joined: bool = False) -> Row:
    """A row of these runs: merges equal styles, strips trailing blanks unless it is joined to the next."""
    merged = [
        ("".join(text for text, _ in group), style) for style, group in groupby(runs, key=itemgetter(1))
    ]
    while merged and not joined:
        text, style = merged.pop()
        if text := text.rstrip(" "):
            merged.append((text, style))
            break
    return Row(tuple(Segment(text, style or None) for text, style in merged if text), joined)


def plain(runs: Runs) -> str:
    """The text of the runs."""
    return "".join(text for text, _ in runs)


def cut(runs: Runs, spans: Sequence[Span]) -> list[Runs]:
    """The parts of the runs in these spans, which are in order and do not overlap."""
    parts: list[Runs] = []
    index, begin = 0, 0  # the run in which the next span starts, and the start of that run in the text
    for start, end in spans:
        part: list[Run] = []
        while index < len(runs):
            text, style = runs[index]
            if piece := text[max(start - begin, 0) : max(end - begin, 0)]:
                part.append((piece, style))
            if begin + len(text) > end:
                break
            begin += len(text)
            index += 1
        parts.append(tuple(part))
    return parts


def lay(runs: Runs, width: int) -> list[Runs]:
    """The runs in rows of whole words, at most `width` cells each."""
    runs = fit(runs, width)
    return cut(runs, wrap(plain(runs), width))


def fit(runs: Runs, width: int) -> Runs:
    """The runs without characters that are wider than the row; none are at a width of two or more."""
    if width > 1:
        return runs
    return tuple((_narrow(text), style) for text, style in runs)


def _narrow(text: str) -> str:
    if text.isascii():
        return text
    spans, _ = split_graphemes(text)
    return "".join(REPLACEMENT if cells > 1 else text[start:end] for start, end, cells in spans)


def fold(text: str, width: int) -> list[Span]:
    """Spans of exactly `width` cells as far as characters allow, the last one shorter: for code."""
    if text.isascii():
        return [(at, min(at + width, len(text))) for at in range(0, len(text), width)] or [(0, 0)]
    spans: list[Span] = []
    begin, used = 0, 0
    for start, _, cells in split_graphemes(text)[0]:
        if used + cells > width and start > begin:
            spans.append((begin, start))
            begin, used = start, 0
        used += cells
    return [*spans, (begin, len(text))]


def wrap(text: str, width: int) -> list[Span]:
    """Spans of whole words, at most `width` cells each. Never empty; a newline ends a row.

    Greedy, so that only the last row can change when text is appended.
    """
    spans: list[Span] = []
    begin = 0
    for line in text.split("\n"):
        spans += [(begin + start, begin + end) for start, end in _wrap_line(line, width)]
        begin += len(line) + 1
    return spans


def _wrap_line(line: str, width: int) -> Iterator[Span]:
    begin, used, at = 0, 0, 0
    for size, cells, blank in _units(line):
        if not blank and used + cells > width:
            if at > begin:
                yield begin, at
                begin, used = at, 0
            if cells > width:
                *full, (start, end) = fold(line[at : at + size], width)
                yield from ((at + first, at + last) for first, last in full)
                begin, cells = at + start, cell_len(line[at + start : at + end])
        used += cells
        at += size
    yield begin, len(line)


def _units(line: str) -> Iterator[tuple[int, int, bool]]:
    """The units that are not broken: characters, cells, and whether it is blank."""
    for found in _WORD.finditer(line):
        word = found[0]
        if word.isascii():
            yield len(word), len(word), word[0] == " "
        else:
            yield from ((size, cells, False) for size, cells in _wide_units(word))


def _wide_units(word: str) -> Iterator[tuple[int, int]]:
    """Parts of a word: it may break at a two-cell character, but not before closing punctuation."""
    size, total, before = 0, 0, 0
    last = ""
    for start, end, cells in split_graphemes(word)[0]:
        may_break = size and 2 in (before, cells)
        if may_break and word[start] not in _CLOSING and last not in _OPENING:
            yield size, total
            size, total = 0, 0
        size += end - start
        total += cells
        before, last = cells, word[start]
    if size:
        yield size, total
