"""What stories at a terminal need: the program in a real pseudo-terminal, with a home of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from opened import Open
from pseudo_terminal import PseudoTerminal


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def start(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Open]:
    """Starts llmchat with these arguments in a pseudo-terminal, and ends it with the test."""
    opened: list[PseudoTerminal] = []
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    source = [str(Path(path).absolute()) for path in paths if path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(source))
    monkeypatch.chdir(tmp_path)  # files are named from here

    def open_terminal(*arguments: str, **environ: str) -> PseudoTerminal:
        kept = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": os.environ["PYTHONPATH"]}
        command = [sys.executable, "-m", "llmchat", *arguments]
        terminal = PseudoTerminal(command, {**kept, "LLMCHAT_HOME": str(home), **environ})
        opened.append(terminal)
        return terminal

    yield open_terminal
    for terminal in opened:
        terminal.__exit__(None, None, None)
