"""What files are offered for the beginning of a path."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmchat.terminal.prompt.completion import files, mentions


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("b.gguf", "a.txt", ".hidden", "my notes.md"):
        (tmp_path / name).touch()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "c.gguf").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("beginning", "ending", "offered"),
    [
        ("", "", ["a.txt", "b.gguf", "models/", "my notes.md"]),
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


@pytest.mark.parametrize(
    ("line", "wholes"),
    [
        ("see @a", ["see @a.txt"]),
        ("see @models/", ["see @models/c.gguf"]),
        ("see @mo", ["see @models/"]),
        ("see @my", ['see @"my notes.md"']),
        ('see @"my n', ['see @"my notes.md"']),
        ("me@a", []),
        ("see a", []),
    ],
)
def test_a_path_behind_an_at_sign_is_completed(line: str, wholes: list[str]) -> None:
    assert [each.text for each in mentions(line)] == wholes
