"""A line being read from its left, in columns; tabs stop at every fourth. Knows no marker."""

from __future__ import annotations

_BLANKS = " \t"


class SourceLine:
    """The rest of a line, and the column it begins in."""

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
        """Columns of white space that the rest begins with."""
        at = self._column
        for character in self.rest:
            if character not in _BLANKS:
                break
            at += 1 if character == " " else 4 - at % 4
        return at - self._column

    def take(self, mark: str) -> None:
        """Moves behind a mark, and the white space before it."""
        self._column += self.indent + len(mark)
        self.rest = self.text[len(mark) :]

    def drop(self, columns: int) -> None:
        """Moves so many columns of white space further, if there are as many; a tab may be left in part."""
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
