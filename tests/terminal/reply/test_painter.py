"""However a reply grows, what is left in the terminal is what showing the whole of it at once leaves."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from wcwidth import wcwidth

from emulator import Emulator, ReflowingEmulator
from llmchat.markdown import MarkdownStream, Row, load_theme
from llmchat.terminal.reply.painter import Painter
from llmchat.terminal.reply.screen import tail_rows
from markdown.documents import EVERYTHING, REPLIES, rotate

SIZES = ((80, 24), (40, 10), (20, 6), (7, 3), (1, 2))
DARK = load_theme("dark")
BEFORE = "$"  # stands in every row above the reply


@dataclass
class Window:
    """A terminal of this size in which a reply is painted, below so many rows."""

    columns: int
    height: int
    above: int
    writes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.terminal = Emulator(self.columns, self.height)
        self.terminal.feed(f"{BEFORE}\r\n" * self.above)
        self.markdown = MarkdownStream(self.columns, theme=DARK, max_tail_rows=tail_rows(self.height))
        self.painter = Painter(self._write, columns=self.columns)

    def _write(self, text: str) -> None:
        self.writes.append(text)
        self.terminal.feed(text)

    def frame(self) -> None:
        """Paints one, in a single write, and with no live row outside the window."""
        written = len(self.writes)
        frame = self.markdown.frame()
        self.painter.paint(frame.done, frame.tail, frame.hidden)
        assert len(self.writes) <= written + 1
        assert len(frame.tail) <= max(1, self.height - 1)

    def end(self) -> None:
        self.painter.paint((*self.markdown.frame().done, *self.markdown.finish()), ())
        self.painter.finish()

    @property
    def reply(self) -> list[str]:
        """What the rows below those that were there before say."""
        text = self.terminal.text()
        assert text[: self.above] == [BEFORE] * self.above
        return text[self.above :]


def at_once(text: str, size: tuple[int, int], above: int) -> Window:
    whole = Window(*size, above)
    whole.markdown.feed(text)
    whole.end()
    return whole


def streamed(
    pieces: Iterable[str], size: tuple[int, int], above: int, *, wanted: Callable[[], bool] = lambda: True
) -> Window:
    """With a frame after every piece for which one is wanted."""
    growing = Window(*size, above)
    for piece in pieces:
        growing.markdown.feed(piece)
        if wanted():
            growing.frame()
    growing.end()
    return growing


def random_pieces(text: str, chance: random.Random) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = start + chance.randint(1, 12)
        yield text[start:end]
        start = end


@pytest.mark.parametrize(("name", "size"), rotate(EVERYTHING, SIZES))
def test_a_streamed_reply_leaves_what_it_leaves_when_shown_at_once(name: str, size: tuple[int, int]) -> None:
    text, chance = EVERYTHING[name], random.Random(f"{name} {size}")
    above = chance.randrange(size[1] + 3)
    expected = at_once(text, size, above).terminal.cells()

    def sometimes() -> bool:
        return chance.random() < 0.5

    assert streamed(text, size, above, wanted=sometimes).terminal.cells() == expected
    assert streamed(random_pieces(text, chance), size, above).terminal.cells() == expected
    assert streamed(text.splitlines(keepends=True), size, above).terminal.cells() == expected


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(sorted(EVERYTHING)), min_size=1, max_size=4),
    st.sampled_from(["\n", "\n\n", " ", "\n- ", "\n> "]),
    st.integers(0, 2000),
    st.sampled_from(SIZES),
    st.randoms(use_true_random=False),
)
def test_a_reply_that_is_cut_off_anywhere_is_shown_as_far_as_it_came(
    names: list[str], between: str, end: int, size: tuple[int, int], chance: random.Random
) -> None:
    text = between.join(EVERYTHING[name] for name in names)[:end]
    growing = streamed(random_pieces(text, chance), size, size[1] // 2, wanted=lambda: chance.random() < 0.7)
    assert growing.terminal.cells() == at_once(text, size, size[1] // 2).terminal.cells()


@pytest.mark.parametrize(("name", "size"), rotate(EVERYTHING, SIZES[::2]))
def test_the_terminal_shows_the_rows_as_they_were_laid_out(name: str, size: tuple[int, int]) -> None:
    markdown = MarkdownStream(size[0], theme=DARK)
    markdown.feed(EVERYTHING[name])
    rows = markdown.finish()
    shown = at_once(EVERYTHING[name], size, 2).reply
    assert len(shown) == len(rows) + 1
    assert shown[-1] == ""
    for row, line in zip(rows, shown, strict=False):
        # Of an emoji made of several, terminals disagree how wide it is; and the emulator composes marks.
        if sum(map(wcwidth, row.text)) == row.cells and "\u0301" not in row.text:
            assert line == row.text.rstrip(" ")


OWN = re.compile(r"\x1b\[(?:\?2026[hl]|\?7[hl]|J|[1-9][0-9]*A|[0-9;]+m)|\r\n|\r")
"""Frame begins and ends, wrapping on and off, erase below, rows up, style; and the ends of rows."""


@pytest.mark.parametrize(("name", "size"), rotate(EVERYTHING, SIZES[1::2]))
def test_only_the_painters_own_sequences_are_written(name: str, size: tuple[int, int]) -> None:
    chance = random.Random(name)
    window = streamed(random_pieces(EVERYTHING[name], chance), size, 1)
    for written in window.writes:
        assert re.search(r"[\x00-\x1f\x7f-\x9f]", OWN.sub("", written)) is None
        assert written.count("\x1b[?2026h") == written.count("\x1b[?2026l") <= 1
        assert written.count("\x1b[?7l") == written.count("\x1b[?7h")
        assert written.rfind("\x1b[?7l") <= written.rfind("\x1b[?7h")
        ups = [int(rows) for rows in re.findall(r"\x1b\[([0-9]+)A", written)]
        assert len(ups) <= 1
        assert all(rows < size[1] for rows in ups)
        if ups or "\x1b[J" in written:
            assert written.startswith("\x1b[?2026h\r")


def test_every_style_is_closed_before_the_end_of_its_row() -> None:
    for text in REPLIES.values():
        for written in at_once(text, (40, 10), 1).writes:
            for row in re.split(r"\r\n", written):
                styles = re.findall(r"\x1b\[([0-9;]+)m", row)
                assert all((a == "0") != (b == "0") for a, b in pairwise(styles))
                assert not styles or styles[-1] == "0"


def test_text_at_the_end_of_the_last_row_is_all_that_is_written_for_it() -> None:
    window = Window(40, 10, 1)
    for piece in ("Some", " words", " and *more", " of them* here"):
        window.markdown.feed(piece)
        window.frame()
    assert window.writes[:2] == ["Some", " words"]
    assert all("\x1b[J" not in written and "\r" not in written for written in window.writes)


def test_nothing_is_written_where_nothing_changed() -> None:
    window = Window(40, 10, 1)
    window.markdown.feed("Some words\n\n- an item")
    window.frame()
    written = len(window.writes)
    window.frame()
    window.markdown.feed("\n")
    window.frame()
    assert len(window.writes) == written


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("Para:\n- one\n- two\n", r"^-$"),
        ("Para:\n---\nmore\n", r"^--?$"),
        ("```python\nx = 1\n```\nafter\n", r"`"),
        ("- item\n\n  ~~~~ sh\n  ls\n  ~~~~\n\nafter\n", r"~"),
        ("Some **bold** and `code` in it\n", r"[*`]"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nafter\n", r"[|]"),
        ("# Title\n\n## Another\n", r"#"),
        ("a\n1. one\n2. two\n10. ten\n", r"^ *\d+\.?$"),
        ("> quoted\n> more\n", r">"),
        ("- [ ] to do\n- [x] done\n", r"\["),
    ],
)
@pytest.mark.parametrize("size", SIZES[:3])
def test_no_frame_shows_marks_that_turn_out_to_be_markup(
    text: str, never: str, size: tuple[int, int]
) -> None:
    growing = Window(*size, 1)
    for character in text:
        growing.markdown.feed(character)
        growing.frame()
        assert not [line for line in growing.reply if re.search(never, line) and not line.startswith("[1]")]


def test_para_and_a_dash_is_never_a_heading() -> None:
    growing = Window(40, 10, 0)
    for character in "Para:\n- one":
        growing.markdown.feed(character)
        growing.frame()
        assert not [cell for cell in growing.terminal.cells()[0].values() if cell.bold]


def row(text: str, *, joined: bool = False) -> Row:
    return Row((Segment(text),) if text else (), joined=joined)


@pytest.mark.parametrize("width", [1, 2, 5, 20])
def test_a_row_as_wide_as_the_window_takes_one_row(width: int) -> None:
    terminal = Emulator(width, 6)
    painter = Painter(terminal.feed, columns=width)
    for length in range(1, width + 1):
        painter.paint((), [row("x" * length)])
        assert terminal.text() == ["x" * length]
    painter.paint([row("x" * width)], [row("y")])
    assert terminal.text() == ["x" * width, "y"]
    painter.paint([row("y" * width)], [row("z" * width), row("z" * width)])
    painter.paint([row("z" * width)], [row("a")])
    painter.finish()
    assert terminal.text() == ["x" * width, "y" * width, "z" * width, "a", ""]


def test_a_row_that_a_terminal_shows_wider_than_it_is_takes_one_row() -> None:
    family = "\U0001f469\u200d\U0001f469\u200d\U0001f467"  # two cells, or six
    terminal = Emulator(10, 6)
    painter = Painter(terminal.feed, columns=10)
    for count in range(1, 6):
        painter.paint((), [row(family * count)])
        assert len(terminal.text()) == 1
    painter.paint([row(family * 5)], [row("next")])
    painter.finish()
    assert terminal.text()[1:] == ["next", ""]


def test_a_long_line_of_code_is_wrapped_by_the_terminal_so_that_it_is_copied_as_one() -> None:
    written: list[str] = []
    painter = Painter(written.append, columns=4)
    painter.paint([row("abcd", joined=True), row("efgh", joined=True)], [row("ij")])
    assert "\r\n" not in "".join(written)
    assert "abcdefgh" in "".join(written)


def test_a_live_row_that_is_taken_away_is_painted_again() -> None:
    terminal = Emulator(20, 6)
    painter = Painter(terminal.feed, columns=20)
    painter.paint([row("done")], [row("live"), row("rows")])
    painter.clear()
    assert terminal.text() == ["done", ""]
    terminal.feed("said\r\n")
    painter.paint((), [row("live"), row("rows")])
    painter.finish()
    assert terminal.text() == ["done", "said", "live", "rows", ""]


def test_rows_that_are_no_longer_there_leave_those_above_as_they_are() -> None:
    terminal = Emulator(20, 6)
    painter = Painter(terminal.feed, columns=20)
    painter.paint((), [row("one"), row("two"), row("three")])
    painter.paint((), [row("one")])
    assert terminal.text() == ["one"]
    painter.paint((), [row("one"), row("and"), row("more")])
    painter.paint([row("one")], ())
    painter.finish()
    assert terminal.text() == ["one", ""]


def lowered() -> tuple[Emulator, Painter]:
    """Four live rows, of which the first two left the window."""
    terminal = ReflowingEmulator(20, 6)
    painter = Painter(terminal.feed, columns=20)
    painter.paint((), [row(text) for text in "abcd"])
    terminal.reflow(20, 3)
    painter.resize(20, 3)
    return terminal, painter


def test_rows_that_left_the_window_are_not_painted_with_their_block() -> None:
    terminal, painter = lowered()
    painter.paint((), [row(text) for text in "de"], [row(text) for text in "abc"])
    painter.paint([row(text) for text in "abc"], [row(text) for text in "def"])
    painter.paint([row(text) for text in "def"], ())
    painter.finish()
    assert terminal.text() == [*"abcdef", ""]


def test_rows_that_say_the_same_as_those_that_left_the_window_are_painted() -> None:
    terminal, painter = lowered()
    painter.paint([row(text) for text in "abcd"], [row("a")])
    painter.paint([row(text) for text in "abcd"], ())
    painter.finish()
    assert terminal.text() == [*"abcdabcd", ""]


def test_rows_that_changed_after_they_left_the_window_are_painted_once_more() -> None:
    terminal, painter = lowered()
    painter.paint((), [row(text) for text in "Bc"], [row("a")])
    terminal.reflow(20, 2)
    painter.resize(20, 2)
    painter.paint((), [row("d")], [row(text) for text in "aBc"])
    painter.paint([row(text) for text in "aBcd"], ())
    painter.finish()
    assert terminal.text() == [*"abBcd", ""]


def test_rows_cut_off_by_a_window_that_becomes_narrower_are_painted_whole() -> None:
    terminal = Emulator(20, 6)
    painter = Painter(terminal.feed, columns=20, reflows=False)
    painter.paint((), [row(f"{text} and more") for text in "abcd"])
    painter.resize(5, 3)
    painter.paint([row(f"{text} an") for text in "abcd"], ())
    assert [line for line in terminal.text() if line.endswith("an")] == [f"{text} an" for text in "abcd"]
