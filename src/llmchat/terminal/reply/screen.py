"""What the terminal supports, by its descriptor and TERM: size, colours, Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llmchat.terminal.device.streams import Streams

if TYPE_CHECKING:
    from llmchat.markdown import MarkdownStream, Row
    from llmchat.terminal.reply.painter import Painter

TAIL_ROWS = 20
"""Maximum number of live rows, those that may still change; fewer in a low window."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal behind stdout. Created by `find` only."""

    streams: Streams
    theme: str

    @classmethod
    def find(cls, streams: Streams, *, theme: str) -> Screen | None:
        """The terminal behind stdout, if it understands escape sequences; None for a pipe."""
        if not streams.supports_escapes(streams.stdout):
            return None
        if streams.environ.get("NO_COLOR"):
            theme = "mono"
        elif theme == "auto":
            # Set by several terminals as foreground;background. The colours of `light` read on both.
            background = streams.environ.get("COLORFGBG", "").rpartition(";")[2]
            theme = "dark" if background in ("0", "1", "2", "3", "4", "5", "6", "8") else "light"
        return cls(streams, theme)

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self.streams.size(self.streams.stdout)

    def markdown(self) -> MarkdownStream:
        """A Markdown stream with this screen's width and theme."""
        from llmchat.markdown import MarkdownStream, load_theme

        columns, rows = self.size()
        return MarkdownStream(columns, theme=load_theme(self.theme), max_tail_rows=tail_rows(rows))

    def painter(self) -> Painter:
        """A painter for this screen."""
        from llmchat.terminal.reply.painter import Painter

        return Painter(self.streams.write, columns=self.size()[0], reflows=self.reflows)

    @property
    def reflows(self) -> bool:
        """True if the terminal rewraps its rows when its width changes, as all but a few old ones do."""
        environ = self.streams.environ
        if environ.get("TMUX"):
            return True
        return not (environ.get("XTERM_VERSION") or environ.get("STY") or environ.get("TERM") == "linux")

    def show(self, text: str) -> None:
        """Prints a whole reply with the layout of a streamed one."""
        painter = self.painter()
        painter.paint(self._rows(text), ())
        painter.finish()

    def render(self, text: str) -> str:
        """A whole reply as text for a pager: lines with colours, and no other escape sequences."""
        from llmchat.terminal.reply.painter import styled

        rows, columns = self._rows(text), self.size()[0]
        ends = ("" if row.joined and row.cells == columns else "\n" for row in rows)
        return "".join(f"{styled(row)}{end}" for row, end in zip(rows, ends, strict=True))

    def _rows(self, text: str) -> tuple[Row, ...]:
        markdown = self.markdown()
        markdown.feed(text)
        return markdown.finish()

    def dim(self, text: str) -> str:
        """Dim text."""
        return f"\x1b[2m{text}\x1b[0m"


def tail_rows(rows: int) -> int:
    """How many rows of a window of this height may be live: never all of them."""
    return max(1, min(TAIL_ROWS, rows - 1))
