"""The program as a process that has to end: wherever it waits, however early, or deserted by its reader."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from command import Llmchat
from measured import UNMEASURED
from servers import Fault, LoopbackServer, Reply, json_reply
from servers import openai as openai_server
from servers import tgi as tgi_server
from servers.openai import OpenAIServer
from servers.tgi import TgiServer
from waiting import is_running, wait_until

ENDING = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
WITHIN_S = 20


@dataclass(frozen=True)
class Endpoint:
    """A server of one wire format, and llmchat that asks it."""

    server: LoopbackServer
    path: str
    stream: Callable[..., Reply]
    llmchat: Llmchat
    running: list[subprocess.Popen[bytes]]

    async def ask(self, reply: Reply, *options: str, before: str = "") -> subprocess.Popen[bytes]:
        """Starts `ask`, to be answered so; returns when the server has the question."""
        self.server.always(self.path, reply)
        process = self.llmchat.start("ask", *options, "Hi", before=before)
        self.running.append(process)
        async with asyncio.timeout(WITHIN_S):
            while not self.server.bodies(self.path):
                assert process.poll() is None
                self.server.asked.clear()
                await self.server.asked.wait()
        return process

    def kept(self) -> list[tuple[str, str]]:
        """Text and status of what was kept."""
        messages = self.llmchat.history()["messages"]
        assert isinstance(messages, list)
        return [(each["text"], each["status"]) for each in messages]


@pytest.fixture
def running() -> Iterator[list[subprocess.Popen[bytes]]]:
    """What is started, to be ended and closed with the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        process.kill()
        process.__exit__(None, None, None)


@pytest.fixture(params=["tgi", "openai"])
async def endpoint(
    request: pytest.FixtureRequest, llmchat: Llmchat, running: list[subprocess.Popen[bytes]]
) -> AsyncGenerator[Endpoint]:
    api = request.param
    async with TgiServer() if api == "tgi" else OpenAIServer() as server:
        path, stream = (
            ("/", tgi_server.stream) if api == "tgi" else (openai_server.CHAT, openai_server.stream)
        )
        model = {} if api == "tgi" else {"LLMCHAT_MODEL": "m"}
        asking = llmchat.with_environ(LLMCHAT_URL=server.url, LLMCHAT_API=api, **model)
        yield Endpoint(server, path, stream, asking, running)


async def first_text(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    async with asyncio.timeout(WITHIN_S):
        return await asyncio.to_thread(process.stdout.read1)


async def ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    """Its exit code, and what it still said."""
    out, err = await asyncio.to_thread(process.communicate, timeout=WITHIN_S)
    return process.returncode, out, err


async def deserted(process: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """Its exit code and what it said on stderr; nobody reads its stdout."""
    assert process.stderr is not None
    code = await asyncio.to_thread(process.wait, WITHIN_S)
    return code, process.stderr.read()


def stop(process: subprocess.Popen[bytes]) -> None:
    """What follows happens to it at one and the same moment: when it is continued."""
    process.send_signal(signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])


# Wherever it waits


@pytest.mark.parametrize(("number", "code"), ENDING)
async def test_a_signal_before_the_first_token_ends_it(
    endpoint: Endpoint, number: signal.Signals, code: int
) -> None:
    process = await endpoint.ask(endpoint.stream(Fault.HANG))
    process.send_signal(number)
    assert await ended(process) == (code, b"", b"")
    async with asyncio.timeout(WITHIN_S):
        await endpoint.server.left.wait()
    assert endpoint.kept() == [("Hi", "complete"), ("", "stopped")]


async def test_a_signal_before_the_server_answers_at_all_ends_it(endpoint: Endpoint) -> None:
    process = await endpoint.ask(Reply(before=Fault.HANG))
    process.send_signal(signal.SIGTERM)
    assert await ended(process) == (143, b"", b"")
    async with asyncio.timeout(WITHIN_S):
        await endpoint.server.left.wait()


@pytest.mark.parametrize("options", [(), ("--json",), ("--no-stream",)])
async def test_a_signal_while_another_try_waits_ends_it(endpoint: Endpoint, options: tuple[str, ...]) -> None:
    process = await endpoint.ask(json_reply({"error": "busy"}, 502, Retry_After="60"), *options)
    process.send_signal(signal.SIGINT)
    assert await ended(process) == (130, b"", b"")
    assert len(endpoint.server.bodies(endpoint.path)) == 1
    assert endpoint.kept() == [("Hi", "complete"), ("", "stopped")]


async def test_the_server_is_let_go_before_the_disk_is_waited_for(endpoint: Endpoint) -> None:
    process = await endpoint.ask(endpoint.stream(" Half", Fault.HANG))
    assert (await first_text(process)).strip() == b"Half"
    database = endpoint.llmchat.home / "kept" / "data" / "conversations.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # what is to be kept has to wait
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN_S):
            await endpoint.server.left.wait()
        assert process.poll() is None
        other.execute("ROLLBACK")
    assert (await ended(process))[::2] == (143, b"")
    assert [(text.strip(), status) for text, status in endpoint.kept()] == [
        ("Hi", "complete"),
        ("Half", "stopped"),
    ]


