"""How far a token goes from the socket to the view: counted on real streams into a pipe, not timed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from measured import UNMEASURED
from servers import LoopbackServer, Reply
from servers.openai import CHAT, OpenAIServer
from servers.openai import stream as openai_stream
from servers.tgi import TgiServer
from servers.tgi import stream as tgi_stream

PROFILED = Path(__file__).with_name("profiled.py")
FEW, MANY = 50, 550
MOST_CALLS = 30
MOST_GENERATORS = 3


async def calls_of(
    server: LoopbackServer, path: str, reply: Reply, folder: Path
) -> dict[str, tuple[int, bool]]:
    """How often each function of llmchat runs, and whether it is an asynchronous generator."""
    server.always(path, reply)
    counts = folder / "counts.json"
    ask = ("ask", "--url", server.url, "-n", "600", "Hello?")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROFILED), str(counts), *ask),
        env={**os.environ, **UNMEASURED, "LLMCHAT_HOME": str(folder / "home")},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate()
    assert out.count(b"word") == sum(1 for step in reply.steps if "word" in str(step))
    return {name: (count, generator) for name, count, generator in json.loads(counts.read_text())}


@pytest.mark.parametrize("kind", [TgiServer, OpenAIServer])
async def test_a_token_passes_few_calls_and_generators(
    kind: type[TgiServer | OpenAIServer], tmp_path: Path
) -> None:
    path, stream = ("/", tgi_stream) if kind is TgiServer else (CHAT, openai_stream)
    async with kind() as server:
        few = await calls_of(server, path, stream(*[" word"] * FEW), tmp_path)
        many = await calls_of(server, path, stream(*[" word"] * MANY), tmp_path)
    a_token = {name: (many[name][0] - few.get(name, (0, False))[0]) / (MANY - FEW) for name in many}
    calls = {name: round(each, 2) for name, each in a_token.items() if each > 0.05}
    generators = [name for name in calls if many[name][1]]
    assert len(generators) <= MOST_GENERATORS, generators
    assert sum(calls.values()) <= MOST_CALLS, sorted(calls.items())
