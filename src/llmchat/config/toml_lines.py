"""On which line of a TOML text a key stands, which tomllib does not say. Only for text that tomllib read."""

from __future__ import annotations

import re
from collections.abc import Iterator

Keys = tuple[str, ...]

_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'  # two more quotes may belong to the text
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


class TomlLines:
    """The lines of the keys and tables of one text, counted from 1."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Keys, int] = {}
        for keys, line in _scan(text):
            self._lines.setdefault(keys, line)

    def line(self, *keys: str) -> int:
        """Where this key stands, or what it stands in, as an inline table."""
        for length in range(len(keys), 0, -1):
            if found := self._lines.get(keys[:length]):
                return found
        return 1


def _scan(text: str) -> Iterator[tuple[Keys, int]]:
    table: Keys = ()
    for number, line in enumerate(_STRING_OR_COMMENT.sub(_blank, text).split("\n"), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield table, number
        elif assignment := _ASSIGNMENT.match(line):
            yield (*table, *_parts(assignment[1])), number


def _blank(found: re.Match[str]) -> str:
    """Nothing of a comment, and of a text of several lines only their ends; a short text may be a key."""
    text = found[0]
    if text.startswith("#"):
        return ""
    return "\n" * text.count("\n") if text.startswith(('"""', "'''")) else text


def _parts(dotted: str) -> Keys:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
