"""Files that go with a question: how they are named, read and put before it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.app.attachments import Attachment, attach, read_mentions, with_files
from llmchat.core.input_text import INPUT_CAP
from llmchat.errors import InputError, MissingError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("A\n")
    (tmp_path / "my notes.md").write_text("N\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "Makefile").write_text("all:\n")
    return tmp_path


def test_files_stand_under_their_names_before_the_question() -> None:
    files = [Attachment("a.txt", "A"), Attachment("b.txt", "B\nB")]
    assert with_files("Why?", files) == "a.txt:\nA\n\nb.txt:\nB\nB\n\nWhy?"
    assert with_files("Why?", []) == "Why?"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("what is @a.txt", ["a.txt"]),
        ("@a.txt, @a.txt and (see @sub/Makefile).", ["a.txt", "sub/Makefile"]),
        ('@"my notes.md" please', ["my notes.md"]),
        ("is @a.txt?", ["a.txt"]),
        ("ask @someone or me@example.com", []),
        ("@ @@a.txt", []),
        ("two lines\n@a.txt", []),
    ],
)
def test_a_typed_line_names_files_with_an_at_sign(line: str, names: list[str]) -> None:
    _, found = read_mentions(line)
    assert [each.name for each in found] == names


def test_two_at_signs_are_one_that_names_nothing() -> None:
    assert read_mentions("what is @@pytest.fixture") == ("what is @pytest.fixture", [])


def test_a_path_that_is_not_there_is_an_error_that_names_the_way_out() -> None:
    with pytest.raises(MissingError) as caught:
        read_mentions("what is @pytest.fixture")
    assert "@@pytest.fixture" in (caught.value.hint or "")


def test_what_is_no_text_file_is_refused(folder: Path) -> None:
    (folder / "empty.txt").write_text(" \n")
    (folder / "binary.bin").write_bytes(b"\x00\xff")
    (folder / "large.txt").write_bytes(b"x" * (INPUT_CAP + 1))
    os.mkfifo(folder / "pipe")
    for name, why in {
        "empty.txt": "is empty",
        "binary.bin": "is binary",
        "large.txt": "is over",
        "pipe": "is not a file",
        "sub": "is not a file",
    }.items():
        with pytest.raises(InputError, match=why):
            attach(name)
    for name in ("missing", "-", "~nobody-here/x"):
        with pytest.raises(MissingError):
            attach(name)


def test_the_home_folder_may_be_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))
    assert attach("~/a.txt") == Attachment("~/a.txt", "A")
