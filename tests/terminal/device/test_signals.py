"""Signals at a terminal: it is left as it was found, wherever they come, and a shell's jobs work."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest

from llmchat.core.conversation import Message, Status
from llmchat.store import Store
from pseudo_terminal import CTRL_C, CTRL_D, ENTER, PseudoTerminal
from servers import Fault, Reply, json_reply
from servers.dictated import DictatedServer
from servers.hub import running_hub
from servers.openai import CHAT
from terminal.stories import Open, environment

CTRL_Z, CTRL_BACKSLASH = "\x1a", "\x1c"
ENDING = [
    (signal.SIGINT, 130),
    (signal.SIGTERM, 143),
    (signal.SIGHUP, 129),
    (signal.SIGQUIT, -signal.SIGQUIT),
]


def kept(home: Path) -> list[Message]:
    with Store.open(home / "data" / "conversations.sqlite3") as store:
        return list(store.load(store.resolve("last")).messages)


def ask(terminal: PseudoTerminal) -> None:
    """Types a question at the prompt."""
    terminal.wait_for("new")
    terminal.type("Well?" + ENTER)


def check_as_found(terminal: PseudoTerminal) -> None:
    assert terminal.is_as_found()
    assert terminal.modes == set()
    assert terminal.text.count("Traceback") == 0


# Ending


@pytest.mark.parametrize(("number", "code"), ENDING)
def test_at_the_prompt(start: Open, number: signal.Signals, code: int) -> None:
    terminal = start()
    terminal.wait_for("new")
    terminal.type("half a thought")
    terminal.wait_for("> half a thought")
    assert terminal.modes == {"2004h"}
    terminal.process.send_signal(number)
    assert terminal.wait_exit() == code
    check_as_found(terminal)


@pytest.mark.parametrize(
    ("arguments", "number", "code"),
    [*((("ask", "Well?"), *each) for each in ENDING), *(((), *each) for each in ENDING[1:])],
)
def test_while_a_reply_streams(
    start: Open, server: DictatedServer, arguments: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    terminal = start(*arguments)
    if not arguments:
        ask(terminal)
    server.say("The *first* half ")
    terminal.wait_for("half")
    terminal.process.send_signal(number)
    assert terminal.wait_exit() == code
    check_as_found(terminal)


@pytest.mark.parametrize(
    "reply",
    [Reply(before=Fault.HANG), Reply([Fault.HANG]), json_reply({"error": "busy"}, 503, Retry_After="60")],
    ids=["answer", "first token", "another try"],
)
@pytest.mark.parametrize("arguments", [(), ("ask", "Well?"), ("ask", "--json", "Well?")])
def test_while_nothing_has_come(
    start: Open, server: DictatedServer, arguments: tuple[str, ...], reply: Reply
) -> None:
    server.always(CHAT, reply)
    terminal = start(*arguments)
    if not arguments:
        ask(terminal)
    terminal.wait_until(lambda: CHAT in {each.path for each in server.requests}, "the question")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait_exit() == 143
    check_as_found(terminal)


@pytest.mark.parametrize("arguments", [(), ("ask", "Well?")])
def test_a_terminal_that_is_closed_ends_it_and_the_text_is_kept(
    start: Open, server: DictatedServer, home: Path, arguments: tuple[str, ...]
) -> None:
    terminal = start(*arguments)
    if not arguments:
        ask(terminal)
    server.say("The first half ")
    terminal.wait_for("half")
    terminal.hang_up()
    assert terminal.process.wait(20) == 129
    (answer,) = kept(home)[1:]
    assert (answer.text, answer.status) == ("The first half ", Status.STOPPED)


@pytest.mark.parametrize(("number", "code"), ENDING)
def test_while_weights_are_fetched(
    start: Open, home: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    data = b"GGUF" + bytes(400_000)
    (tmp_path / "sitecustomize.py").write_text(
        "import os, llmchat.weights.hub\nllmchat.weights.hub.HUB = os.environ['HUB']\n"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    with running_hub() as hub:
        hub.files["someone/tiny", "tiny.gguf"] = data
        hub.stall_after = 300_000
        terminal = start("-m", "hf:someone/tiny/tiny.gguf", PYTHONPATH=path, HUB=hub.url, LLMCHAT_URL="")
        terminal.wait_for("kB")
        terminal.wait_until(hub.stalled.is_set, "half of it")
        assert terminal.modes == set()  # the cursor stays
        terminal.process.send_signal(number)
        assert terminal.wait_exit() == code
    check_as_found(terminal)
    assert not list(home.rglob("*.gguf"))


# Stopping


@pytest.mark.parametrize("how", ["the key", "the signal"])
def test_ctrl_z_at_the_prompt_gives_the_terminal_back_and_the_draft_is_there_again(
    start: Open, server: DictatedServer, how: str
) -> None:
    terminal = start(job=True)
    terminal.wait_for("new")
    terminal.type("half a thought")
    terminal.wait_for("> half a thought")
    for _ in range(2):
        if how == "the key":
            terminal.type(CTRL_Z)
        else:
            os.kill(terminal.foreground, signal.SIGTSTP)
        terminal.wait_until(terminal.is_stopped, "a stopped process")
        terminal.read(0)
        check_as_found(terminal)
        assert "half" not in terminal.screen
        os.killpg(terminal.foreground, signal.SIGCONT)
        terminal.wait_for("> half a thought", scrollback=False)
    terminal.type(" and more" + ENTER)
    server.say("Whole")
    server.finish()
    terminal.wait_for("2 tokens")
    assert server.bodies(CHAT)[0]["messages"][-1]["content"] == "half a thought and more"
    terminal.type(CTRL_D)
    assert terminal.wait_exit() == 0
    check_as_found(terminal)


def test_ctrl_z_during_a_reply_leaves_no_mode_set(start: Open, server: DictatedServer) -> None:
    terminal = start(job=True)
    ask(terminal)
    server.say("The first half ")
    terminal.wait_for("half")
    terminal.type(CTRL_Z)
    terminal.wait_until(terminal.is_stopped, "a stopped process")
    terminal.read(0)
    check_as_found(terminal)
    os.killpg(terminal.foreground, signal.SIGCONT)
    terminal.wait_until(lambda: terminal.modes == {"2004h"}, "pastes to be marked again")
    terminal.type("\x1b[200~one\rtwo\x1b[201~")
    server.say("and the second.")
    server.finish()
    terminal.wait_for("> one\n  two")
    terminal.type(CTRL_C + CTRL_D)
    assert terminal.wait_exit() == 0
    check_as_found(terminal)


def test_who_has_no_shell_to_go_back_to_is_not_stopped(start: Open, server: DictatedServer) -> None:
    """Nobody could continue what a terminal's own window runs."""
    terminal = start()
    ask(terminal)
    server.say("The first half ")
    terminal.wait_for("half")
    terminal.type(CTRL_Z)
    server.say("and the second.")
    server.finish()
    terminal.wait_for("The first half and the second.")
    terminal.wait_for("2 tokens")
    terminal.type(CTRL_Z + "still here")
    terminal.wait_for("> still here")


