"""The page of first mistakes: every command on it is run, and says what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import pytest

from command import Llmchat
from servers import json_reply
from servers.openai import CHAT, OpenAIServer

PAGE = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
SHOWN = "localhost:8080"
INI = {
    "A typo in a profile": '[profiles.work]\nurl = "https://work.example/v1"\n',
    "A typo in a setting": "temprature = 0.2\n",
}
"""What is in config.toml under these headings."""
EXITS = {
    "The URL has no scheme": [78],
    "The port is wrong, or the server does not run": [69],
    "The key has expired": [77],
    "The key is for another host": [77],
    "A typo in a profile": [2],
    "A typo in a setting": [0],
    "Temperature 7": [2, 78],
    "The model is not on the server": [78],
    "The server is still loading its model": [69],
    "No weights, and no network": [66],
}


@dataclass(frozen=True)
class Example:
    """A command under a heading, with its variables, and all it says."""

    heading: str
    environ: dict[str, str]
    arguments: list[str]
    says: list[str]
    code: int


def examples() -> list[Example]:
    found = []
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        heading, _, text = section.partition("\n")
        blocks = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for block, code in zip(blocks, EXITS.get(heading, []), strict=True):
            environ: dict[str, str] = {}
            for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE):
                words = shlex.split(line)
                first = next((at for at, word in enumerate(words) if word == "llmchat"), len(words))
                environ |= dict(word.split("=", 1) for word in words[:first] if word != "export")
            says = [line for line in block.splitlines() if not line.startswith("$ ")]
            found.append(Example(heading, environ, words[first + 1 :], says, code))
    return found


@pytest.fixture
async def server() -> AsyncGenerator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


def misbehave(server: OpenAIServer, heading: str) -> None:
    """Makes the server what the heading says."""
    if "key" in heading:
        denied = json_reply({"error": {"message": "Invalid API key", "type": "authentication_error"}}, 401)
        server.always(CHAT, denied)
        server.always("/v1/models", denied)
    elif "model is not" in heading:
        server.always("/v1/models", json_reply({"data": [{"id": "small"}, {"id": "large"}]}))
        missing = {"message": "The model `huge` does not exist.", "type": "NotFoundError", "code": 404}
        server.always(CHAT, json_reply({"error": missing}, 404))
    elif "loading" in heading:
        loading = {"message": "Loading model", "type": "unavailable_error", "code": 503}
        for path in (CHAT, "/info", "/v1/models"):
            server.always(path, json_reply({"error": loading}, 503))


@pytest.mark.parametrize("example", examples(), ids=lambda each: f"{each.heading} ({each.code})")
async def test_a_mistake_ends_in_what_the_page_says(
    example: Example, llmchat: Llmchat, server: OpenAIServer
) -> None:
    misbehave(server, example.heading)
    if ini := INI.get(example.heading):
        folder = llmchat.home / "kept" / "config"
        folder.mkdir(parents=True, mode=0o700)
        (folder.parent).chmod(0o700)
        (folder / "config.toml").touch(0o600)
        (folder / "config.toml").write_text(ini)
    here = server.url.removeprefix("http://")
    # Without a scheme nothing is reached: that example is the only one that does not get our port.
    arguments = [word.replace(f"http://{SHOWN}", server.url) for word in example.arguments]
    ran = await llmchat.with_environ(**example.environ).beside(*arguments)
    said = [*ran.err.splitlines(), *ran.out.decode().splitlines()]
    assert (ran.code, [line.replace(here, SHOWN) for line in said]) == (example.code, example.says)


def test_there_are_the_ten_mistakes() -> None:
    assert {each.heading for each in examples()} == EXITS.keys()
    assert len(EXITS) == 10
