"""What files are offered for the beginning of a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmchat.terminal.prompt.completion import files


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("b.gguf", "a.txt", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "c.gguf").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("beginning", "ending", "offered"),
    [
        ("", "", ["a.txt", "b.gguf", "models/"]),
        ("", ".gguf", ["b.gguf", "models/"]),
        ("models/", ".gguf", ["models/c.gguf"]),
        (".h", "", [".hidden"]),
        ("~/a", "", ["~/a.txt"]),
        ("nowhere/x", "", []),
        ("~nobody-here/", "", []),
    ],
)
def test_paths_are_offered_as_they_were_begun(beginning: str, ending: str, offered: list[str]) -> None:
    assert [each.text for each in files(beginning, ending=ending)] == offered