@pytest.fixture
def shell(server: DictatedServer, home: Path) -> PseudoTerminal:
    """A shell that knows jobs."""
    return PseudoTerminal(["sh", "-i"], {**environment(home, server), "PS1": "$ ", "ENV": ""})


ASK = shlex.join([sys.executable, "-m", "llmchat", "ask", "--plain", "Well?"])


def test_in_the_background_of_a_shell_it_answers_and_is_not_stopped(
    shell: PseudoTerminal, server: DictatedServer
) -> None:
    with shell:
        shell.wait_for("$")
        shell.type(f"{ASK} &\r")
        server.say("The answer.")
        server.finish()
        shell.wait_for("The answer.")
        shell.type("wait; echo code $?\r")
        shell.wait_for("code 0")
        assert "Stopped" not in shell.text


def test_a_shell_stops_it_lets_it_go_on_in_the_background_and_brings_it_back(
    shell: PseudoTerminal, server: DictatedServer
) -> None:
    with shell:
        shell.wait_for("$")
        shell.type(f"{ASK}\r")
        server.say("First,")
        shell.wait_for("First,")
        shell.type(CTRL_Z)
        shell.wait_for("Stopped")
        shell.type("echo $((40 + 2))\r")  # the shell's line is its own again
        # Bash may have shown its next prompt before.
        shell.wait_until(lambda: re.search(r"^(\$ )?42$", shell.text, re.MULTILINE) is not None, "42")
        shell.type("bg\r")
        server.say(" second,")
        shell.wait_for(" second,")
        shell.type("fg\r")
        shell.wait_until(lambda: not shell.echoes(), "a quiet line")
        server.say(" third.")
        server.finish()
        shell.wait_for(" third.")
        shell.wait_until(shell.echoes, "the shell's line")
        shell.type("echo code $?\r")
        shell.wait_for("code 0")