async def test_more_signals_change_nothing(endpoint: Endpoint) -> None:
    process = await endpoint.ask(endpoint.stream(" Half", Fault.HANG))
    await first_text(process)
    process.send_signal(signal.SIGTERM)
    numbers = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
    async with asyncio.timeout(WITHIN_S):
        while process.poll() is None:
            process.send_signal(numbers[0])
            numbers.append(numbers.pop(0))
            await asyncio.sleep(0.001)
    code, _, err = await ended(process)
    assert (code in (143, 130, 129), err) == (True, b"")  # of two at once the system says which comes first
    assert endpoint.kept()[1][1] == "stopped"


@pytest.mark.parametrize("number", ["INT", "HUP", "TERM"])
async def test_a_signal_that_was_ignored_when_it_started_stays_ignored(
    endpoint: Endpoint, number: str
) -> None:
    """As nohup does it, and a shell for what runs in its background."""
    process = await endpoint.ask(endpoint.stream("Half", Fault.GATE, " whole"), before=f"trap '' {number}")
    await first_text(process)
    process.send_signal(signal.Signals[f"SIG{number}"])
    endpoint.server.open_gate()
    assert await ended(process) == (0, b" whole\n", b"")


async def test_a_name_server_that_does_not_answer_holds_nobody(
    llmchat: Llmchat, tmp_path: Path, running: list[subprocess.Popen[bytes]]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import os, socket, threading\n"
        "def resolve(*_, **__):\n    os.write(1, b'asked')\n    threading.Event().wait()\n"
        "socket.getaddrinfo = resolve\n"
    )
    process = with_path(llmchat, tmp_path).start("ask", "--url", "http://a.test", "--api", "tgi", "Hi")
    running.append(process)
    assert await first_text(process) == b"asked"
    process.send_signal(signal.SIGINT)
    assert await ended(process) == (130, b"", b"")


# However early


SENDS = """
import os, sys

class Send:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["AT"]:
            os.kill(os.getpid(), int(os.environ["NUMBER"]))

sys.meta_path.insert(0, Send())
"""


@pytest.mark.parametrize(("number", "code"), ENDING)
@pytest.mark.parametrize(
    "module",
    [
        "llmchat.cli",
        "typer",
        "llmchat.terminal.ask",
        "llmchat.terminal.device.interrupts",
        "sqlite3",
        "aiohttp",
    ],
)
def test_a_signal_during_start_up_ends_it_without_a_word(
    llmchat: Llmchat, tmp_path: Path, number: signal.Signals, code: int, module: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SENDS)
    early = with_path(llmchat, tmp_path).with_environ(AT=module, NUMBER=str(int(number)), **UNMEASURED)
    ran = early("ask", "--url", "http://127.0.0.1:9", "--api", "tgi", "Hi")
    assert (ran.code, ran.out, ran.err) == (code, b"", "")


def with_path(llmchat: Llmchat, folder: Path) -> Llmchat:
    """With the `sitecustomize` in this folder, which Python runs before all else."""
    return llmchat.with_environ(PYTHONPATH=str(folder))


