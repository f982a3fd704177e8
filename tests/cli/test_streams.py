"""The program as a process with streams, names and a locale that are not as one hopes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncGenerator

import pytest

from command import Llmchat
from servers.tgi import TgiServer, stream

UNDECODABLE = os.fsdecode(b"a\xffb")


# Streams that are closed, full, endless, or do not wait


@pytest.mark.parametrize("command", ["ask -m echo Hi", "models", "history list", "--version", "ask --help"])
@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        ("<&-", 0),
        ("2>&-", 0),
        ("<&- 2>&-", 0),
        ("2>/dev/full", 0),
        (">&-", 74),
        (">&- 2>&-", 74),
        ("<&- >&- 2>&-", 74),
        (">/dev/full", 74),
        (">/dev/full 2>&1", 74),
    ],
)
def test_a_stream_may_be_closed_or_full(llmchat: Llmchat, command: str, redirection: str, code: int) -> None:
    ran = llmchat(*command.split(), redirection=redirection)
    assert (ran.code, bool(ran.out)) == (code, code == 0)
    assert len(ran.err.splitlines()) <= 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_an_error_that_nobody_can_be_told_has_its_code(llmchat: Llmchat, redirection: str) -> None:
    ran = llmchat("ask", "-f", "missing", redirection=redirection)
    assert (ran.code, ran.out) == (66, b"")


@pytest.mark.parametrize("options", [(), ("--json",), ("--jsonl",)])
def test_progress_and_notes_that_go_nowhere_cost_no_answer(
    llmchat: Llmchat, options: tuple[str, ...]
) -> None:
    ran = llmchat("ask", "-m", "echo", "-n", "1", *options, "One two", redirection="2>/dev/full")
    assert ran.code == 0
    assert b"One" in ran.out


@pytest.mark.parametrize(
    ("stdin", "says"),
    [
        (b"x" * 50_000_000, "over 16 MiB"),
        ("é".encode() * 10_000_000, "over 16 MiB"),  # cut in the middle of a character
        (b"\0" * 50_000_000, "over 16 MiB"),
        (b"text\0", "binary"),
        (b"\x7fELF\xff\0", "binary"),
        (b"\xff\xfet\0", "binary"),
        (b"caf\xe9", "not UTF-8 (byte 3)"),
    ],
)
def test_what_is_piped_in_and_no_text_is_refused(llmchat: Llmchat, stdin: bytes, says: str) -> None:
    process = llmchat.start("ask", "-m", "echo", "?", stdin=subprocess.PIPE)
    with process:
        out, err = process.communicate(stdin, timeout=20)  # it reads no further than it has to
    assert (process.returncode, out) == (65, b"")
    assert err.startswith(b"llmchat: error: standard input is ")
    assert says.encode() in err


@pytest.mark.parametrize("arguments", [("-",), ("-f", "-"), ("-f", "/dev/zero")])
def test_an_endless_file_is_too_large(llmchat: Llmchat, arguments: tuple[str, ...]) -> None:
    ran = llmchat("ask", "-m", "echo", *arguments, redirection="</dev/zero")
    assert ran.code == 65
    assert "over 16 MiB" in ran.error


def test_an_endless_archive_is_none(llmchat: Llmchat) -> None:
    ran = llmchat("history", "import", "-", redirection="</dev/zero")
    assert ran.code == 65
    assert "not an llmchat export" in ran.error


def test_streams_that_do_not_wait_lose_nothing(llmchat: Llmchat) -> None:
    """As they come from a program that shares its own with us."""
    text = b"word " * 30_000  # more than a pipe holds
    our_in, their_in = os.pipe()
    their_out, our_out = os.pipe()
    os.set_blocking(our_in, False)
    os.set_blocking(our_out, False)
    process = llmchat.start(
        "ask", "-m", "echo", "-n", "100000", "--no-stream", "--raw-prompt", stdin=our_in, stdout=our_out
    )
    os.close(our_in)
    os.close(our_out)
    with process, os.fdopen(their_in, "wb") as stdin, os.fdopen(their_out, "rb") as stdout:
        stdin.write(text)
        stdin.close()
        assert process.stderr is not None
        assert stdout.read(1) == b"w"  # it has begun, and is faster than its reader
        out, err = b"w" + stdout.read(), process.stderr.read()
    assert (process.returncode, err, out.strip()) == (0, b"", text.strip())


# Names and texts that are no UTF-8


@pytest.mark.parametrize("flag", ["--system", "--stop"])
def test_text_for_the_model_that_is_not_utf_8_is_refused(llmchat: Llmchat, flag: str) -> None:
    ran = llmchat("ask", "-m", "echo", flag, UNDECODABLE, "Hi")
    assert (ran.code, ran.out) == (2, b"")
    assert flag in ran.error
    assert "it takes UTF-8 text" in ran.err
    variable = f"LLMCHAT_{flag.removeprefix('--').upper()}"
    ran = llmchat.with_environ(**{variable: UNDECODABLE})("ask", "-m", "echo", "Hi")
    assert (ran.code, ran.out) == (78, b"")
    assert variable in ran.error


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", "-m", UNDECODABLE, "?"], 2),
        (["ask", "--url", UNDECODABLE, "?"], 78),
        (["ask", "-m", "echo", "--conversation", UNDECODABLE, "?"], 66),
        (["ask", "-m", "echo", "-f", UNDECODABLE, "?"], 66),
        (["ask", f"--{UNDECODABLE}", "?"], 2),
        (["history", "show", UNDECODABLE], 66),
        (["history", "import", UNDECODABLE], 66),
        ([UNDECODABLE], 2),
    ],
)
def test_a_word_that_is_not_utf_8_is_a_mistake_like_any(
    llmchat: Llmchat, arguments: list[str], code: int
) -> None:
    ran = llmchat(*arguments)
    assert (ran.code, ran.out) == (code, b"")
    assert ran.error


def test_folders_and_files_may_have_such_names(llmchat: Llmchat) -> None:
    (llmchat.home / UNDECODABLE).write_text("noted")
    home = str(llmchat.home / f"kept {UNDECODABLE}")
    named = llmchat.with_environ(LLMCHAT_HOME=home, HOME=home, PAGER=UNDECODABLE, TERM=UNDECODABLE)
    ran = named("ask", "-m", "echo", "-f", UNDECODABLE, "?")
    assert (ran.code, ran.out, ran.err) == (0, b"noted\n\n?\n", "")
    assert named("history", "export", "last", "-o", f"{UNDECODABLE}.md").code == 0
    assert "noted" in (llmchat.home / f"{UNDECODABLE}.md").read_text()


# The locale


@pytest.fixture
def note(llmchat: Llmchat) -> None:
    (llmchat.home / "文").write_text("说", "utf-8")


@pytest.fixture
async def server() -> AsyncGenerator[TgiServer]:
    async with TgiServer() as running:
        yield running


@pytest.mark.usefixtures("note")
@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "no_SUCH"}])
async def test_chinese_goes_in_and_comes_out_in_any_locale(
    llmchat: Llmchat, server: TgiServer, locale: dict[str, str]
) -> None:
    server.always("/", stream("你", "好 ", "é"))
    speaking = llmchat.with_environ(LLMCHAT_URL=server.url, LLMCHAT_API="tgi", **locale)
    ran = await speaking.beside("ask", "-s", "中文", "-f", "文", "你是谁", stdin="问".encode())
    assert (ran.code, ran.out.decode(), ran.err) == (0, "你好 é\n", "")
    assert server.bodies("/")[0]["inputs"] == "System: 中文\nUser: 说\n\n问\n\n你是谁\nAssistant:"
    assert speaking("history", "search", "好").out.decode().splitlines() != ["Nothing found."]
