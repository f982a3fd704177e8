"""The rows of an unfinished reply that have scrolled out of the window: they must not be painted twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from llmchat.markdown import Row
from llmchat.markdown.rows import PLAIN, cut, make_row


class Scrollback:
    """Rows that scrolled out of the window while they could still change.

    Their text is kept without blanks: at another width rows end elsewhere, at other blanks.
    """

    def __init__(self) -> None:
        self._text = ""

    def add(self, texts: Iterable[str]) -> None:
        """These rows have scrolled out of the window."""
        self._text += _without_blanks(texts)

    def clear(self) -> None:
        """Forgets all rows: a new reply begins."""
        self._text = ""

    def skip(self, done: Sequence[Row], rest: Sequence[Row]) -> tuple[Sequence[Row], Sequence[Row]]:
        """The final rows and the rest, without those that have scrolled out of the window.

        From the first row that has changed since, all are shown again: nothing is lost.
        """
        if not self._text:
            return done, rest
        rows = [*done, *rest]
        count, part = self._count_same(rows)
        if count < len(rows):
            self._text = self._text[: len(_without_blanks(row.text for row in rows[:count])) + part]
        final = len(_without_blanks(row.text for row in done))
        self._text = self._text[final:] if count >= len(done) else ""
        if part:
            rows[count] = _cut_start(rows[count], part)
        return rows[count : len(done)], rows[max(count, len(done)) :]

    def _count_same(self, rows: Sequence[Row]) -> tuple[int, int]:
        """How many whole rows, and how many characters of the next one, are in the text, without blanks.

        No characters if that row differs.
        """
        at = 0
        for count, row in enumerate(rows):
            own = _without_blanks([row.text])
            if not self._text.startswith(own, at):
                rest = self._text[at:]
                return count, len(rest) if own.startswith(rest) else 0
            at += len(own)
        return len(rows), 0


def _without_blanks(texts: Iterable[str]) -> str:
    """The text of these rows without blanks; an empty row counts as one character."""
    return "".join("".join(text.split()) or "\n" for text in texts)


def _cut_start(row: Row, count: int) -> Row:
    """The row without its first `count` characters, blanks not counted."""
    found = re.match(rf"(?:\s*\S){{{count}}}\s*", row.text)
    start = found.end() if found else 0
    runs = tuple((text, style or PLAIN) for text, style, _ in row.segments)
    return make_row(cut(runs, [(start, len(row.text))])[0], joined=row.joined)
