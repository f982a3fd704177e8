"""The program as a process that answers a file of prompts: order, faults, and going on after any end."""

from __future__ import annotations

import array
import asyncio
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from command import Llmchat
from pseudo_terminal import PseudoTerminal
from servers import Fault, Reply, json_reply
from servers.openai import CHAT, chunk
from servers.parrot import Parrot
from waiting import wait_until

Process = subprocess.Popen[bytes]
Start = Callable[..., Process]

BOOM = json_reply({"error": "boom"}, 500)


@pytest.fixture
async def server() -> AsyncGenerator[Parrot]:
    async with Parrot() as running:
        yield running


@pytest.fixture
def remote(llmchat: Llmchat, server: Parrot) -> Llmchat:
    return llmchat.with_environ(LLMCHAT_URL=f"{server.url}/v1", LLMCHAT_WAIT="0")


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command, and ends it with the test."""
    started: list[Process] = []

    def start(llmchat: Llmchat, *arguments: str, stdin: int = DEVNULL, stdout: int = PIPE) -> Process:
        started.append(llmchat.start(*arguments, stdin=stdin, stdout=stdout))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def prompts(llmchat: Llmchat, *lines: str | bytes) -> str:
    """Writes them into a file; its name."""
    content = b"".join(line.encode() + b"\n" if isinstance(line, str) else line + b"\n" for line in lines)
    (llmchat.home / "prompts").write_bytes(content)
    return "prompts"


def records(out: bytes) -> list[dict[str, object]]:
    assert out == b"" or out.endswith(b"\n")
    return [json.loads(line) for line in out.splitlines()]


def texts(out: bytes) -> list[object]:
    return [record.get("text") for record in records(out)]


def journals(llmchat: Llmchat) -> list[Path]:
    return sorted((llmchat.home / "kept" / "state" / "batches").glob("*"))


async def lines_of(process: Process, count: int) -> bytes:
    """The next lines of its stdout."""
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return b"".join([await asyncio.to_thread(process.stdout.readline) for _ in range(count)])


async def end_of(process: Process) -> tuple[bytes, str]:
    """What it still says until it ends."""
    async with asyncio.timeout(20):
        out, err = await asyncio.to_thread(process.communicate, timeout=15)
    return out, err.decode()


# Lines in, lines out


def test_every_line_has_an_answer_in_order_and_a_bad_one_stops_no_other(echo: Llmchat) -> None:
    name = prompts(
        echo,
        "What is it?",
        "",
        '{"prompt": "One two three", "id": "a", "max_tokens": 2}',
        b"\xff",
        '{"prompt": "Hi", "temprature": 1, "id": 7}',
        '"\\u00e9\\u4f60"',
    )
    ran = echo("ask", "--batch", name)
    first, cut, bad, unknown, last = records(ran.out)
    assert set(first) == {
        "line",
        "text",
        "finish_reason",
        "backend",
        "model",
        "conversation",
        "usage",
        "timings",
    }
    assert (first["line"], first["text"], first["finish_reason"]) == (1, "What is it?", "stop")
    assert (first["backend"], first["conversation"]) == ("echo", None)
    assert (cut["line"], cut["id"], cut["text"], cut["finish_reason"]) == (3, "a", "One two", "length")
    assert bad == {
        "line": 4,
        "error": {
            "message": "the line is not UTF-8 (byte 0)",
            "hint": "convert it, for example with iconv",
            "exit_code": 65,
        },
    }
    assert (unknown["line"], unknown["id"], set(unknown)) == (5, 7, {"line", "id", "error"})
    assert (last["line"], last["text"]) == (6, "é你")
    assert ran.code == 65
    counts, error, hint = ran.err.splitlines()
    assert re.fullmatch(r"llmchat: 3 answered, 2 failed, 1 cut by --max-tokens, 6 tokens, \d+\.\d s", counts)
    assert error == "llmchat: error: 2 lines have no answer; line 4: the line is not UTF-8 (byte 0)"
    assert hint.endswith("; the same command retries only these")
    assert echo("history", "list").out == b"No conversations yet.\n"


def test_standard_input_files_and_words_make_the_questions(echo: Llmchat) -> None:
    (echo.home / "note").write_text("noted\n")
    ran = echo("ask", "--batch", "-", "-f", "note", "In", "short.", stdin=b"One\nTwo")
    assert texts(ran.out) == ["noted\n\nOne\n\nIn short.", "noted\n\nTwo\n\nIn short."]
    assert ran.code == 0
    assert texts(echo("--batch", "-", stdin=b"One\n").out) == ["One"]
    assert texts(echo("chat", "--batch", prompts(echo, "One")).out) == ["One"]


def test_an_input_without_prompts_is_answered_with_nothing(echo: Llmchat) -> None:
    ran = echo("ask", "-q", "--batch", "-", stdin=b"\n \n")
    assert (ran.code, ran.out, ran.err) == (0, b"", "")


async def test_an_answer_is_there_before_the_next_line_comes(start: Start, echo: Llmchat) -> None:
    process = start(echo, "ask", "--batch", "-", stdin=PIPE)
    assert process.stdin is not None
    for text in ("One", "Two"):
        process.stdin.write(f"{text}\n".encode())
        process.stdin.flush()
        assert texts(await lines_of(process, 1)) == [text]
    process.send_signal(signal.SIGINT)  # also while it waits for a line
    out, _ = await end_of(process)
    assert (process.returncode, out) == (130, b"")


async def test_a_line_has_settings_and_a_system_message_of_its_own(remote: Llmchat, server: Parrot) -> None:
    name = prompts(
        remote,
        "One",
        '{"prompt": "Two", "temperature": 0, "seed": 5, "stop": ["X"], "system": "Be brief."}',
        '{"prompt": "Three", "system": ""}',
    )
    ran = await remote.beside(
        "ask", "-s", "All.", "-n", "9", "--seed", "4", "--batch", name, "--concurrency", "1"
    )
    assert ran.code == 0
    one, two, three = server.bodies(CHAT)
    assert [(each["max_tokens"], each["seed"]) for each in (one, two, three)] == [(9, 4), (9, 5), (9, 4)]
    assert (one["temperature"], two["temperature"], two["stop"]) == (0.7, 0, ["X"])
    assert one["messages"] == [{"role": "system", "content": "All."}, {"role": "user", "content": "One"}]
    assert two["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Two"}]
    assert three["messages"] == [{"role": "user", "content": "Three"}]


async def test_whole_replies_and_completions_are_asked_for_as_ask_does(
    remote: Llmchat, server: Parrot
) -> None:
    name = prompts(remote, "One")
    assert texts((await remote.beside("ask", "--no-stream", "--batch", name)).out) == ["One"]
    assert server.bodies(CHAT)[0]["stream"] is False
    await remote.beside("ask", "--raw-prompt", "--batch", name)
    assert server.bodies("/v1/completions")[0]["prompt"] == "One"


async def test_a_dry_run_shows_what_each_line_would_send_and_sends_nothing(
    remote: Llmchat, server: Parrot
) -> None:
    name = prompts(remote, '{"prompt": "One", "id": 1, "system": "Be brief."}', "{")
    ran = await remote.beside("ask", "--api", "tgi", "--dry-run", "--batch", name, "?")
    good, bad = records(ran.out)
    assert (good["line"], good["id"]) == (1, 1)
    assert good["prompt"] == "System: Be brief.\nUser: One\n\n?\nAssistant:"
    assert (ran.code, "error" in bad, server.requests, journals(remote)) == (65, True, [], [])


# At once


@pytest.mark.parametrize(
    ("arguments", "at_once"), [([], 8), (["--concurrency", "3"], 3), (["--concurrency", "130"], 130)]
)
async def test_so_many_requests_are_under_way_at_once_over_as_many_connections(
    llmchat: Llmchat, arguments: list[str], at_once: int
) -> None:
    lines = [f"question {number}" for number in range(2 * at_once)]
    async with Parrot(gated=lines, capacity=at_once) as server:
        remote = llmchat.with_environ(LLMCHAT_URL=f"{server.url}/v1")
        running = asyncio.create_task(
            remote.beside("ask", "-q", "--batch", prompts(remote, *lines), *arguments)
        )
        async with asyncio.timeout(20):
            await server.full.wait()
        assert len(server.bodies(CHAT)) == at_once
        server.open_gate()
        ran = await running
        assert (ran.code, texts(ran.out)) == (0, lines)
        assert server.most == at_once
        if at_once < 100:  # with many, a reply's end may come too late for its connection to be kept
            assert server.connections == at_once
        assert len([each for each in server.requests if each.path == "/v1/models"]) <= 2


async def test_answers_are_in_order_or_as_they_come(start: Start, remote: Llmchat, server: Parrot) -> None:
    server.gated = {"slow"}
    name = prompts(remote, "slow", "b", "c", "d")
    process = start(remote, "ask", "--batch", name, "--concurrency", "2", "--unordered", "--no-save")
    assert texts(await lines_of(process, 3)) == ["b", "c", "d"]
    server.open_gate()
    out, _ = await end_of(process)
    assert (texts(out), process.returncode) == (["slow"], 0)
    ran = await remote.beside("ask", "--batch", name, "--concurrency", "2")
    assert [record["line"] for record in records(ran.out)] == [1, 2, 3, 4]


# Going on


async def test_after_kill_9_the_same_command_asks_only_what_has_no_answer(
    start: Start, remote: Llmchat, server: Parrot
) -> None:
    server.gated = {"d"}
    command = ("ask", "--batch", prompts(remote, "a", "b", "c", "d", "e", "f"), "--concurrency", "2")
    process = start(remote, *command, "--unordered")
    assert {*texts(await lines_of(process, 5))} == {"a", "b", "c", "e", "f"}
    process.kill()
    await end_of(process)
    (journal,) = journals(remote)
    with journal.open("ab") as file:
        file.write(b'{"line": 4, "key": "')  # as if it had died while it wrote
    server.open_gate()
    ran = await remote.beside(*command)
    assert (ran.code, texts(ran.out)) == (0, ["a", "b", "c", "d", "e", "f"])
    assert server.asked_for == {"a": 1, "b": 1, "c": 1, "d": 2, "e": 1, "f": 1}
    assert "1 answered, 5 from before, 2 tokens" in ran.err
    assert journals(remote) == []


async def test_a_line_that_was_edited_or_failed_is_asked_again_and_no_other(
    remote: Llmchat, server: Parrot
) -> None:
    server.instead = {"b": BOOM}
    command = ("ask", "--batch", prompts(remote, "a", "b", "c", "d"))
    ran = await remote.beside(*command)
    assert (ran.code, texts(ran.out)) == (69, ["a", None, "c", "d"])
    assert "1 line has no answer; line 2: " in ran.err
    server.instead.clear()
    prompts(remote, "a", "b", "new", "d")
    ran = await remote.beside(*command)
    assert (ran.code, texts(ran.out)) == (0, ["a", "b", "new", "d"])
    assert server.asked_for == {"a": 1, "b": 2, "c": 1, "new": 1, "d": 1}


async def test_another_way_of_asking_is_another_batch(remote: Llmchat, server: Parrot) -> None:
    server.instead = {"b": BOOM}
    name = prompts(remote, "a", "b")
    ways: list[list[str]] = [[], ["-t", "0"], ["-s", "Be brief."], ["-m", "other"]]
    for way in ways:
        await remote.beside("ask", "--batch", name, *way)
    await remote.beside("ask", "--batch", "-", stdin=b"a\nb\n")
    await remote.beside("ask", "--batch", name, "--concurrency", "1", "--unordered", "--no-stream")
    assert server.asked_for["a"] == len(ways) + 1
    assert len(journals(remote)) == len(ways) + 1


async def test_what_is_not_to_be_saved_leaves_no_trace(remote: Llmchat, server: Parrot) -> None:
    server.instead = {"b": BOOM}
    ran = await remote.beside("ask", "--no-save", "--batch", prompts(remote, "a", "b"))
    assert (ran.code, "the same command" in ran.err) == (69, False)
    assert [each.name for each in (remote.home / "kept").rglob("*") if each.is_file()] == ["servers.json"]


async def test_the_text_of_a_reply_that_broke_off_is_in_its_line(remote: Llmchat, server: Parrot) -> None:
    server.instead = {"b": Reply([chunk("Ha"), chunk("lf"), Fault.DROP])}
    ran = await remote.beside("ask", "--batch", prompts(remote, "a", "b", "c"))
    assert (ran.code, texts(ran.out)) == (76, ["a", "Half", "c"])
    assert ["error" in record for record in records(ran.out)] == [False, True, False]


async def test_every_line_is_held_to_the_schema_and_asked_again_where_it_is_not(
    remote: Llmchat, server: Parrot
) -> None:
    (remote.home / "schema.json").write_text('{"type": "integer"}')
    batch = ("ask", "--batch", prompts(remote, "1", "two", "3"), "--schema", "schema.json")
    ran = await remote.beside(*batch)
    assert (ran.code, texts(ran.out)) == (76, ["1", "two", "3"])
    assert ["error" in record for record in records(ran.out)] == [False, True, False]
    assert {str(body["response_format"]) for body in server.bodies(CHAT)} != set()
    await remote.beside(*batch)
    assert len(server.bodies(CHAT)) == 4


async def test_the_answers_are_private(remote: Llmchat, server: Parrot) -> None:
    server.instead = {"b": BOOM}
    await remote.beside("ask", "--batch", prompts(remote, "a", "b"))
    (journal,) = journals(remote)
    assert (journal.stat().st_mode & 0o777, journal.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_what_a_file_got_before_is_not_appended_to_it_again(
    start: Start, remote: Llmchat, server: Parrot
) -> None:
    name = prompts(remote, "a", "b", "c")
    out = remote.home / "out"
    out.write_bytes(b'{"line": 1, "text": "an answer of another run"}\n')
    for instead in ({"b": BOOM}, {}):
        server.instead = instead
        if not instead:
            out.write_bytes(out.read_bytes() + b'{"half')  # as if the disk had been full
        with out.open("ab") as file:
            process = start(remote, "ask", "--batch", name, stdout=file.fileno())
            await end_of(process)
    content = out.read_bytes().replace(b'{"half\n', b"")
    lines = [(each["line"], each.get("text")) for each in records(content)]
    assert lines == [(1, "an answer of another run"), (1, "a"), (2, None), (3, "c"), (2, "b")]


async def test_the_same_batch_twice_at_once_is_refused(start: Start, remote: Llmchat, server: Parrot) -> None:
    server.gated = {"b"}
    command = ("ask", "--batch", prompts(remote, "a", "b"))
    process = start(remote, *command)
    await lines_of(process, 1)
    ran = await remote.beside(*command, "-q")
    assert (ran.code, ran.out, ran.error) == (75, b"", "this batch is running already")
    server.open_gate()
    out, _ = await end_of(process)
    assert (process.returncode, texts(out), server.asked_for) == (0, ["b"], {"a": 1, "b": 1})


def test_a_folder_that_cannot_be_made_costs_no_answer(echo: Llmchat) -> None:
    (echo.home / "kept").mkdir(mode=0o700)
    (echo.home / "kept" / "state").write_text("in the way")
    (echo.home / "kept" / "state").chmod(0o600)
    ran = echo("ask", "--batch", "-", stdin=b"One\n")
    assert (ran.code, texts(ran.out)) == (0, ["One"])
    assert ran.err.startswith("llmchat: this batch cannot be resumed later: ")


# Ends


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_a_signal_stops_all_requests_and_keeps_what_is_finished(
    start: Start, remote: Llmchat, server: Parrot, number: signal.Signals, code: int
) -> None:
    server.gated = {"b", "d"}
    process = start(remote, "ask", "--batch", prompts(remote, "a", "b", "c", "d"), "--concurrency", "2")
    assert texts(await lines_of(process, 1)) == ["a"]
    async with asyncio.timeout(20):
        while "d" not in server.asked_for:
            server.asked.clear()
            await server.asked.wait()
    process.send_signal(number)
    out, err = await end_of(process)
    async with asyncio.timeout(20):
        await server.left.wait()
    assert (process.returncode, texts(out)) == (code, ["c"])
    assert re.fullmatch(
        r"llmchat: stopped: 2 answered, 4 tokens, \d+\.\d s; the same command resumes from there\n", err
    )


async def test_a_reader_that_has_enough_ends_it_quietly(
    start: Start, remote: Llmchat, server: Parrot
) -> None:
    server.gated = {"c"}
    process = start(remote, "ask", "-q", "--batch", prompts(remote, *"abcd"), "--concurrency", "1")
    assert texts(await lines_of(process, 2)) == ["a", "b"]
    assert process.stdout is not None
    process.stdout.close()
    server.open_gate()
    async with asyncio.timeout(20):
        assert await asyncio.to_thread(process.wait, 15) == 141
    assert await end_of(process) == (b"", "")
    ran = await remote.beside("ask", "-q", "--batch", "prompts")
    assert (texts(ran.out), server.asked_for) == ([*"abcd"], dict.fromkeys("abcd", 1))


def test_a_full_disk_behind_stdout_is_said_and_the_answers_are_kept(echo: Llmchat) -> None:
    with Path("/dev/full").open("wb") as full:
        ran = echo("ask", "-q", "--batch", prompts(echo, "One"), stdout=full.fileno())
    assert ran.code == 74
    assert "No space left" in ran.error
    again = echo("ask", "--batch", "prompts")
    assert (again.code, texts(again.out)) == (0, ["One"])
    assert "1 from before" in again.err


async def test_a_reader_that_is_slow_does_not_keep_it_from_being_stopped(start: Start, echo: Llmchat) -> None:
    """The pipe is full, and nobody reads."""
    process = start(echo, "ask", "--batch", prompts(echo, "x" * 500_000))
    assert process.stdout is not None
    waiting = array.array("i", [0])

    def is_full() -> bool:
        assert process.stdout is not None
        fcntl.ioctl(process.stdout, termios.FIONREAD, waiting)
        return waiting[0] > 60_000

    await asyncio.to_thread(wait_until, is_full)
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        assert await asyncio.to_thread(process.wait, 15) == 130


@pytest.mark.parametrize(
    ("reply", "code"),
    [(Reply(status=401, body=b""), 77), (json_reply({"error": "no such model"}, 404), 78)],
)
async def test_a_fault_that_every_line_would_meet_stops_it_and_leaves_the_rest(
    remote: Llmchat, server: Parrot, reply: Reply, code: int
) -> None:
    command = ("ask", "-q", "--concurrency", "1", "--batch", prompts(remote, "a", "b", "c"))
    server.instead = {"b": reply}
    ran = await remote.beside(*command)
    assert (ran.code, texts(ran.out), len(server.bodies(CHAT))) == (code, ["a"], 2)
    assert ran.error
    server.instead.clear()
    ran = await remote.beside(*command)
    assert (ran.code, texts(ran.out)) == (0, ["a", "b", "c"])
    assert server.asked_for == {"a": 1, "b": 2, "c": 1}


async def test_a_line_that_makes_the_server_hang_up_stops_no_other(remote: Llmchat, server: Parrot) -> None:
    server.instead = {"b": Reply(before=Fault.DROP)}
    ran = await remote.beside("ask", "--concurrency", "1", "--batch", prompts(remote, "a", "b", "c"))
    assert (ran.code, texts(ran.out)) == (69, ["a", None, "c"])


async def test_a_server_that_is_not_there_stops_it_at_once(llmchat: Llmchat, unused_tcp_port: int) -> None:
    nowhere = llmchat.with_environ(LLMCHAT_URL=f"http://127.0.0.1:{unused_tcp_port}/v1", LLMCHAT_WAIT="0")
    ran = nowhere("ask", "-q", "--batch", prompts(nowhere, *"abc"))
    assert (ran.code, ran.out) == (69, b"")
    assert f"127.0.0.1:{unused_tcp_port}" in ran.error
    assert journals(nowhere) == []


# What makes no sense


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--batch", "p", "-c"], 2, "--batch and -c"),
        (["--batch", "p", "--conversation", "x"], 2, "--conversation"),
        (["--batch", "p", "--jsonl"], 2, "--jsonl"),
        (["--batch", "p", "--raw"], 2, "--raw"),
        (["--batch", "p", "--concurrency", "0"], 2, "--concurrency 0"),
        (["--batch", "p", "--concurrency", "1025"], 2, "--concurrency 1025"),
        (["--batch", "p", "-"], 2, "-"),
        (["--batch", "-", "-f", "-"], 2, "standard input"),
        (["--concurrency", "2", "Hi"], 2, "--concurrency needs --batch"),
        (["--unordered", "Hi"], 2, "--unordered needs --batch"),
        (["--batch", "missing"], 66, "missing"),
        (["--batch", "."], 65, "folder"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    echo: Llmchat, arguments: Sequence[str], code: int, says: str
) -> None:
    ran = echo("ask", *arguments)
    assert (ran.code, ran.out) == (code, b"")
    assert says in ran.error


def test_a_closed_standard_input_is_no_batch(echo: Llmchat) -> None:
    ran = echo("ask", "--batch", "-", redirection="<&-")
    assert (ran.code, ran.error) == (2, "standard input is closed")


# At a terminal


def environment(llmchat: Llmchat) -> dict[str, str]:
    pythonpath = os.environ.get("PYTHONPATH", "")
    return {
        "PATH": os.environ["PATH"],
        "LLMCHAT_HOME": str(llmchat.home / "kept"),
        "LLMCHAT_MODEL": "echo",
        **({"PYTHONPATH": pythonpath} if pythonpath else {}),
    }


def test_a_terminal_behind_stderr_shows_how_far_it_is(echo: Llmchat) -> None:
    out, fifo = echo.home / "out", echo.home / "fifo"
    os.mkfifo(fifo)
    command = f"exec {sys.executable} -m llmchat ask --batch {fifo} > {out}"
    with PseudoTerminal(["sh", "-c", command], environment(echo)) as terminal:
        with fifo.open("wb", buffering=0) as prompts_in:
            prompts_in.write(b"One\n")
            terminal.wait_for("1 answered")
            prompts_in.write(b"{\n")
            terminal.wait_for("1 answered, 1 failed")
        assert terminal.wait_exit() == 65
        assert terminal.text.startswith("llmchat: 1 answered, 1 failed")  # the bar has gone
        assert [each["line"] for each in records(out.read_bytes())] == [1, 2]


def test_the_repl_refuses_a_batch(echo: Llmchat) -> None:
    command = [sys.executable, "-m", "llmchat", "--batch", "x"]
    with PseudoTerminal(command, environment(echo)) as terminal:
        assert terminal.wait_exit() == 2
        assert "--batch is only for a single answer" in terminal.text
