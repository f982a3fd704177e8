"""Stories at a terminal while a reply streams: the window, the keyboard and signals do what they like."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

import pytest

from llmchat.core.conversation import Message, Status
from llmchat.store import Store
from markdown.documents import REPLIES
from pseudo_terminal import CTRL_C, ENTER, PseudoTerminal
from servers import json_reply
from servers.dictated import DictatedServer
from servers.openai import CHAT
from terminal.stories import PROMPT, Open, rendered
from waiting import wait_until

CTRL_Z = "\x1a"
LINES = [f"Line number {n} of the reply." for n in range(1, 61)]
TALL = "\n\n".join(LINES)


@pytest.fixture
def repl(start: Open) -> PseudoTerminal:
    """A REPL that has been asked something."""
    terminal = start()
    terminal.wait_for("new")
    terminal.type("Well?" + ENTER)
    return terminal


def kept(home: Path) -> list[Message]:
    with Store.open(home / "data" / "conversations.sqlite3") as store:
        return list(store.load(store.resolve("last")).messages)


# What is left on the screen


@pytest.mark.parametrize("rows", [24, 10, 2])
def test_a_reply_taller_than_the_screen_is_in_the_scrollback_once(
    start: Open, server: DictatedServer, rows: int
) -> None:
    terminal = start("ask", "Well?", columns=50, rows=rows)
    server.say(*re.findall(r"\S+\s*", TALL))
    server.finish()
    assert terminal.wait_exit() == 0
    assert terminal.text.strip() == TALL


def test_a_reply_looks_in_a_terminal_as_it_does_when_it_is_rendered_at_once(
    start: Open, server: DictatedServer
) -> None:
    text = "\n\n".join(reply for reply in REPLIES.values() if reply.isascii())
    terminal = start("ask", "Well?", columns=60, rows=12)
    server.say(*(text[at : at + 7] for at in range(0, len(text), 7)))
    server.finish()
    assert terminal.wait_exit() == 0
    assert terminal.text.strip() == rendered(text, 60).strip()


def test_the_last_token_of_a_burst_is_painted_though_nothing_follows(
    repl: PseudoTerminal, server: DictatedServer
) -> None:
    server.say("first ")
    repl.wait_for("first")
    began = time.monotonic()
    server.say(*(f"t{n} " for n in range(1, 40)), "t40")
    repl.wait_for("t40", within=2)
    print(f"the last token was there after {time.monotonic() - began:.3f} s")


# The keyboard


def test_enter_while_a_reply_streams_does_no_damage(repl: PseudoTerminal, server: DictatedServer) -> None:
    for part in (LINES[:20], LINES[20:40], LINES[40:]):
        server.say("\n\n".join(part) + "\n\n")
        repl.wait_for(part[-1])
        repl.type(ENTER)
    server.finish()
    repl.wait_for("2 tokens")
    assert repl.text.count(TALL) == 1
    repl.wait_until(lambda: repl.screen.count("\n>") >= 1, "a prompt")


def test_what_is_typed_while_a_reply_streams_waits_in_the_next_prompt(
    repl: PseudoTerminal, server: DictatedServer
) -> None:
    server.say("The *first* half ")
    repl.wait_for("half")
    repl.type("and next?")
    server.say("and the second.")
    repl.wait_for("The first half and the second.")
    assert "and next" not in repl.text
    server.finish()
    repl.wait_for("> and next?")
    assert repl.text.count("and next?") == 1


def test_what_is_pasted_while_a_reply_streams_is_one_message_and_never_a_command(
    repl: PseudoTerminal, server: DictatedServer
) -> None:
    server.say("The first half ")
    repl.wait_for("half")
    assert repl.written.count(b"\x1b[?2004h") == 2  # the prompt's own, and one for the reply
    repl.type("\x1b[200~/exit\r/new\x1b[201~")
    server.say("and the second.")
    server.finish()
    repl.wait_for("> /exit\n  /new")
    assert repl.process.poll() is None
    assert len(server.bodies("/v1/chat/completions")) == 1


def test_ctrl_c_anywhere_keeps_what_is_on_the_screen_and_brings_the_prompt_back(
    start: Open, server: DictatedServer, home: Path
) -> None:
    terminal, chance, waits = start(), random.Random(4), []
    terminal.wait_for("new")
    for turn in range(10):
        words = [f"t{turn}w{n}" for n in range(chance.randint(1, 200))]
        terminal.type(f"Question {turn}?" + ENTER)
        server.say(*(f"{word} " for word in words))
        terminal.wait_for(chance.choice(words))
        waits.append(stop(terminal, turn))
        shown = terminal.text.rpartition(f"> Question {turn}?")[2].partition("first after")[0].split()
        answer = kept(home)[-1]
        assert answer.status is Status.STOPPED
        assert answer.text.split() == shown == words[: len(shown)]
        wait_until(server.left.is_set)
        server.left.clear()
        server.forget()
    print("the prompt was back after", ", ".join(f"{wait:.3f}" for wait in waits), "s")
    assert max(waits) < 2


def stop(terminal: PseudoTerminal, before: int) -> float:
    """Types Ctrl-C in a reply, after so many that were stopped; seconds until the prompt is there."""
    began = time.monotonic()
    terminal.type(CTRL_C)
    terminal.wait_until(
        lambda: (
            terminal.written.count(b"stopped") > before
            and PROMPT in terminal.written.rpartition(b"stopped")[2]
        ),
        "the prompt",
    )
    return time.monotonic() - began


# Signals


@pytest.mark.parametrize(
    ("arguments", "number", "code"),
    [
        ((), signal.SIGTERM, 143),
        (("ask", "Well?"), signal.SIGTERM, 143),
        (("ask", "--plain", "Well?"), signal.SIGTERM, 143),
        (("ask", "Well?"), signal.SIGHUP, 129),
        (("ask", "Well?"), signal.SIGINT, 130),
    ],
)
def test_a_signal_leaves_the_terminal_as_it_was_found_and_keeps_the_text(
    start: Open,
    server: DictatedServer,
    home: Path,
    arguments: tuple[str, ...],
    number: signal.Signals,
    code: int,
) -> None:
    terminal = start(*arguments)
    if not arguments:
        terminal.wait_for("new")
        terminal.type("Well?" + ENTER)
    server.say("The first half ")
    terminal.wait_for("half")
    assert not terminal.echoes()
    terminal.process.send_signal(number)
    assert terminal.wait_exit() == code
    assert terminal.is_as_found()
    assert terminal.text.count("The first half") == 1
    (answer,) = kept(home)[1:]
    assert answer.text == "The first half "
    assert answer.status is not Status.COMPLETE


@pytest.mark.parametrize("arguments", [(), ("ask", "Well?")])
def test_ctrl_backslash_ends_it_at_once_but_not_with_a_quiet_line(
    start: Open, server: DictatedServer, arguments: tuple[str, ...]
) -> None:
    terminal = start(*arguments)
    if not arguments:
        terminal.wait_for("new")
        terminal.type("Well?" + ENTER)
    server.say("The first half ")
    terminal.wait_for("half")
    terminal.type("\x1c")
    assert terminal.wait_exit() == -signal.SIGQUIT
    assert terminal.is_as_found()


@pytest.mark.parametrize("arguments", [(), ("ask", "Well?")])
def test_ctrl_z_gives_the_terminal_back_and_the_reply_goes_on_where_it_was(
    start: Open, server: DictatedServer, arguments: tuple[str, ...]
) -> None:
    terminal = start(*arguments, columns=50, rows=12, job=True)
    if not arguments:
        terminal.wait_for("new")
        terminal.type("Well?" + ENTER)
    server.say("A paragraph.\n\n- one\n- two and", " something")
    terminal.wait_for("something")
    for _ in range(2):
        terminal.type(CTRL_Z)
        terminal.wait_until(terminal.is_stopped, "a stopped process")
        assert terminal.is_as_found()
        os.killpg(terminal.foreground, signal.SIGCONT)
        terminal.wait_until(lambda: not terminal.echoes(), "a quiet line")
        terminal.wait_for("something")
    server.say(" more\n- three\n")
    server.finish()
    terminal.wait_for("\n\u2022 three\n") if not arguments else terminal.wait_exit()
    assert terminal.text.count("A paragraph.\n\n\u2022 one\n\u2022 two and something more\n\u2022 three") == 1
    assert terminal.text.count("something") == 1


# While nothing has come


def test_what_is_happening_is_said_and_gone_without_a_trace_when_text_comes(
    start: Open, server: DictatedServer
) -> None:
    server.script(CHAT, json_reply({"error": "busy"}, 502, Retry_After="1"))
    terminal = start("ask", "Well?", columns=30)
    terminal.wait_for("waiting for the server, try")
    server.say("Here it *is*.")
    terminal.wait_for("Here it is.")
    assert terminal.text == "Here it is."
    server.finish()
    assert terminal.wait_exit() == 0
    assert terminal.text == "Here it is."


def test_ctrl_c_while_nothing_has_come_leaves_nothing(start: Open, server: DictatedServer) -> None:
    server.script(CHAT, json_reply({"error": "busy"}, 502, Retry_After="9"))
    terminal = start("ask", "Well?")
    terminal.wait_for("waiting for the server")
    terminal.type(CTRL_C)
    assert terminal.wait_exit() == 130
    assert terminal.text.strip() == ""
    assert terminal.is_as_found()
