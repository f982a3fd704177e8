"""Which rows the scrollback has already, by their letters: only the ends of rows move with the width."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from llmchat.markdown import Row
from llmchat.markdown.rows import PLAIN, cut, make_row


def letters(texts: Iterable[str]) -> str:
    """All of these rows but the blanks, of which there are others at another width; an empty row counts."""
    return "".join("".join(text.split()) or "\n" for text in texts)


def covered(rows: Sequence[Row], gone: str) -> tuple[int, int]:
    """How many of the rows these letters begin with, and how many letters of the next one are the rest.

    No letter is where that row says something else.
    """
    at = 0
    for count, row in enumerate(rows):
        own = letters([row.text])
        if not gone.startswith(own, at):
            rest = gone[at:]
            return count, len(rest) if own.startswith(rest) else 0
        at += len(own)
    return len(rows), 0


def behind(row: Row, count: int) -> Row:
    """What is left of a row behind so many letters."""
    found = re.match(rf"(?:\s*\S){{{count}}}\s*", row.text)
    start = found.end() if found else 0
    runs = tuple((text, style or PLAIN) for text, style, _ in row.segments)
    return make_row(cut(runs, [(start, len(row.text))])[0], joined=row.joined)
