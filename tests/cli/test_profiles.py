"""Profiles as a process against servers: which one is asked, what it is sent, and whose key."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from command import Llmchat
from servers.openai import CHAT, OpenAIServer
from servers.tgi import TgiServer

KEY = "topsecret-1234"


@pytest.fixture
async def work() -> AsyncGenerator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


@pytest.fixture
async def other() -> AsyncGenerator[TgiServer]:
    async with TgiServer() as running:
        yield running


@pytest.fixture
def shell(llmchat: Llmchat, work: OpenAIServer, other: TgiServer) -> Llmchat:
    """A shell whose environment has a server and its key, beside a file with a profile of another."""
    folder = llmchat.home / "kept" / "config"
    for each in (folder.parent, folder):
        each.mkdir(mode=0o700)  # parents=True would leave the upper one to the umask
    (folder / "config.toml").touch(mode=0o600)
    (folder / "config.toml").write_text(
        f"""
        [profiles.work]
        url = "{work.url}/v1"
        model = "big"
        system = "Be brief."
        temperature = 0
        key_command = "./key"
        """
    )
    write_command(llmchat, f"echo {KEY}")
    return llmchat.with_environ(
        LLMCHAT_URL=other.url, LLMCHAT_API_KEY="of-the-other", LLMCHAT_MODEL="small", LLMCHAT_WAIT="0"
    )


def write_command(llmchat: Llmchat, script: str) -> None:
    """The command of the profile, which notes that it was run."""
    command = llmchat.home / "key"
    command.write_text(f"#!/bin/sh\necho run >> runs\n{script}\n")
    command.chmod(0o700)


def runs(llmchat: Llmchat) -> int:
    noted = llmchat.home / "runs"
    return noted.read_text().count("run\n") if noted.exists() else 0


async def test_a_named_profile_reaches_its_server_with_its_key_and_settings(
    shell: Llmchat, work: OpenAIServer, other: TgiServer
) -> None:
    ran = await shell.beside("-m", "work", "ask", "Hi")
    assert (ran.code, ran.out, ran.err) == (0, b"Hello there\n", "")
    assert other.requests == []
    assert {request.headers.get("Authorization") for request in work.requests} == {f"Bearer {KEY}"}
    (body,) = work.bodies(CHAT)
    assert (body["model"], body["temperature"]) == ("big", 0)
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
    ]
    assert runs(shell) == 1
    kept = b"".join(path.read_bytes() for path in (shell.home / "kept" / "data").iterdir())
    assert KEY.encode() not in kept


async def test_the_key_of_a_profile_goes_to_no_other_url_and_that_is_said(
    shell: Llmchat, work: OpenAIServer, other: TgiServer
) -> None:
    (shell.home / "kept" / "config" / "config.toml").write_text(
        f'[profiles.work]\nurl = "{work.url}"\napi_key = "{KEY}"\n'
    )
    shell = Llmchat(shell.home, {"LLMCHAT_WAIT": "0"})
    ran = await shell.beside("ask", "-m", "work", "--url", other.url, "Hi")
    assert (ran.code, ran.out) == (0, b"Hello there\n")
    assert all("Authorization" not in request.headers for request in other.requests)
    assert f"belongs to {work.url}, so it is not sent to {other.url}" in ran.err
    assert KEY not in ran.err


async def test_the_command_is_not_run_where_nothing_is_sent(shell: Llmchat, work: OpenAIServer) -> None:
    dry = await shell.beside("ask", "-m", "work", "--dry-run", "Hi")
    shown = await shell.beside("-m", "work", "config", "show")
    offline = await shell.beside("ask", "-m", "smollm2", "--offline", "Hi")
    assert (dry.code, shown.code, offline.code) == (0, 0, 66)
    assert b"set (from key_command ./key)" in shown.out
    assert (runs(shell), work.requests) == (0, [])


@pytest.mark.parametrize(
    ("script", "error", "hint"),
    [
        (
            f"echo {KEY}; echo 'no entry' >&2; exit 1",
            "failed with exit code 1",
            "its last error line: no entry",
        ),
        ("exit 0", "printed no key", "it must print the key"),
    ],
)
async def test_a_command_that_fails_is_a_configuration_error_that_never_shows_its_output(
    shell: Llmchat, work: OpenAIServer, script: str, error: str, hint: str
) -> None:
    write_command(shell, script)
    ran = await shell.beside("ask", "-m", "work", "--debug", "Hi")
    assert ran.code == 78
    assert ran.err.splitlines()[-2:] == [
        f"llmchat: error: key_command ./key {error}",
        f"llmchat: hint: {hint}",
    ]
    assert KEY not in ran.err
    assert work.requests == []


async def test_what_dotenv_says_can_be_trusted_with_the_line_of_the_hint(
    llmchat: Llmchat, other: TgiServer
) -> None:
    (llmchat.home / ".env").write_text(f"LLMCHAT_URL={other.url}\n")
    shell = llmchat.with_environ(LLMCHAT_API_KEY=KEY, LLMCHAT_WAIT="0")
    ran = await shell.beside("ask", "Hi")
    path = llmchat.home / "kept" / "config" / "config.toml"
    assert (ran.code, other.requests) == (78, [])
    told = f"llmchat: hint: if you trust it, add at the top of {path}: "
    assert ran.err.splitlines()[1].startswith(told)
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700)  # parents=True would leave the upper one to the umask
    write_line(path, ran.err.splitlines()[1].removeprefix(told))
    assert (await shell.beside("ask", "Hi")).code == 0
    assert other.requests[-1].headers["Authorization"] == f"Bearer {KEY}"


def write_line(path: Path, line: str) -> None:
    path.touch(mode=0o600)
    path.write_text(f"{line}\n")
