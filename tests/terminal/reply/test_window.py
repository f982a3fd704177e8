"""The window changes its size while a reply streams: no line is lost, and none is there twice."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import ReflowingEmulator
from llmchat.markdown import MarkdownStream, load_theme
from llmchat.terminal.reply.painter import Painter
from llmchat.terminal.reply.screen import tail_rows
from markdown.documents import EVERYTHING
from servers.dictated import DictatedServer
from terminal.stories import Open, rendered


@pytest.mark.parametrize("environ", [{"XTERM_VERSION": "XTerm(390)"}, {"STY": "1.screen"}])
def test_a_window_that_changes_its_width_costs_no_line_where_rows_are_not_laid_out_anew(
    start: Open, server: DictatedServer, environ: dict[str, str]
) -> None:
    text = "One.\n\nTwo.\n\nThree.\n\n" + " ".join(f"word-{n}" for n in range(10, 38))
    terminal = start("ask", "Well?", columns=60, rows=20, **environ)
    server.say(text[:200])
    terminal.wait_for(text[190:200])
    terminal.resize(40, 20)
    server.say(text[200:])
    terminal.wait_for("word-37")
    terminal.resize(70, 20)
    server.say(" and it ends.")
    server.finish()
    assert terminal.wait_exit() == 0
    assert terminal.text.strip() == rendered(f"{text} and it ends.", 70)


PROSE = [
    name for name, text in EVERYTHING.items() if "|" not in text and not re.search(r"[^\x00-\u9fff]", text)
]


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFC", text)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(PROSE), min_size=1, max_size=4),
    st.lists(st.integers(12, 90), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_any_change_of_width_shows_every_letter_once(
    names: list[str], widths: list[int], chance: random.Random
) -> None:
    text = "\n\n".join(EVERYTHING[name] for name in names)
    terminal = ReflowingEmulator(60, 200)  # high enough for whatever a row becomes in a narrow window
    markdown = MarkdownStream(60, theme=load_theme("mono"), max_tail_rows=20)
    painter = Painter(terminal.feed, columns=60)
    terminal.feed("$ ask\r\n")
    changes = {chance.randrange(len(text)): width for width in widths}
    for at, character in enumerate(text):
        markdown.feed(character)
        if at in changes or chance.random() < 0.3:
            frame = markdown.frame()
            painter.paint(frame.done, frame.tail, frame.hidden)
        if (width := changes.get(at)) is not None:
            terminal.reflow(width)
            markdown.resize(width)
            painter.resize(width, 200)
    painter.paint((*markdown.frame().done, *markdown.finish()), ())
    painter.finish()
    assert letters("".join(terminal.text())) == letters("$ ask" + rendered(text, 60))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(PROSE), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(12, 90), st.integers(3, 30)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_any_change_of_size_loses_no_letter(
    names: list[str], sizes: list[tuple[int, int]], chance: random.Random
) -> None:
    text = "\n\n".join(EVERYTHING[name] for name in names)
    terminal = ReflowingEmulator(60, 24)
    markdown = MarkdownStream(60, theme=load_theme("mono"), max_tail_rows=20)
    painter = Painter(terminal.feed, columns=60)
    terminal.feed("$ ask\r\n")
    changes = {chance.randrange(len(text)): size for size in sizes}
    for at, character in enumerate(text):
        markdown.feed(character)
        if at in changes or chance.random() < 0.3:
            frame = markdown.frame()
            painter.paint(frame.done, frame.tail, frame.hidden)
        if (size := changes.get(at)) is not None:
            terminal.reflow(*size)
            markdown.resize(size[0])
            markdown.limit_tail(tail_rows(size[1]))
            painter.resize(*size)
            frame = markdown.frame()
            painter.paint(frame.done, frame.tail, frame.hidden)
    painter.paint((*markdown.frame().done, *markdown.finish()), ())
    painter.finish()
    left = iter(letters("".join(terminal.text())))
    assert all(letter in left for letter in letters("$ ask" + rendered(text, 60)))
