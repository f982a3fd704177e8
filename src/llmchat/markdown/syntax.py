"""A cursor over a source line, and what its rest can be: markers, headings, fences, table rows.

The rules are CommonMark 0.31's and, for tables, those of GitHub Flavored Markdown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_BLANKS = " \t"
_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*))?$")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"(`{3,})([^`]*)$|(~{3,})(.*)$")
_BULLET = re.compile(r"[-+*](?=[ \t]|$)")
_NUMBER = re.compile(r"(\d{1,9})[.)](?=[ \t]|$)", re.ASCII)
_DELIMITERS = re.compile(r"(?:[|:]|-[-:|])[-:| \t]*$")
_DELIMITER = re.compile(r":?-+:?$")
_PIPE = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")
_FORMULA = re.compile(r"(\$\$|\\\[)(.*)$")


_NO_PROSE = re.compile(
    r"[ \t>]*(?:(?:[-+*]|\d{1,9}[.)])[ \t>]+)*(?:\#|```|~~~|[$]{2}|\\\[|[-+*_=:>\s]*$)", re.ASCII
)


class SourceLine:
    """The rest of a line, and the column that it starts in."""

    def __init__(self, rest: str) -> None:
        self.rest = rest
        self._column = 0

    @property
    def is_blank(self) -> bool:
        return not self.rest.strip(_BLANKS)

    @property
    def text(self) -> str:
        """The rest without its indentation."""
        return self.rest.lstrip(_BLANKS)

    @property
    def indent(self) -> int:
        """Columns of white space at the start of the rest."""
        at = self._column
        for character in self.rest:
            if character not in _BLANKS:
                break
            at += 1 if character == " " else 4 - at % 4
        return at - self._column

    def take(self, mark: str) -> None:
        """Moves past a mark and the white space before it."""
        self._column += self.indent + len(mark)
        self.rest = self.text[len(mark) :]

    def drop(self, columns: int) -> None:
        """Skips up to so many columns of white space; part of a tab may remain."""
        end = self._column + columns
        for index, character in enumerate(self.rest):
            if self._column >= end or character not in _BLANKS:
                self.rest = self.rest[index:]
                return
            width = 1 if character == " " else 4 - self._column % 4
            if self._column + width > end:
                self.rest = " " * (self._column + width - end) + self.rest[index + 1 :]
                self._column = end
                return
            self._column += width
        self.rest = ""


class Align(StrEnum):
    """The alignment of a column."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Marker:
    """A list marker: its text, and its number in an ordered list."""

    text: str
    number: int | None

    @property
    def kind(self) -> str:
        """The marker's character, the same for all items of a list."""
        return self.text[-1]


@dataclass(frozen=True, slots=True)
class Fence:
    """The opening line of a code fence; `indent` columns are removed from every line of code."""

    mark: str
    info: str
    indent: int

    def is_closed_by(self, line: str) -> bool:
        line = line.rstrip(_BLANKS)
        return len(line) >= len(self.mark) and not line.strip(self.mark[0])


def is_blank(line: str) -> bool:
    return not line.strip(_BLANKS)


def heading(line: str) -> tuple[int, str] | None:
    """Level and text of a heading."""
    if not (found := _HEADING.match(line)):
        return None
    text = (found[2] or "").strip(_BLANKS)
    bare = text.rstrip("#")
    return len(found[1]), text if bare and bare[-1] not in _BLANKS else bare.rstrip(_BLANKS)


def is_rule(line: str) -> bool:
    return _RULE.match(line) is not None


def fence(line: str, indent: int) -> Fence | None:
    if not (found := _FENCE.match(line)):
        return None
    return Fence(found[1] or found[3], (found[2] or found[4] or "").strip(_BLANKS), indent)


def marker(line: str) -> Marker | None:
    if found := _BULLET.match(line):
        return Marker(found[0], None)
    if found := _NUMBER.match(line):
        return Marker(found[0], int(found[1]))
    return None


def formula(line: str) -> str | None:
    r"""The end mark of the formula that this line opens: `$$` or `\]`, at the end of this or a later line.

    A `$$` followed by anything but TeX is text, unless the same line closes it.
    """
    if not (found := _FORMULA.match(line)):
        return None
    closer = "$$" if found[1] == "$$" else "\\]"
    rest = found[2].strip(_BLANKS)
    if closer in rest:
        return closer if rest.find(closer) == len(rest) - 2 > 0 else None
    return closer if closer != "$$" or not rest or rest.startswith("\\") else None


def is_prose(start: str) -> bool:
    """True if a line with this long start is running text, however it continues."""
    return "|" not in start and _NO_PROSE.match(start) is None


def cells(line: str, *, keep_code: bool = False) -> tuple[str, ...]:
    """The cells of a table row. A pipe inside a cell needs a backslash, in code as well.

    With `keep_code` code is not split, which differs from GitHub, but is mostly what is meant.
    """
    line = line.strip(_BLANKS)
    if keep_code:
        line = _CODE.sub(lambda code: _PIPE.sub(r"\\|", code[0]), line)
    parts = _PIPE.split(line)
    if parts and not parts[0]:
        parts.pop(0)
    if parts and not parts[-1]:
        parts.pop()
    return tuple(part.strip(_BLANKS).replace("\\|", "|") for part in parts)


def alignments(line: str) -> tuple[Align, ...] | None:
    """The columns of a table, if this is its delimiter row."""
    if not _DELIMITERS.match(line):
        return None
    parts = [part.strip(_BLANKS) for part in line.strip(_BLANKS).split("|")]
    if not parts[0]:
        parts.pop(0)
    if parts and not parts[-1]:
        parts.pop()
    if not parts or not all(_DELIMITER.match(part) for part in parts):
        return None
    return tuple(_align(part) for part in parts)


def _align(part: str) -> Align:
    if part.endswith(":"):
        return Align.CENTER if part.startswith(":") else Align.RIGHT
    return Align.LEFT


_ONLY_MARKERS = re.compile(
    r"""(?: [-+*_\#=~:\s]*                             # what may become a rule, a heading, a bullet
      | (?:[-+*]|\d{1,9}[.)]?) [ \t]* (?:\[[ xX]?\]?[ \t]*)?    # a list marker, a task box
      | (?:(?:[-+*]|\d{1,9}[.)])[ \t]+)* (?:```.*|~~~.*|`+|[$]+|\\\[?|\|.*)   # a fence, a formula, a table
    )$""",
    re.VERBOSE,
)


def is_undecided(line: str) -> bool:
    """True if an unfinished line has only marks whose meaning is still open."""
    return _ONLY_MARKERS.match(line.lstrip(" \t>")) is not None
