"""`llmchat help`: what it lists, shows and refuses, through the pager and into a pipe."""

from __future__ import annotations

import sys

import pytest

from command import Llmchat
from llmchat.config.settings import SETTINGS
from llmchat.terminal.help.topics import TOPICS
from manual_page import manual_page
from pseudo_terminal import PseudoTerminal


def test_the_list_has_every_topic_and_command(llmchat: Llmchat) -> None:
    ran = llmchat("help")
    lines = ran.out.decode().splitlines()
    assert (ran.code, ran.err) == (0, "")
    for name in (*TOPICS, "ask", "history", "history export", "help", "completion"):
        assert any(line.startswith(f"{name}  ") for line in lines)


@pytest.mark.parametrize("words", [*([topic] for topic in TOPICS), ["ask"], ["history"], ["history", "rm"]])
def test_a_topic_in_a_pipe_is_plain_text(llmchat: Llmchat, words: list[str]) -> None:
    ran = llmchat.with_environ(TERM="xterm-256color", FORCE_COLOR="1")("help", *words)
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) > 3
    assert b"\x1b" not in ran.out


def test_settings_are_explained_one_by_one(llmchat: Llmchat) -> None:
    lines = llmchat("help", "settings").out.decode().splitlines()
    for name in SETTINGS:
        assert any(line.startswith(f"{name}  ") for line in lines)


def test_help_on_a_command_has_its_options(llmchat: Llmchat) -> None:
    shown = llmchat("help", "history", "export").out.decode()
    assert shown.startswith("llmchat history export [OPTIONS] [ID]...\n")
    assert "-o, --output FILE  Write to this file" in shown


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["setings"], "did you mean llmchat help settings ?"),
        (["exit"], "did you mean llmchat help exit-codes ?"),
        (["history", "exprt"], "did you mean llmchat help history export ?"),
        (["\x1b[31m"], "llmchat help lists the topics"),
    ],
)
def test_an_unknown_topic_is_a_usage_error_with_the_nearest(
    llmchat: Llmchat, words: list[str], hint: str
) -> None:
    ran = llmchat("help", *words)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.error.startswith("there is no help on ")
    assert f"llmchat: hint: {hint}\n" in ran.err
    assert "\x1b" not in ran.err


def test_on_a_terminal_long_help_goes_through_the_pager(llmchat: Llmchat) -> None:
    pager = llmchat.home / "pager"
    pager.write_text("#!/bin/sh\nhead -n 2; echo PAGED; cat >/dev/null\n")
    pager.chmod(0o755)
    environ = {"PAGER": str(pager), "LLMCHAT_HOME": str(llmchat.home), "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "llmchat", "help"]
    with PseudoTerminal([*command, "settings"], environ, columns=40) as terminal:
        terminal.wait_for("PAGED")
        assert terminal.wait_exit() == 0
    with PseudoTerminal([*command, "servers"], environ, columns=64, rows=40) as terminal:
        terminal.wait_for("never on the")
        assert terminal.wait_exit() == 0
        assert "PAGED" not in terminal.text
        assert "\nTGI               llmchat --url" in f"\n{terminal.text}"


def test_the_manual_is_the_one_that_is_kept(llmchat: Llmchat) -> None:
    ran = llmchat("help", "--man")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.decode() == manual_page()
    assert str(llmchat.home) not in manual_page()
