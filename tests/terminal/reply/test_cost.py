"""What showing a reply costs stays what it is, however long the reply gets: counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from counting import calls
from llmchat.markdown import MarkdownStream, load_theme
from llmchat.terminal.reply.painter import Painter

TAIL_ROWS = 20
FRAME = 13  # characters that come between two frames: 100 tokens of 4 a second, 30 frames

SECTION = (Path(__file__).parent / "reply.md").read_text("utf-8")


class Shown:
    """A reply that grows on a terminal, and the bytes written for it."""

    def __init__(self, columns: int = 100) -> None:
        self.markdown = MarkdownStream(columns, theme=load_theme("dark"), max_tail_rows=TAIL_ROWS)
        self.painter = Painter(self._write, columns=columns)
        self.bytes = 0

    def _write(self, frame: str) -> None:
        self.bytes += len(frame.encode())

    def add(self, text: str) -> Iterator[None]:
        """Shows more of the reply, a frame at a step."""
        for at in range(0, len(text), FRAME):
            self.markdown.feed(text[at : at + FRAME])
            frame = self.markdown.frame()
            self.painter.paint(frame.done, frame.tail, frame.hidden)
            yield


def test_the_tenth_part_of_a_long_reply_costs_no_more_than_the_second() -> None:
    shown = Shown()
    parts = [SECTION.replace("{n}", str(n)) for n in range(10, 20)]
    work, written = [], []
    for part in parts:
        before = shown.bytes
        work.append(calls(shown.add(part)))
        written.append(shown.bytes - before)
    assert work[9] <= work[1] * 1.05
    assert written[9] <= written[1] * 1.05


SENTENCE = "Some *words* and `code` in a **long** paragraph, with a [link](https://example.org) in it. "
REPETITIVE = {
    "a long fence": "```python\n" + "    x = f(1, 'two')  # three\n" * 200,
    "a fence in an item": "- item\n\n  ```python\n" + "  x = f(1, 'two')  # three\n" * 200,
    "a long list": "".join(f"{n}. an *item* of a list\n" for n in range(1, 200)),
    "a long table": "| a | b |\n|---|---|\n" + "| a `cell` | another **cell** |\n" * 200,
    "a long line": SENTENCE * 60,
    "many lines": (SENTENCE.strip() + "\n") * 60,
    "a line of wide characters": "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3067\u3059\u3002" * 200,
    "many quotes": "> > > quoted\n" * 200,
    "mixed": SECTION,
}


@pytest.mark.parametrize("columns", [40, 100])
@pytest.mark.parametrize("name", REPETITIVE)
def test_at_most_twelve_bytes_are_written_for_a_byte_of_text(name: str, columns: int) -> None:
    shown = Shown(columns)
    for _ in shown.add(REPETITIVE[name]):
        pass
    assert shown.bytes <= 12 * len(REPETITIVE[name].encode())
