"""Stories of the keys at the prompt: vi, the editor, and the history of all shells."""

from __future__ import annotations

from pathlib import Path

from opened import Open
from pseudo_terminal import CTRL_C, ENTER, ESCAPE

CTRL_R, CTRL_X, CTRL_E, UP = "\x12", "\x18", "\x05", "\x1b[A"


def test_with_vi_keys_escape_begins_a_command_of_vi(start: Open) -> None:
    terminal = start("-m", "echo", "--vi")
    terminal.wait_for("new")
    terminal.type("hello world")
    terminal.wait_until(lambda: terminal.column == len("> hello world"), "the line")
    terminal.type(ESCAPE)  # told from a sequence by the silence behind it; vi then steps back by one
    terminal.wait_until(lambda: terminal.column == len("> hello worl"), "the command mode")
    terminal.type("0dw" + ENTER)
    terminal.wait_for("\nworld\n1 tokens")


def test_the_editor_takes_the_line_and_gives_it_back(start: Open, tmp_path: Path) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf " and more\\nin lines" >> "$1"\n')
    editor.chmod(0o700)
    terminal = start("-m", "echo", VISUAL=str(editor))
    terminal.wait_for("new")
    terminal.type("a thought" + CTRL_X + CTRL_E)
    terminal.wait_for("> a thought and more\n  in lines", scrollback=False)
    terminal.type(ENTER)
    terminal.wait_for("\na thought and more\nin lines\n")


def test_ctrl_r_finds_what_was_typed_before(start: Open) -> None:
    terminal = start("-m", "echo")
    terminal.wait_for("new")
    terminal.type("about cats" + ENTER)
    terminal.wait_for("2 tokens")
    terminal.type("and three dogs" + ENTER)
    terminal.wait_for("3 tokens")
    terminal.type(CTRL_R + "cats")
    terminal.wait_until(lambda: terminal.screen.count("> about cats") == 2, "what was found")
    terminal.type(CTRL_C)
    terminal.wait_until(lambda: terminal.screen.count("> about cats") == 1, "no search")
    terminal.type(CTRL_R + "cats")
    terminal.wait_until(lambda: terminal.screen.count("> about cats") == 2, "what was found")
    terminal.type(ENTER + ENTER)
    terminal.wait_until(lambda: terminal.text.count("\nabout cats\n2 tokens") == 2, "the question again")


def test_what_another_shell_was_told_is_there_at_the_next_prompt(start: Open) -> None:
    one, other = start("-m", "echo"), start("-m", "echo")
    one.wait_for("new")
    other.wait_for("new")
    one.type("said in one" + ENTER)
    one.wait_for("3 tokens")
    other.type("x" + CTRL_C)
    other.type("said in the other" + ENTER)
    other.wait_for("4 tokens")
    one.type("again" + ENTER)
    one.wait_for("1 tokens")
    one.type(UP + UP)
    one.wait_for("> said in the other", scrollback=False)
