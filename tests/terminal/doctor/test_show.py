"""`llmchat doctor` at a terminal: what it asks the terminal, its colours, and that it leaves no trace."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.doctor import Finding, Subject, Verdict
from llmchat.terminal.device.queries import TerminalReplies, can_query, query_terminal
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import without_echo
from llmchat.terminal.doctor.capabilities import terminal_checks
from piping import pipes
from pseudo_terminal import CTRL_C
from terminal.stories import Open

ECHO = {"LLMCHAT_MODEL": "echo", "LLMCHAT_URL": "", "LANG": "C.UTF-8"}


def test_it_asks_the_terminal_and_leaves_nothing_of_that(start: Open) -> None:
    terminal = start("doctor", columns=100, rows=40, **ECHO)
    assert terminal.wait_exit() == 0
    terminal.wait_for("A chat would work.")
    first, *_ = terminal.screen.splitlines()
    assert first.startswith("✓ ok    configuration")
    assert "a Chinese character takes 2 cells, an emoji takes 2 cells" in terminal.text
    assert "100 x 40, TERM=xterm-256color, 256 colours" in terminal.text
    assert b"\x1b[32m\xe2\x9c\x93 ok\x1b[0m" in terminal.written
    assert terminal.is_as_found()


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"LLMCHAT_THEME": "mono"}, {"LLMCHAT_PLAIN": "1"}])
def test_without_colours_it_says_the_same(start: Open, variable: dict[str, str]) -> None:
    terminal = start("doctor", columns=100, rows=40, **ECHO, **variable)
    assert terminal.wait_exit() == 0
    terminal.wait_for("A chat would work.")
    assert not re.search(rb"\x1b\[[\d;]*m", terminal.written)


def test_plain_and_without_colours_it_writes_no_escape_and_asks_nothing(start: Open) -> None:
    terminal = start("doctor", "--plain", columns=100, rows=40, NO_COLOR="1", **ECHO)
    assert terminal.wait_exit() == 0
    terminal.wait_for("A chat would work.")
    assert b"\x1b" not in terminal.written


def test_a_dumb_terminal_gets_no_escape_and_no_question(start: Open) -> None:
    terminal = start("doctor", columns=100, rows=40, TERM="dumb", **ECHO)
    assert terminal.wait_exit() == 0
    terminal.wait_for("A chat would work.")
    assert b"\x1b" not in terminal.written
    assert "TERM=dumb: plain text" in terminal.text


def test_long_lines_are_folded_below_their_beginning(start: Open) -> None:
    terminal = start("doctor", columns=60, rows=60, **ECHO)
    assert terminal.wait_exit() == 0
    terminal.wait_for("A chat would work.")
    lines = terminal.screen.splitlines()
    at = next(number for number, line in enumerate(lines) if "libraries" in line)
    assert re.match(r" {23}\S", lines[at + 1])


def test_ctrl_c_while_a_server_hangs_ends_it_and_leaves_the_terminal_as_it_was(
    start: Open, home: Path
) -> None:
    terminal = start("doctor", "--api", "openai")  # the server waits for somebody to dictate
    terminal.wait_for("reached; API: OpenAI's API")
    terminal.type(CTRL_C)
    assert terminal.wait_exit() == 130
    assert terminal.is_as_found()
    assert not home.exists()


# A terminal of which we know what it answers


@dataclass(frozen=True)
class Known:
    """A terminal at both ends of these streams, which gives these answers whatever it is asked."""

    streams: Streams
    asked: list[bytes]


@contextmanager
def known(answers: bytes, **environ: str) -> Iterator[Known]:
    master, slave = os.openpty()
    asked: list[bytes] = []

    def answer() -> None:
        said = b""
        while not said.endswith(b"\x1b[c"):
            said += os.read(master, 1024)
        asked.append(said)
        if answers:
            os.write(master, answers)

    thread = threading.Thread(target=answer)
    try:
        with os.fdopen(slave, "r+b", buffering=0) as both:
            thread.start()
            yield Known(Streams(both, both, both, {"TERM": "xterm", **environ}), asked)  # type: ignore[arg-type] # raw, which is enough
    finally:
        thread.join()
        os.close(master)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            b"\x1b[7;3R\x1b[7;3R\x1b[?2026;2$y\x1b[?62;22c",
            TerminalReplies({"a Chinese character": 2, "an emoji": 2}, synchronizes=True, complete=True),
        ),
        (
            b"\x1b[7;3R\x1b[7;2R\x1b[?2026;0$y\x1b[?6c",
            TerminalReplies({"a Chinese character": 2, "an emoji": 1}, synchronizes=False, complete=True),
        ),
        (b"typed\x1b[?6c", TerminalReplies({}, synchronizes=False, complete=True)),
        (b"\x1b[7;3R", TerminalReplies({}, synchronizes=False, complete=False)),
        (b"", TerminalReplies({}, synchronizes=False, complete=False)),
    ],
)
def test_a_terminal_is_believed_as_far_as_it_answers(answers: bytes, expected: TerminalReplies) -> None:
    with known(answers) as terminal, without_echo(terminal.streams.stdout):
        assert query_terminal(terminal.streams) == expected
    assert terminal.asked[0].endswith(b"\r\x1b[K\x1b[?2026$p\x1b[c")


def test_nobody_is_asked_through_a_pipe() -> None:
    with pipes(b"") as ends:
        assert not can_query(ends.streams)
        assert not can_query(replace(ends.streams, stdin=None))


async def looked(streams: Streams, answers: TerminalReplies | None = None) -> dict[str, Finding]:
    folders = Folders.find({"LLMCHAT_HOME": "/nowhere"})
    subject = Subject(resolve({}, environ={}, directory=Path()), folders)
    findings = {each.name: await each.look(subject) for each in terminal_checks(streams, answers)}
    return {name: finding for name, finding in findings.items() if finding is not None}


async def test_a_terminal_that_measures_otherwise_is_a_warning() -> None:
    answers = TerminalReplies({"a Chinese character": 2, "an emoji": 1}, synchronizes=True, complete=True)
    with known(b"\x1b[?6c") as terminal:
        terminal.streams.write("\x1b[c")
        found = (await looked(terminal.streams, answers))["characters"]
    assert (found.verdict, "an emoji" in str(found.hint)) == (Verdict.WARN, True)
    assert ", synchronized output" in found.detail


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "locale C"),
        ({"LANG": "de_DE.ISO-8859-1"}, "locale de_DE.ISO-8859-1"),
        ({"LANG": "C", "LC_ALL": "en_US.utf8"}, None),
    ],
)
async def test_a_locale_that_is_not_utf8_is_a_warning(environ: dict[str, str], said: str | None) -> None:
    with known(b"\x1b[?6c", **environ) as terminal:
        terminal.streams.write("\x1b[c")
        found = (await looked(terminal.streams))["characters"]
    assert found.verdict is (Verdict.WARN if said else Verdict.OK)
    assert (said or "the terminal does not report character widths") in found.detail


@pytest.mark.parametrize(
    ("environ", "verdict", "said"),
    [
        ({"WAYLAND_DISPLAY": "w"}, Verdict.OK, "/copy uses wl-copy"),
        ({}, Verdict.WARN, "OSC 52"),
        ({"SSH_CONNECTION": "a b"}, Verdict.OK, "because this is an SSH session"),
    ],
)
async def test_what_copy_uses_is_told(
    tmp_path: Path, environ: dict[str, str], verdict: Verdict, said: str
) -> None:
    (tmp_path / "wl-copy").write_text("#!/bin/sh\n")
    (tmp_path / "wl-copy").chmod(0o755)
    with known(b"\x1b[?6c", PATH=str(tmp_path), **environ) as terminal:
        terminal.streams.write("\x1b[c")
        found = (await looked(terminal.streams))["clipboard"]
    assert (found.verdict, said in found.detail) == (verdict, True)
