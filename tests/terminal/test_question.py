"""How words, files and piped text become one question."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmchat.core.input_text import INPUT_CAP
from llmchat.errors import InputError, MissingError, UsageError
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.question import EmptyQuestion, read_file, read_question
from piping import pipes


def ask(*words: str, files: tuple[str, ...] = (), stdin: bytes | None = None, exact: bool = False) -> str:
    with pipes(stdin) as ends:
        return read_question(words, files, ends.streams, exact=exact)


@pytest.fixture
def note(tmp_path: Path) -> str:
    path = tmp_path / "note.txt"
    path.write_bytes(b"the note\r\n\n")
    return str(path)


@pytest.mark.parametrize(
    ("words", "stdin", "question"),
    [
        (("Hello",), None, "Hello"),
        (("Hello", "there  you"), None, "Hello there  you"),
        (("Hello",), b"", "Hello"),
        (("Sum", "up"), b"a text\n\n", "a text\n\nSum up"),
        ((), b"a text\n", "a text"),
        (("-",), b"a text\n", "a text"),
        (("Sum", "-", "up"), b"a text\n", "a text\n\nSum up"),
        (("Hello",), b"\xef\xbb\xbf\xe4\xbd\xa0", "你\n\nHello"),
        (("Hello",), b"  indented\n", "  indented\n\nHello"),
    ],
)
def test_piped_text_goes_before_the_words(words: tuple[str, ...], stdin: bytes | None, question: str) -> None:
    assert ask(*words, stdin=stdin) == question


def test_files_go_before_piped_text(note: str) -> None:
    assert ask("Sum up", files=(note, note), stdin=b"piped\n") == "the note\n\nthe note\n\npiped\n\nSum up"


def test_stdin_is_read_once_and_where_it_is_named(note: str) -> None:
    assert ask("Sum up", files=("-", note), stdin=b"piped\n") == "piped\n\nthe note\n\nSum up"
    assert ask("-", "Sum up", files=("-", note), stdin=b"piped\n") == "piped\n\nthe note\n\nSum up"


def test_an_exact_prompt_keeps_its_last_line_end() -> None:
    assert ask(stdin=b"Once upon\n", exact=True) == "Once upon\n"
    assert ask(" a  b ", exact=True) == " a  b "


@pytest.mark.parametrize("stdin", [None, b"", b" \n\t\n"])
@pytest.mark.parametrize("words", [(), (" ",), ("",)])
def test_a_question_of_nothing_is_refused(words: tuple[str, ...], stdin: bytes | None) -> None:
    with pytest.raises(EmptyQuestion):
        ask(*words, stdin=stdin)


def test_nothing_to_ask_at_a_terminal_is_a_usage_error() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "rb") as terminal, pytest.raises(UsageError, match="nothing to ask"):
        read_question((), (), Streams(terminal, None, None, {}), exact=False)
    os.close(master)


@pytest.mark.parametrize("words", [("-",), ()])
def test_a_closed_stdin_cannot_be_named(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="standard input is closed"):
        ask(*words, files=() if words else ("-",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", r"not UTF-8 \(byte 0\)"),
        (b"a\x00b", "binary"),
        (b"\x89PNG\x00\xff", "binary"),
        (b"x" * (INPUT_CAP + 1), "over 16 MiB"),
        ("é".encode() * (INPUT_CAP // 2 + 1), "over 16 MiB"),
    ],
)
def test_what_is_no_text_or_too_much_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        ask("?", files=(str(path),))


def test_as_much_as_is_promised_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * INPUT_CAP)
    assert len(ask(files=(str(path),))) == INPUT_CAP


def test_words_that_are_no_text_are_refused() -> None:
    with pytest.raises(InputError, match="the prompt is not UTF-8"):
        ask("\udcff")
    with pytest.raises(InputError, match="binary"):
        ask("a\0b")


@pytest.mark.parametrize("name", ["missing.txt", "~nobody-of-this-name/x"])
def test_a_missing_file_is_named(name: str) -> None:
    with pytest.raises(MissingError, match=name):
        ask("?", files=(name,))


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        ask("?", files=(str(tmp_path),))


def test_a_pipe_can_be_a_file(tmp_path: Path) -> None:
    with pipes(b"through a pipe") as ends:
        assert ends.streams.stdin is not None
        assert read_file(f"/dev/fd/{ends.streams.stdin.fileno()}", ends.streams) == "through a pipe"
