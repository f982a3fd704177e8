"""Paints rows at the bottom of a terminal: final ones once, the others as often as they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.color import ColorSystem

from llmchat.terminal.markdown import Row

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # synchronized output: the terminal shows a frame at once
_WRAP, _NO_WRAP = "\x1b[?7h", "\x1b[?7l"
_ERASE_BELOW = "\x1b[J"
_EMPTY = Row()


class Painter:
    """The rows of a reply that may still change, and the cursor at the end of the last of them.

    One write a frame. The cursor is never hidden, nothing above the live rows is ever touched, and
    whatever a row is wider than its measure the terminal cuts off instead of wrapping it.
    """

    def __init__(self, write: Callable[[str], None], *, columns: int) -> None:
        self._write = write
        self._columns = columns
        self._live = [_EMPTY]
        self._reflowed: int | None = None  # rows that the live ones take after the window changed its width

    def paint(self, done: Sequence[Row], tail: Sequence[Row]) -> None:
        """Shows these rows in the place of the live ones; from now on only the tail is live."""
        rows = [*done, *(tail or [_EMPTY])]
        frame = self._repaint(rows) if self._reflowed else self._change(rows)
        self._live, self._reflowed = rows[len(done) :], None
        if frame:
            self._write(frame)

    def finish(self) -> None:
        """Leaves the cursor at the beginning of the row below all that was painted."""
        if self._live != [_EMPTY]:
            self._write("\r\n")
        self._live, self._reflowed = [_EMPTY], None

    def clear(self) -> None:
        """Takes the live rows off the screen; the next frame paints them again where the cursor is then."""
        if self._live != [_EMPTY]:
            self._write(_up(len(self._live) - 1) + _ERASE_BELOW)
        self._live, self._reflowed = [_EMPTY], None

    def resize(self, columns: int) -> None:
        """The window has another width now, for which the terminal has laid out its rows anew."""
        self._columns = columns
        self._reflowed = sum(max(1, -(-row.cells // columns)) for row in self._live)

    def _repaint(self, rows: Sequence[Row]) -> str:
        assert self._reflowed is not None, "only after a resize"
        return _BEGIN + _up(self._reflowed - 1) + _ERASE_BELOW + self._lines(rows) + _END

    def _change(self, rows: Sequence[Row]) -> str:
        last = len(self._live) - 1
        same = 0
        while same <= last and same < len(rows) and rows[same] == self._live[same]:
            same += 1
        if same > last and len(rows) == same:
            return ""
        if same >= last and last < len(rows) and not rows[last].joined:
            grown = self._growth(self._live[last], rows[last])
            if grown is not None:
                return self._append(grown, rows[last + 1 :], wide=not rows[last].text.isascii())
        first = min(same, last, len(rows) - 1)
        return _BEGIN + _up(last - first) + _ERASE_BELOW + self._lines(rows[first:]) + _END

    def _growth(self, before: Row, after: Row) -> str | None:
        """What has to be written behind the one row to make the other of it; None where that cannot be."""
        common = len(before.segments)
        if after.segments[:common] == before.segments:
            return styled(Row(after.segments[common:]))
        *head, end = before.segments
        if after.segments[: common - 1] != tuple(head) or len(after.segments) < common:
            return None
        grown = after.segments[common - 1]
        if grown.style != end.style or not grown.text.startswith(end.text):
            return None
        rest = grown._replace(text=grown.text[len(end.text) :])
        return styled(Row((rest, *after.segments[common:])))

    def _append(self, grown: str, rows: Sequence[Row], *, wide: bool) -> str:
        if not rows and not wide:
            return grown
        more = f"\r\n{self._rows(rows)}" if rows else ""
        return f"{_BEGIN}{_NO_WRAP}{grown}{more}{_WRAP}{_END}"

    def _lines(self, rows: Sequence[Row]) -> str:
        return f"{_NO_WRAP}{self._rows(rows)}{_WRAP}"

    def _rows(self, rows: Sequence[Row]) -> str:
        """Rows one below the other, written without wrapping but where one goes on with the one before."""
        parts: list[str] = []
        wraps = False
        for at, row in enumerate(rows):
            goes_on = at > 0 and self._wraps(rows[at - 1])
            if at and not goes_on:
                parts.append("\r\n")
            if (goes_on or self._wraps(row)) != wraps:
                wraps = not wraps
                parts.append(_WRAP if wraps else _NO_WRAP)
            parts.append(styled(row))
        return "".join(parts) + (_NO_WRAP if wraps else "")

    def _wraps(self, row: Row) -> bool:
        return row.joined and row.cells == self._columns


def styled(row: Row) -> str:
    """The text of a row with its colours, and nothing else that a terminal obeys."""
    return "".join(
        style.render(text, color_system=ColorSystem.STANDARD) if style else text
        for text, style, _ in row.segments
    )


def _up(rows: int) -> str:
    return f"\r\x1b[{rows}A" if rows else "\r"
