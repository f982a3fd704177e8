"""Run as a process of its own by a test: a process for each line of stdin, which asks and hears without end.

All are forked from this one, which has imported everything, so that fifty of them start in no time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

from llmchat import weights
from llmchat.app import Session
from llmchat.backends.echo import EchoBackend
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.core.generation import Event, Request, Token
from llmchat.core.prompt_format import FORMATS

QUESTION = "the question"


class Endless(EchoBackend):
    """Says "0 1 2 ..." at the pace of a model; the time of each on stdout before it is handed on."""

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        number = 0
        while True:
            print(time.monotonic(), flush=True)
            yield Token(f"{number} ")
            number += 1
            await asyncio.sleep(0.005)


@contextmanager
def no_fetching(_: weights.Model) -> Iterator[weights.Progress]:
    yield lambda _done, _total: None


async def ask(home: str) -> None:
    """One turn without end in a new conversation; "asked" on stdout once it is begun."""
    folders = Folders.find({"LLMCHAT_HOME": home})
    config = resolve({"model": "echo"}, environ={}, directory=Path(home))
    endless = Endless(prompt_format=FORMATS["transcript"])
    session = Session(config, folders, fetching=no_fetching, connection=endless)
    session.keep()
    async with session.ask(QUESTION) as turn:
        print("asked", flush=True)
        async for _ in turn:
            pass


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries them
    for line in sys.stdin:
        home = line.rstrip("\n")
        child = os.fork()
        if child == 0:
            out = os.open(f"{home}/out", os.O_WRONLY | os.O_CREAT, 0o600)
            os.dup2(out, 1)
            asyncio.run(ask(home))
        print(child, flush=True)


if __name__ == "__main__":
    main()
