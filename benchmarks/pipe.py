"""What it costs to read a reply from a TGI endpoint into a pipe: llmchat, and the bare client library."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

FEW = 20
"""Tokens of a reply that is measured for what starting a process costs."""
ROUNDS = 4  # the best of each counts

BARE = """
import asyncio, sys
from text_generation import AsyncClient

async def main():
    client = AsyncClient(sys.argv[1], timeout=600)
    async for piece in client.generate_stream("x", max_new_tokens=int(sys.argv[2])):
        if not piece.token.special:
            print(piece.token.text, end="", flush=True)

asyncio.run(main())
"""


def _event(number: int, *, last: bool) -> bytes:
    token = {"id": number, "text": f" w{number % 1000:03}", "logprob": -0.25, "special": False}
    details = {"finish_reason": "length", "generated_tokens": number, "seed": None} if last else None
    text = "all of it" if last else None
    payload = json.dumps({"index": number, "token": token, "generated_text": text, "details": details})
    data = f"data:{payload}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the next request, b"" where there is none."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _serve() -> None:
    """Generates as many tokens as it is asked for, each in a write of its own; its port on stdout."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            length = re.search(rb"content-length: *(\d+)", head.lower())
            body = await reader.readexactly(int(length[1])) if length else b""
            if head.startswith(b"GET"):
                info = b'{"model_id": "bench", "max_total_tokens": 1000000, "max_input_tokens": 1000}'
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(info), info))
                continue
            count = json.loads(body)["parameters"]["max_new_tokens"]
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for number in range(1, count + 1):
                writer.write(_event(number, last=number == count))
                await writer.drain()
                await asyncio.sleep(0)
            writer.write(b"0\r\n\r\n")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - our own
        assert running.stdout is not None
        yield f"http://127.0.0.1:{running.stdout.readline().strip()}"
        running.kill()


def _cpu(command: Sequence[str], home: str) -> float:
    """CPU seconds of a command whose output goes through a pipe."""
    environ = {**os.environ, "LLMCHAT_HOME": home, "LLMCHAT_CONTEXT": ""}
    environ = {name: value for name, value in environ.items() if value and not name.startswith("HF_")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ) as running:  # noqa: S603 - our own
        assert running.stdout is not None
        while running.stdout.read(1 << 16):
            pass
    if running.returncode not in (0, None):
        raise SystemExit(f"{command[0]} exited with {running.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(tokens: int) -> tuple[float, float]:
    """CPU seconds a token of llmchat and of the bare client, both without what starting them costs."""

    def command(url: str, count: int, *, bare: bool) -> list[str]:
        if bare:
            return [sys.executable, "-c", BARE, url, str(count)]
        return [
            sys.executable,
            "-m",
            "llmchat",
            "ask",
            "--url",
            url,
            "--api",
            "tgi",
            "-q",
            "-n",
            str(count),
            "x",
        ]

    with _server() as url, tempfile.TemporaryDirectory() as home:
        costs: dict[tuple[bool, int], list[float]] = {}
        for _ in range(ROUNDS):
            for bare in (False, True):
                for count in (FEW, tokens):
                    costs.setdefault((bare, count), []).append(_cpu(command(url, count, bare=bare), home))
    best = {
        bare: (min(costs[bare, tokens]) - min(costs[bare, FEW])) / (tokens - FEW) for bare in (False, True)
    }
    return best[False], best[True]


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_serve())
    ours, bare = measure(20_000)
    print(f"llmchat {ours * 1e6:.1f} us a token, bare {bare * 1e6:.1f}, ratio {ours / bare:.2f}")
