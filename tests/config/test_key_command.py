"""Keys that a command prints, run for real."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from llmchat.config.key_command import KeyCommands
from llmchat.errors import ConfigError
from waiting import is_running, wait_until

SECRET = "topsecret-1234"


@pytest.fixture
def commands() -> KeyCommands:
    return KeyCommands({"PATH": os.environ["PATH"], "GREETING": "hello"})


class Script:
    """A shell script that notes each run."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, script: str) -> tuple[str, ...]:
        return "sh", "-c", f"echo run >> {self._log}; {script}"

    @property
    def runs(self) -> int:
        return self._log.read_text().count("run\n")


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path / "log")


async def test_what_it_prints_is_the_key_and_it_is_run_once(commands: KeyCommands, script: Script) -> None:
    prints = script(f"echo; echo '  {SECRET} '")
    first, second = await asyncio.gather(commands.read(prints), commands.read(prints))
    assert first == second == await commands.read(prints) == SECRET
    assert script.runs == 1


async def test_it_gets_the_environment_and_nothing_to_read(commands: KeyCommands) -> None:
    assert await commands.read(("sh", "-c", 'read x; echo "$GREETING$x"')) == "hello"


async def test_it_is_run_without_a_shell(commands: KeyCommands) -> None:
    assert await commands.read(("echo", "$GREETING;id")) == "$GREETING;id"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("echo no such entry >&2; exit 3", "failed with exit code 3", "its last error line: no such entry"),
        (
            f"echo {SECRET}; echo got {SECRET} >&2; exit 1",
            "failed with exit code 1",
            "its last error line: got [key]",
        ),
        (f"echo {SECRET}; exit 1", "failed with exit code 1", None),
        ("kill -9 $$", "was killed by signal 9", None),
        ("true", "printed no key", "print the key"),
        (f"echo {SECRET}; echo user: me", "printed no key", "on one line"),
        ("printf '\\377'", "printed no key", "on one line"),
    ],
)
async def test_a_failure_names_the_program_and_never_what_it_printed(
    commands: KeyCommands, script: Script, text: str, message: str, hint: str | None
) -> None:
    for _ in range(2):  # what failed is tried again
        with pytest.raises(ConfigError) as caught:
            await commands.read(script(text))
        assert caught.value.message == f"key_command sh {message}"
        assert hint is None if caught.value.hint is None else str(hint) in caught.value.hint
        assert SECRET not in f"{caught.value.message}{caught.value.hint}"
    assert script.runs == 2


async def test_a_program_that_is_not_there_is_named(commands: KeyCommands) -> None:
    with pytest.raises(ConfigError, match="key_command no-such-program cannot be run: No such file"):
        await commands.read(("no-such-program", "x"))
    with pytest.raises(ConfigError, match="cannot be named"):
        await commands.read(("sh", "a\0b"))


async def test_what_does_not_end_is_ended_with_all_it_started(
    tmp_path: Path,
) -> None:
    commands = KeyCommands({"PATH": os.environ["PATH"]}, deadline=0.3)
    pids = tmp_path / "pids"
    with pytest.raises(ConfigError, match=r"key_command sh did not end within 0\.3 s"):
        await commands.read(("sh", "-c", f"sleep 60 & echo $! > {pids}; yes"))
    child = int(pids.read_text())
    wait_until(lambda: not is_running(child))


async def test_it_ends_when_nobody_waits_for_it_any_more(commands: KeyCommands, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    reading = asyncio.ensure_future(commands.read((sys.executable, "-c", _SLEEPER, str(pid))))
    await asyncio.to_thread(wait_until, lambda: pid.exists() and pid.read_text())
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not is_running(int(pid.read_text()))


_SLEEPER = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(60)"
