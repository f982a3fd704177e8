"""Paints rows at the bottom of a terminal: final rows once, unfinished ones as often as they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from rich.color import ColorSystem

from llmchat.markdown import Row
from llmchat.markdown.rows import fold
from llmchat.terminal.reply.scrollback import Scrollback

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"  # synchronized output: the terminal shows a frame at once
_WRAP, _NO_WRAP = "\x1b[?7h", "\x1b[?7l"
_ERASE_BELOW = "\x1b[J"
_EMPTY = Row()


class Painter:
    """The live rows: those of a reply that may still change. The cursor is at the end of the last one.

    One write per frame. The cursor is never hidden, nothing above the live rows is ever touched, and
    the terminal cuts off a row that is wider than was measured, instead of wrapping it.
    Live rows that scroll out of a shrinking window count as painted: they cannot be reached any more.

    With `reflows` the terminal rewraps its rows when the window changes its width, as most do.
    """

    def __init__(self, write: Callable[[str], None], *, columns: int, reflows: bool = True) -> None:
        self._write = write
        self._columns = columns
        self._reflows = reflows
        self._live = [_EMPTY]
        self._before = ""  # the final part of the line of code that the first live row goes on with
        self._move: str | None = None  # of the cursor to the first live row, after the width has changed
        self._scrollback = Scrollback()

    def paint(self, done: Sequence[Row], tail: Sequence[Row], hidden: Sequence[Row] = ()) -> None:
        """Replaces the live rows by these; from now on only the tail is live.

        The hidden rows between them do not fit the window.
        """
        room = len(tail)
        done, tail = self._scrollback.skip(done, [*hidden, *tail])
        tail = tail[max(0, len(tail) - room) :]
        rows = [*done, *(tail or [_EMPTY])]
        frame = self._change(rows) if self._move is None else self._frame(self._move, rows)
        self._before = self._line_before(done, rows[len(done)])
        self._live, self._move = rows[len(done) :], None
        if frame:
            self._write(frame)

    def finish(self) -> None:
        """Moves the cursor to the beginning of the row below the last painted one."""
        if self._live != [_EMPTY]:
            self._write("\r\n")
        self._forget()
        self._scrollback.clear()

    def clear(self) -> None:
        """Clears the live rows; the next frame paints them again, at the cursor's position then."""
        if self._live != [_EMPTY]:
            self._write(_up(len(self._live) - 1) + _ERASE_BELOW)
        self._forget()

    def resize(self, columns: int, rows: int) -> None:
        """The window has changed its size; the terminal may have rewrapped its rows.

        A frame has to follow before the next change.
        """
        reach = max(1, rows - 1)
        if columns != self._columns and self._reflows:
            self._move = self._move_to_live_rows(columns, reach)
        else:
            self._scroll_out(len(self._live) - reach, whole=columns >= self._columns)
            if columns != self._columns:
                self._move = _up(len(self._live) - 1)
        self._columns = columns

    def _scroll_out(self, count: int, *, whole: bool) -> None:
        """The first `count` live rows have left the window; if `whole`, they are in the scrollback."""
        if count <= 0:
            return
        above, self._live = self._live[:count], self._live[count:]
        self._before = self._line_before(above, self._live[0])
        if whole:
            self._scrollback.add(row.text for row in above)

    def _forget(self) -> None:
        self._live, self._before, self._move = [_EMPTY], "", None

    def _move_to_live_rows(self, columns: int, reach: int) -> str:
        """The escape sequence that moves to the first live row that can be reached, at this width.

        Where that is in the middle of a row, after the final part of a line of code, they begin anew below.
        """
        lines = [self._before]
        for at, row in enumerate(self._live):
            if at and not self._goes_on(self._live[at - 1], row):
                lines.append("")
            lines[-1] += row.text
        laid = [(line, *span) for line in lines for span in fold(line, columns)]
        *above, (start, end) = fold(self._before, columns)
        first, skip = len(above), end - start
        offset = cell_len(self._before[start:end])
        if offset >= columns:
            first, skip, offset = first + 1, 0, 0
        if len(laid) - first > reach:
            out = [line[start:end] for line, start, end in laid[first:-reach]]
            self._scrollback.add([out[0][skip:], *out[1:]])
            line, start, _ = laid[-reach]
            self._before = line[:start]
            return _up(reach - 1)
        below = len(laid) - 1 - first
        if offset == 0:
            return _up(below)
        self._before = ""
        return f"{_up(below)}\x1b[{offset}C{_ERASE_BELOW}\r\n"

    def _line_before(self, done: Sequence[Row], first: Row) -> str:
        """The text that the terminal wraps as one line together with the first live row."""
        line = ""
        for row in reversed(done):
            if not self._goes_on(row, first):
                return line
            line, first = row.text + line, row
        return self._before + line

    def _frame(self, move: str, rows: Sequence[Row]) -> str:
        return f"{_BEGIN}{move}{_ERASE_BELOW}{_NO_WRAP}{self._rows(rows)}{_WRAP}{_END}"

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
        return self._frame(_up(last - first), rows[first:])

    def _growth(self, before: Row, after: Row) -> str | None:
        """What to write at the end of row `before` to turn it into `after`; None if that is impossible."""
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

    def _rows(self, rows: Sequence[Row]) -> str:
        """The rows as text, without wrapping, except where a row continues the one before."""
        parts: list[str] = []
        wraps = False
        for at, row in enumerate(rows):
            goes_on = at > 0 and self._goes_on(rows[at - 1], row)
            if at and not goes_on:
                parts.append("\r\n")
            if (goes_on or (row.joined and row.cells == self._columns)) != wraps:
                wraps = not wraps
                parts.append(_WRAP if wraps else _NO_WRAP)
            parts.append(styled(row))
        return "".join(parts) + (_NO_WRAP if wraps else "")

    def _goes_on(self, row: Row, after: Row) -> bool:
        """True if the terminal itself wraps between these rows."""
        return row.joined and row.cells == self._columns and bool(after.segments)


def styled(row: Row) -> str:
    """The text of a row with its colours, and no other escape sequences."""
    return "".join(
        style.render(text, color_system=ColorSystem.STANDARD) if style else text
        for text, style, _ in row.segments
    )


def _up(rows: int) -> str:
    return f"\r\x1b[{rows}A" if rows else "\r"
