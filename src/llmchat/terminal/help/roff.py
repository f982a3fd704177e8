"""Pages as a manual page, in roff's man(7). Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator

from llmchat.terminal.help.page import Block, HelpHeading, HelpPage, HelpRows, HelpText, Lines

_SPECIAL = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    '"': r"\(dq",
}


def to_roff(name: str, version: str, pages: Iterable[HelpPage]) -> str:
    """A manual page of section 1 with each page as a section of it."""
    lines = [
        f'.\\" Written by `{name} help --man`.',
        f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"',
        ".nh",
        ".ad l",
    ]
    for page in pages:
        lines.append(f".SH {_escape(page.name.replace('-', ' ').upper())}")
        fresh = True  # a paragraph begins by itself
        for block in page.blocks:
            lines.extend(_write(block, fresh=fresh))
            fresh = isinstance(block, HelpHeading)
    return "\n".join(lines) + "\n"


def _write(block: Block, *, fresh: bool) -> Iterator[str]:
    paragraph = [] if fresh else [".PP"]
    match block:
        case HelpHeading(text):
            yield f".SS {_escape(text)}"
        case HelpText(text):
            yield from (*paragraph, *_fill(text))
        case Lines(text):
            yield from (*paragraph, ".RS 4", ".nf", *map(_line, text.split("\n")), ".fi", ".RE")
        case HelpRows(rows):
            for term, meaning in rows:
                yield from (".TP", f"\\fB{_escape(term)}\\fR")
                yield from _fill(meaning)


def _fill(text: str) -> Iterator[str]:
    return map(_line, textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False))


def _line(text: str) -> str:
    """A line that begins no request."""
    escaped = _escape(text)
    return f"\\&{escaped}" if escaped.startswith(".") or not escaped else escaped


def _escape(text: str) -> str:
    return re.sub(r"[\\\-'`^~\"]", lambda found: _SPECIAL[found[0]], text)
