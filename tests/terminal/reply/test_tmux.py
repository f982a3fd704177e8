"""A reply in tmux, a real terminal that lays out its rows anew: only where there is one."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from servers.dictated import DictatedServer
from terminal.stories import environment, pieces
from waiting import wait_until


def code(width: int) -> list[str]:
    """Lines of code, a third of them of about this width, no part of which is in another."""
    return ["".join(f"<{n}.{part}>" for part in range((n % 3 + 1) * width // 18)) for n in range(10, 58)]


def parts_of_reply(lines: list[str]) -> list[str]:
    """Text, a fence that is interrupted twice near the end of a wide line, and text."""
    text = "\n".join(["Before.", "", "```", *lines, "```", "", "After *it*."])
    first, second = (text.index(line) + line.rindex("<") for line in (lines[16], lines[31]))
    return [text[:first], text[first:second], text[second:]]


@dataclass
class Tmux:
    """llmchat in a window of tmux, which lays out its rows anew."""

    folder: Path
    environ: Mapping[str, str]

    def run(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self.folder / "s"), "-f", os.devnull, *arguments]
        environ = {**self.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            command, env=environ, check=True, capture_output=True, text=True, timeout=10
        ).stdout

    @property
    def text(self) -> str:
        """The scrollback and the window, with the rows joined that are one line to tmux."""
        return self.run("capture-pane", "-p", "-J", "-S", "-")

    def resize(self, columns: int, rows: int) -> None:
        """Comes back when the program is told; tmux may take its time over that."""
        self.run("resize-window", "-x", str(columns), "-y", str(rows))
        with Path(self.run("display-message", "-p", "#{pane_tty}").strip()).open() as pane:
            wait_until(lambda: os.get_terminal_size(pane.fileno()) == (columns, rows))

    def wait_for(self, expected: str) -> None:
        wait_until(lambda: expected in self.text.replace("\n", ""), within=15)


@pytest.fixture
def tmux(home: Path, server: DictatedServer) -> Iterator[Tmux]:
    with TemporaryDirectory() as folder:  # the name of a socket has to be short
        window = Tmux(Path(folder), environment(home, server))
        command = shlex.join([sys.executable, "-m", "llmchat", "ask", "Well?"])
        window.run("new-session", "-d", "-x", "60", "-y", "20", f"{command}; echo ended; cat")
        try:
            yield window
        finally:
            window.run("kill-server")


@pytest.mark.parametrize("width", [30, 76, 130])
def test_a_window_that_changes_its_width_shows_every_line_once(
    tmux: Tmux, server: DictatedServer, width: int
) -> None:
    lines = code(width)
    first, second, third = parts_of_reply(lines)
    server.say(*pieces(first))
    tmux.wait_for(first[first.rindex("<") :])
    tmux.run("resize-window", "-x", "40", "-y", "20")
    server.say(*pieces(second))
    tmux.wait_for(second[second.rindex("<") :])
    tmux.run("resize-window", "-x", "80", "-y", "20")
    server.say(*pieces(third))
    server.finish()
    tmux.wait_for("ended")
    shown = tmux.text.partition("ended")[0]
    assert shown.replace("\n", "") == "".join(["Before.", "[1]", *lines, "After it."])


WORDS = [f"word{n}" for n in range(10, 90)]


@pytest.mark.parametrize(
    "sizes",
    [
        [(60, 4)],
        [(60, 3), (60, 20)],
        [(60, 5), (60, 4), (60, 3)],
        [(60, 2)],
        [(20, 10)],
        [(30, 5)],
        [(24, 8), (50, 3)],
    ],
)
def test_a_window_that_becomes_lower_shows_every_word_once(
    tmux: Tmux, server: DictatedServer, sizes: list[tuple[int, int]]
) -> None:
    above = [f"line{n}" for n in range(10, 30)]  # more than the window holds
    server.say("\n\n".join(above), "\n\n", *pieces(" ".join(WORDS[:38])))
    tmux.wait_for(WORDS[37])
    for at, (columns, rows) in enumerate(sizes, 38):
        tmux.resize(columns, rows)
        server.say(f" {WORDS[at]}")
        tmux.wait_for(WORDS[at])
    server.say(*(f" {word}" for word in WORDS[38 + len(sizes) :]))
    server.finish()
    tmux.wait_for("ended")
    assert re.findall(r"[a-z]{4}\d+", tmux.text.replace("\n", "")) == [*above, *WORDS]
