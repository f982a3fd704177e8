"""The deadlines of a stream, by a clock that jumps: hours pass in no time, and nothing is waited for."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import TypeVar

import pytest

from llmchat.backends.http.endpoint import Timeouts
from llmchat.backends.http.stream import EventStream
from llmchat.errors import TryLaterError

T = TypeVar("T")
HOUR = 3600


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits: when nothing is to be done, its clock goes to the next timer."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        self._now += seconds


class _Impatient(selectors.SelectSelector):
    def __init__(self, loop: JumpingLoop) -> None:
        super().__init__()
        self._jumping = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self._jumping.jump(timeout)
        return ready


def run(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Runs this on a loop of its own."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work())


async def read(chunks: AsyncIterator[bytes], timeouts: Timeouts) -> tuple[int, float]:
    """How many tokens came, and when the last did."""
    stream = EventStream(lambda: anext(chunks, b""), timeouts, server="the server")
    tokens = 0
    async for _ in stream:
        tokens += 1
        stream.alive()
    return tokens, asyncio.get_running_loop().time()


def test_a_reply_of_two_hours_does_not_time_out() -> None:
    async def slow() -> AsyncIterator[bytes]:
        for _ in range(2 * HOUR // 50):
            await asyncio.sleep(50)
            yield b"data: x\n\n"

    assert run(lambda: read(slow(), Timeouts())) == (2 * HOUR // 50, 2 * HOUR)


@pytest.mark.parametrize("said", [b"", b": still here\n\n", b"\n", b"event: ping\n\n"])
@pytest.mark.parametrize("tokens", [0, 3])
def test_a_server_that_says_nothing_of_use_runs_into_its_deadline(tokens: int, said: bytes) -> None:
    timeouts = Timeouts(first_token=120, idle=60)
    ended = []

    async def chatter() -> AsyncIterator[bytes]:
        for _ in range(tokens):
            await asyncio.sleep(10)
            yield b"data: x\n\n"
        while True:
            await asyncio.sleep(7 if said else 10 * HOUR)
            yield said

    async def work() -> None:
        try:
            await read(chatter(), timeouts)
        finally:
            ended.append(asyncio.get_running_loop().time())

    which = "next token within 60 s" if tokens else "first token within 120 s"
    with pytest.raises(TryLaterError, match=which):
        run(work)
    assert ended == [pytest.approx(90 if tokens else 120)]


def test_time_the_reader_takes_counts_for_nothing() -> None:
    async def quick() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"data: x\n\n"

    async def work() -> int:
        chunks = quick()
        stream = EventStream(lambda: anext(chunks, b""), Timeouts(), server="the server")
        tokens = 0
        async for _ in stream:
            tokens += 1
            stream.alive()
            await asyncio.sleep(HOUR)
        return tokens

    assert run(work) == 3
