"""The program as a process, with the models that need none: what it takes, prints and exits with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from command import Llmchat
from llmchat import __version__
from llmchat.backends.echo import CANNED

COMMANDS = [
    (),
    ("chat",),
    ("ask",),
    ("models",),
    ("pull",),
    ("help",),
    ("completion",),
    ("doctor",),
    ("history",),
    ("history", "list"),
    ("history", "show"),
    ("history", "search"),
    ("history", "export"),
    ("history", "import"),
    ("history", "rm"),
    ("config",),
    ("config", "show"),
    ("config", "path"),
    ("config", "init"),
    ("config", "edit"),
]


# What is asked


@pytest.mark.parametrize(
    ("words", "stdin", "answer"),
    [
        (["Hello", "there"], None, "Hello there"),
        (["Sum up:"], "a text\n", "a text\n\nSum up:"),
        ([], "a text\n\n", "a text"),
        (["-", "Sum up"], "a text", "a text\n\nSum up"),
        (["--", "--json", "-c"], None, "--json -c"),
        (["-f", "note", "--file", "note", "?"], None, "noted\n\nnoted\n\n?"),
        (["-f", "-", "?"], "piped", "piped\n\n?"),
        (["--raw-prompt", "Once "], "upon\n", "upon\n\n\nOnce"),
        (["你好\té"], None, "你好\té"),
    ],
)
def test_words_files_and_piped_text_are_one_question(
    echo: Llmchat, words: list[str], stdin: str | None, answer: str
) -> None:
    (echo.home / "note").write_text("noted\n")
    ran = echo("ask", *words, stdin=None if stdin is None else stdin.encode())
    assert (ran.code, ran.out.decode().removesuffix("\n").rstrip(" "), ran.err) == (0, answer, "")


def test_what_is_piped_into_llmchat_itself_is_answered(echo: Llmchat) -> None:
    ran = echo(stdin=b"a text\n")
    assert (ran.code, ran.out, ran.err) == (0, b"a text\n", "")


@pytest.mark.parametrize("stdin", [b"", b" \n", None])
def test_without_a_person_and_without_text_llmchat_names_ask(echo: Llmchat, stdin: bytes | None) -> None:
    ran = echo(stdin=stdin)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.error
    assert "llmchat ask" in ran.err


def test_what_is_for_pipes_is_refused_at_a_terminal_and_the_other_way_round(echo: Llmchat) -> None:
    """A person at one end only."""
    ours, theirs = os.openpty()
    try:
        with echo.start(stdin=theirs) as process:
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out) == (2, b"")
        assert b"the output is not a terminal" in err
        ran = echo("ask", "--raw", "Hi", stdout=theirs)
        assert (ran.code, ran.error) == (2, "--raw is refused on a terminal")
        with echo.start("ask", stdin=theirs) as process:
            _, err = process.communicate(timeout=20)
        assert (process.returncode, b"nothing to ask" in err) == (2, True)
    finally:
        os.close(ours)
        os.close(theirs)


def test_options_before_the_command_count_and_those_behind_it_win(llmchat: Llmchat) -> None:
    ran = llmchat("-m", "canned", "-n", "1", "ask", "-m", "echo", "One two")
    assert (ran.code, ran.out) == (0, b"One\n")


def test_canned_answers_with_one_of_three_replies(llmchat: Llmchat) -> None:
    ran = llmchat("ask", "-m", "canned", "--seed", "1", "Hello")
    assert ran.out.decode().strip() in CANNED
    assert llmchat("ask", "-m", "canned", "--seed", "1", "Hello").out == ran.out


def test_a_reply_cut_by_length_is_said_on_stderr(echo: Llmchat) -> None:
    ran = echo("ask", "-n", "2", "One two three")
    assert (ran.code, ran.out) == (0, b"One two\n")
    assert ran.err == "llmchat: the reply was cut at 2 tokens; --max-tokens sets the limit\n"
    assert echo("ask", "-q", "-n", "2", "One two three").err == ""


def test_a_stop_text_ends_the_reply(echo: Llmchat) -> None:
    assert echo("ask", "--stop", "e t", "--stop", "END", "One two END").out == b"On\n"


def test_the_answer_is_sanitized_unless_it_is_to_be_raw(echo: Llmchat) -> None:
    assert echo("ask", "a\x1b[31mb").out.decode() == "a␛[31mb\n"
    assert echo("ask", "--raw", "a\x1b[31mb").out == b"a\x1b[31mb"


# JSON


def test_json_is_one_object(echo: Llmchat) -> None:
    record = echo("ask", "--json", "Hello\x1b").json
    assert (record["text"], record["finish_reason"]) == ("Hello\x1b", "stop")
    assert (record["backend"], record["model"]) == ("echo", "echo")
    assert record["conversation"] == echo.history()["conversation"]
    assert set(record) == {"text", "finish_reason", "backend", "model", "conversation", "usage", "timings"}


def test_json_lines_are_pieces_and_then_the_object(echo: Llmchat) -> None:
    lines = [json.loads(line) for line in echo("ask", "--jsonl", "--no-save", "One two").out.splitlines()]
    assert lines[:2] == [{"type": "token", "text": "One"}, {"type": "token", "text": " two"}]
    assert (lines[2]["type"], lines[2]["text"], lines[2]["conversation"]) == ("reply", "One two", None)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--bogus"], 2),
        (["-t", "warm", "?"], 2),
        (["-t", "3", "?"], 2),
        (["--url", "localhost:80", "?"], 78),
        (["--debug", "-f", "missing", "?"], 66),
    ],
)
def test_an_error_is_json_too_where_json_is_asked_for(echo: Llmchat, arguments: list[str], code: int) -> None:
    ran = echo("ask", "--json", *arguments)
    told = ran.json["error"]
    assert isinstance(told, dict)
    assert (ran.code, told["exit_code"]) == (code, code)
    assert set(told) == {"message", "hint", "exit_code"}
    assert f"llmchat: error: {told['message']}\n" in ran.err


def test_the_last_json_line_tells_the_error(echo: Llmchat) -> None:
    assert echo("ask", "--jsonl", "--bogus").json["type"] == "error"
    assert echo("ask", "--jsonl", "-f", "missing").json["type"] == "error"


@pytest.mark.parametrize(
    ("arguments", "code", "is_json"),
    [
        (["history", "show", "zzz", "--json"], 66, True),
        (["--json", "ask", "--bogus"], 2, True),
        (["--bogus", "ask", "--json"], 2, True),
        (["history", "show", "--json", "--bogus"], 2, True),
        (["--json", "nonsense"], 2, True),
        (["ask", "-s", "--json", "--bogus"], 2, False),
        (["ask", "--bogus", "--", "--json"], 2, False),
    ],
)
def test_json_is_asked_for_by_an_option_of_any_command_not_by_any_word(
    echo: Llmchat, arguments: list[str], code: int, is_json: bool
) -> None:
    ran = echo(*arguments)
    assert (ran.code, ran.out != b"") == (code, is_json)
    assert not is_json or ran.json["error"]


def test_a_wrong_option_beside_version_shows_the_error_only(echo: Llmchat) -> None:
    ran = echo("--bogus", "--version")
    assert (ran.code, ran.out) == (2, b"")


# What would be sent


def test_a_dry_run_shows_the_prompt_byte_for_byte_and_keeps_nothing(echo: Llmchat) -> None:
    ran = echo("ask", "--dry-run", "-s", "Be brief.", "Hi\nUser: me \x1b")
    assert ran.out == b"System: Be brief.\nUser: Hi\n User: me \x1b\nAssistant:"
    assert ran.err == "llmchat: about 17 tokens for echo; nothing was sent\n"
    assert ran.code == 0
    assert not (echo.home / "kept").exists()


def test_a_dry_run_of_a_server_connects_to_nothing(llmchat: Llmchat, unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}"
    ran = llmchat("ask", "--dry-run", "--url", url, "Hi")
    assert ran.out.decode() == (
        "System: A conversation between a user and an LLM-based AI assistant. "
        "The assistant gives helpful and honest answers.\nUser: Hi\nAssistant:"
    )
    assert "for tgi (the server's API is a guess; --api sets it); nothing was sent" in ran.err
    assert "guess" not in llmchat("ask", "--dry-run", "--url", url, "--api", "openai", "Hi").err
    assert llmchat("ask", "--dry-run", "-q", "--raw-prompt", "--url", url, stdin=b"Once \n").out == b"Once \n"


# What is kept


def test_c_goes_on_where_it_was(echo: Llmchat) -> None:
    echo("ask", "-s", "Be brief.", "One")
    assert echo("ask", "-c", "Two").out == b"Two\n"
    record = echo.history()
    messages = record["messages"]
    assert isinstance(messages, list)
    assert [(each["role"], each["text"]) for each in messages] == [
        ("user", "One"),
        ("assistant", "One"),
        ("user", "Two"),
        ("assistant", "Two"),
    ]
    prompt = echo("ask", "--conversation", str(record["conversation"])[:6], "--dry-run", "-s", "X", "Three")
    assert prompt.out.decode() == (
        "System: X\nUser: One\nAssistant: One\nUser: Two\nAssistant: Two\nUser: Three\nAssistant:"
    )
    assert echo.history() == record


def test_history_lists_and_shows(echo: Llmchat) -> None:
    assert echo("history", "list").out == b"No conversations yet.\n"
    echo("ask", "First\x1b question")
    echo("ask", "Second question")
    (second, first) = echo("history", "list").out.decode().splitlines()
    assert second.endswith("Second question")
    assert first.endswith("First␛ question")
    assert echo("history", "list", "-n", "1").out.decode().splitlines() == [second]
    shown = echo("history", "show", first.split()[0].upper()).out.decode()
    assert "You (" in shown
    assert shown.endswith("):\nFirst␛ question\n")


def test_what_is_not_to_be_saved_leaves_no_trace(echo: Llmchat) -> None:
    assert echo("ask", "--no-save", "One").code == 0
    assert not (echo.home / "kept").exists()


def test_a_store_that_cannot_be_opened_costs_no_answer(echo: Llmchat) -> None:
    (echo.home / "kept").mkdir(mode=0o700)
    (echo.home / "kept" / "data").write_text("in the way")
    (echo.home / "kept" / "data").chmod(0o600)
    ran = echo("ask", "One")
    assert (ran.code, ran.out) == (0, b"One\n")
    assert ran.err.startswith("llmchat: this conversation is not saved: ")
    assert ran.err.count("\n") == 1
    assert echo("ask", "-c", "One").code == 73


def test_what_is_kept_is_private_even_under_umask_0(echo: Llmchat) -> None:
    before = os.umask(0)
    try:
        echo("ask", "One")
    finally:
        os.umask(before)
    kept = [path for path in (echo.home / "kept").rglob("*") if path.name != "kept"]
    assert {path.stat().st_mode & 0o777 for path in kept if path.is_file()} == {0o600}
    assert (echo.home / "kept" / "data").stat().st_mode & 0o777 == 0o700


def test_what_was_open_to_others_is_restricted_with_one_line(echo: Llmchat) -> None:
    echo("ask", "One")
    kept = echo.home / "kept" / "data"
    for arguments in (["ask", "Two"], ["history", "list"], ["ask", "-q", "Three"]):
        for path in [kept, *kept.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        ran = echo(*arguments)
        assert ran.code == 0
        quiet = "-q" in arguments
        assert ran.err.startswith(f"llmchat: {kept} was open to other users (mode 0755)") is not quiet
        assert ran.err.count("\n") == (not quiet)
        assert {path.stat().st_mode & 0o077 for path in [kept, *kept.rglob("*")]} == {0}
        assert echo("ask", "Four").err == ""


def test_a_folder_that_others_can_change_is_not_used(echo: Llmchat) -> None:
    shared = echo.home / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    (echo.home / "kept").mkdir(mode=0o700)
    (echo.home / "kept" / "data").symlink_to(shared)
    ran = echo("ask", "One")
    assert (ran.code, ran.out) == (77, b"")
    assert "that all users share" in ran.error
    assert list(shared.iterdir()) == []


# Errors and exit codes


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "no terminal to chat in"),
        (["--bogus"], 2, "--bogus"),
        (["nonsense"], 2, "nonsense"),
        (["history", "list", "-n", "0"], 2, "'-n'"),
        (["ask", "-t", "3", "?"], 2, "--temperature 3"),
        (["ask", "-n", "x", "?"], 2, "--max-new-tokens"),
        (["ask", "--api", "soap", "?"], 2, "soap"),
        (["ask", "-m", "gpt-4", "?"], 2, "gpt-4"),
        (["ask", "--url", "", "?"], 2, "--url"),
        (["ask", "--json", "--jsonl", "?"], 2, "--jsonl"),
        (["ask", "-c", "--conversation", "x", "?"], 2, "--conversation"),
        (["ask", "-c", "--raw-prompt", "?"], 2, "--raw-prompt"),
        (["pull", "echo"], 2, "echo"),
        (["ask"], 65, "empty"),
        (["ask", os.fsdecode(b"\xff")], 65, "not UTF-8"),
        (["ask", "-f", "."], 65, "."),
        (["ask", "-m", "hf:x", "?"], 65, "hf:x"),
        (["ask", "-f", "missing.txt", "?"], 66, "missing.txt"),
        (["ask", "-m", "echo", "--conversation", "zzz", "?"], 66, "conversation"),
        (["ask", "-m", "echo", "-c", "?"], 66, "conversation"),
        (["ask", "-m", "missing.gguf", "?"], 66, "missing.gguf"),
        (["ask", "--offline", "-m", "qwen", "?"], 66, "qwen"),
        (["history", "show", "last"], 66, "conversation"),
        (["ask", "--url", "host:80", "?"], 78, "scheme"),
        (["ask", "--url", "http://me:topsecret@host", "?"], 78, "password"),
    ],
)
def test_each_mistake_has_its_exit_code_and_two_lines(
    llmchat: Llmchat, arguments: list[str], code: int, says: str
) -> None:
    ran = llmchat(*arguments)
    assert (ran.code, ran.out if "--json" not in arguments else b"") == (code, b"")
    assert says in ran.error
    assert "topsecret" not in ran.err


def test_a_variable_out_of_range_and_an_unsafe_dotenv_are_errors(echo: Llmchat) -> None:
    ran = echo.with_environ(LLMCHAT_TEMPERATURE="3")("ask", "?")
    assert (ran.code, ran.error) == (78, "LLMCHAT_TEMPERATURE is '3'")
    (echo.home / ".env").write_text("LLMCHAT_SEED=1\n")
    (echo.home / ".env").chmod(0o666)
    ran = echo("ask", "?")
    assert (ran.code, ran.error) == (77, "others can write to .env here")


def test_debug_shows_where_an_error_came_from_without_its_control_characters(echo: Llmchat) -> None:
    ran = echo("ask", "--debug", "-f", "mis\x1bsing", "?")
    assert ran.code == 66
    assert "Traceback (most recent call last):" in ran.err
    assert "\x1b" not in ran.err
    assert ran.err.splitlines()[-2].startswith("llmchat: error: there is no file mis␛sing")


# Streams


def test_a_full_disk_behind_stdout_is_said(echo: Llmchat) -> None:
    with Path("/dev/full").open("wb") as full:
        for arguments in (["ask", "Hi"], ["ask", "--json", "Hi"], ["--version"], ["models"]):
            ran = echo(*arguments, stdout=full.fileno())
            assert ran.code == 74, arguments
            assert "No space left" in ran.error


def test_a_reader_that_left_ends_it_quietly_and_the_answer_is_kept(echo: Llmchat) -> None:
    read, write = os.pipe()
    os.close(read)
    ran = echo("ask", "One two", stdout=write)
    os.close(write)
    assert (ran.code, ran.err) == (141, "")
    messages = echo.history()["messages"]
    assert isinstance(messages, list)
    assert (messages[1]["text"], messages[1]["status"]) == ("One", "stopped")


@pytest.mark.parametrize(
    ("redirection", "code", "out"), [("<&-", 0, b"Hi\n"), (">&-", 74, b""), ("2>&-", 0, b"Hi\n")]
)
def test_a_stream_may_be_closed(echo: Llmchat, redirection: str, code: int, out: bytes) -> None:
    ran = echo("ask", "Hi", redirection=redirection)
    assert (ran.code, ran.out) == (code, out)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("locale", [{"LANG": "C"}, {"LC_ALL": "POSIX"}, {"PYTHONIOENCODING": "latin-1"}])
def test_output_is_utf_8_whatever_the_locale(echo: Llmchat, locale: dict[str, str]) -> None:
    ran = echo.with_environ(**locale)("ask", "-f", "你.txt", "?")
    assert ran.error == "there is no file 你.txt"
    assert echo.with_environ(**locale)("ask", "é你").out == "é你\n".encode()


# Help


def test_the_version_is_told(llmchat: Llmchat) -> None:
    ran = llmchat("--version")
    assert (ran.code, ran.out, ran.err) == (0, f"llmchat {__version__}\n".encode(), "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(llmchat: Llmchat, command: tuple[str, ...]) -> None:
    ran = llmchat(*command, "--help" if len(command) != 1 else "-h")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.decode().lstrip().startswith(f"Usage: {' '.join(('llmchat', *command))}")
    assert b"\x1b" not in ran.out


def test_no_option_takes_a_key(llmchat: Llmchat) -> None:
    help_text = llmchat("ask", "--help").out.decode()
    assert "--max-new-tokens" in help_text
    assert "--api-key" not in help_text
    assert "--key" not in help_text


def test_models_lists_what_there_is(llmchat: Llmchat) -> None:
    names = [each["name"] for each in json.loads(llmchat("models", "--json").out)]
    assert names == ["smollm2", "qwen", "echo", "canned"]
    assert [line.split()[0] for line in llmchat("models").out.decode().splitlines()] == names