@pytest.mark.parametrize(("number", "code"), ENDING)
async def test_a_signal_while_standard_input_is_read_ends_it(
    llmchat: Llmchat, running: list[subprocess.Popen[bytes]], number: signal.Signals, code: int
) -> None:
    process = llmchat.start("ask", "-m", "echo", stdin=subprocess.PIPE)
    running.append(process)
    assert process.stdin is not None
    written = await asyncio.to_thread(os.write, process.stdin.fileno(), b"x" * 200_000)
    assert written == 200_000  # more than a pipe holds: it is being read
    process.send_signal(number)
    assert await asyncio.to_thread(process.wait, WITHIN_S) == code
    assert await ended(process) == (code, b"", b"")


# The engine


@pytest.mark.parametrize(("number", "code"), ENDING)
async def test_a_signal_while_the_engine_starts_takes_the_engine_along(
    llmchat: Llmchat,
    smollm2: Path,
    tmp_path: Path,
    running: list[subprocess.Popen[bytes]],
    number: signal.Signals,
    code: int,
) -> None:
    sockets = tmp_path / "s"
    sockets.mkdir()
    process = llmchat.with_environ(TMPDIR=str(sockets)).start("ask", "-m", str(smollm2), "Hi")
    running.append(process)
    wait_until(lambda: children(process.pid))
    (engine,) = children(process.pid)
    process.send_signal(number)
    assert await ended(process) == (code, b"", b"")
    assert not is_running(engine)
    assert list(sockets.iterdir()) == []


def children(parent: int) -> list[int]:
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    ).stdout
    pairs = (map(int, line.split()) for line in table.splitlines())
    return [pid for pid, its_parent in pairs if its_parent == parent]


# A reader that left


@pytest.mark.parametrize("options", [(), ("--json",), ("--jsonl",)])
async def test_a_reader_that_leaves_before_the_first_token_ends_the_wait(
    endpoint: Endpoint, options: tuple[str, ...]
) -> None:
    process = await endpoint.ask(endpoint.stream(Fault.HANG), *options)
    assert process.stdout is not None
    process.stdout.close()
    assert await deserted(process) == (141, b"")
    async with asyncio.timeout(WITHIN_S):
        await endpoint.server.left.wait()
    assert endpoint.kept() == [("Hi", "complete"), ("", "stopped")]


async def test_a_reader_that_has_read_enough_stops_the_reply(endpoint: Endpoint) -> None:
    process = await endpoint.ask(endpoint.stream("Half", Fault.GATE, " more", Fault.HANG))
    assert await first_text(process) == b"Half"
    assert process.stdout is not None
    stop(process)
    process.stdout.close()
    endpoint.server.open_gate()
    process.send_signal(signal.SIGCONT)
    assert await deserted(process) == (141, b"")
    (_, (text, status)) = endpoint.kept()
    assert text.startswith("Half")
    assert status == "stopped"


async def test_ctrl_c_on_a_pipeline_is_ctrl_c_though_the_reader_leaves_at_the_same_moment(
    endpoint: Endpoint,
) -> None:
    process = await endpoint.ask(endpoint.stream("Half", Fault.HANG))
    await first_text(process)
    assert process.stdout is not None
    stop(process)
    process.stdout.close()
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    assert await deserted(process) == (130, b"")


def test_a_pipe_that_is_also_read_from_is_no_reader_that_left(llmchat: Llmchat, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "both")
    ran = llmchat("ask", "-m", "echo", "one two three", redirection="1<>both")
    assert (ran.code, ran.err) == (0, "")


# A disk that is full


async def test_a_disk_that_fills_up_meanwhile_costs_no_answer(endpoint: Endpoint) -> None:
    text = "word " * 4000
    reply = endpoint.stream(*[text] * 100)
    process = await endpoint.ask(reply, before="ulimit -f 2000")  # a megabyte, of which the reply has two
    code, out, err = await ended(process)
    assert (code, out.decode().strip()) == (0, (text * 100).strip())
    assert err.startswith(b"llmchat: the reply could not be saved: ")
    assert err.count(b"\n") == 1
