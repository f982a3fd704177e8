"""What is written depends on what the descriptor is: variables and widths that lie change nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from command import Llmchat
from pseudo_terminal import CTRL_D, ENTER, PseudoTerminal
from servers.dictated import DictatedServer
from terminal.stories import Open, pieces, rendered

BRIEF = "Some *words*:\n\n- an `item`\n"
STYLE = re.compile(rb"\x1b\[([0-9;]+)m")


def answer(start: Open, server: DictatedServer, *arguments: str, **environ: str) -> PseudoTerminal:
    terminal = start("ask", "Well?", *arguments, **environ)
    server.say(*pieces(BRIEF))
    server.finish()
    assert terminal.wait_exit() == 0
    return terminal


def test_the_cursor_is_never_hidden_and_the_screen_never_cleared(start: Open, server: DictatedServer) -> None:
    written = answer(start, server).written
    assert STYLE.search(written)
    for sequence in (b"\x1b[?25", b"\x1b[?1049", b"\x1b[2J", b"\x1b[H", b"\x1b7", b"\x1b]"):
        assert sequence not in written


def test_no_color_leaves_no_colour(start: Open, server: DictatedServer) -> None:
    terminal = answer(start, server, NO_COLOR="1")
    assert terminal.text.strip() == rendered(BRIEF, 80)
    styles = {int(code) for found in STYLE.findall(terminal.written) for code in found.split(b";")}
    assert styles <= {0, 1, 2, 3, 4, 9}


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        ((), {"TERM": "dumb"}),
        ((), {"TERM": "dumb", "FORCE_COLOR": "1", "COLORTERM": "truecolor"}),
        (("--plain",), {}),
        (("--plain",), {"NO_COLOR": "1"}),
    ],
)
def test_plain_text_has_no_escape_byte(
    start: Open, server: DictatedServer, arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    terminal = answer(start, server, *arguments, **environ)
    assert terminal.written.replace(b"\r\n", b"\n") == BRIEF.encode()


@pytest.mark.parametrize("environ", [{}, {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1", "TTY_COMPATIBLE": "1"}])
def test_no_variable_makes_a_pipe_a_terminal(
    tmp_path: Path, server: DictatedServer, environ: dict[str, str]
) -> None:
    llmchat = Llmchat(tmp_path, {**environ, "LLMCHAT_URL": server.url, "LLMCHAT_API": "openai"})
    server.say(*pieces(BRIEF))
    server.finish()
    ran = llmchat.with_environ(TERM="xterm-256color")("ask", "Well?")
    assert (ran.code, ran.out, ran.err) == (0, BRIEF.encode(), "")


def test_the_terminal_knows_its_width_better_than_a_variable(start: Open, server: DictatedServer) -> None:
    terminal = start("ask", "Well?", columns=30, rows=8, COLUMNS="200", LINES="100")
    server.say(*pieces("word " * 50))
    server.finish()
    assert terminal.wait_exit() == 0
    assert terminal.text.strip() == rendered("word " * 50, 30)


@pytest.mark.parametrize(("columns", "rows"), [(1, 24), (1, 1), (2, 2)])
def test_the_narrowest_window_shows_every_character(
    start: Open, server: DictatedServer, columns: int, rows: int
) -> None:
    terminal = start("ask", "Well?", columns=columns, rows=rows)
    server.say(*"narrow *as* it `is`")
    server.finish()
    assert terminal.wait_exit() == 0
    assert "".join(terminal.text.split()) == "narrowasitis"


def test_the_prompt_of_a_dumb_terminal_has_no_escape_byte(start: Open, server: DictatedServer) -> None:
    answering = start(TERM="dumb")
    answering.wait_for(">")
    answering.type(f"Well?{ENTER}")
    server.say(*pieces(BRIEF))
    server.finish()
    answering.wait_for("2 tokens")
    answering.type(f"/clear{ENTER}")
    answering.wait_until(lambda: answering.text.count("\n>") >= 2, "the prompt after /clear")
    answering.type(CTRL_D)
    assert answering.wait_exit() == 0
    assert BRIEF.replace("\n", "\r\n").encode() in answering.written
    assert b"\x1b" not in answering.written
