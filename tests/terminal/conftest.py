"""What stories at a terminal need: a server whose replies they dictate, and llmchat that asks it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pseudo_terminal import PseudoTerminal
from servers.dictated import DictatedServer, dictated
from terminal.stories import Open, environment

collect_ignore = [] if shutil.which("tmux") else ["reply/test_tmux.py"]


@pytest.fixture
def server() -> Iterator[DictatedServer]:
    with dictated() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def start(home: Path, server: DictatedServer) -> Iterator[Open]:
    """Starts llmchat with these arguments in a pseudo-terminal, and ends it with the test."""
    opened: list[PseudoTerminal] = []

    def open_terminal(
        *arguments: str, columns: int = 80, rows: int = 24, job: bool = False, **environ: str
    ) -> PseudoTerminal:
        command = [sys.executable, "-m", "llmchat", *arguments]
        variables = {**environment(home, server), **environ}
        opened.append(PseudoTerminal(command, variables, columns=columns, rows=rows, job=job))
        return opened[-1]

    yield open_terminal
    for terminal in opened:
        terminal.__exit__(None, None, None)
