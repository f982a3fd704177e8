"""The lines of a batch as they come through a real pipe."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from llmchat.core.input_text import INPUT_CAP
from llmchat.terminal.batch.lines import BatchLine, read_lines


@dataclass
class Pipe:
    source: int
    target: int

    def close_target(self) -> None:
        if self.target >= 0:
            os.close(self.target)
        self.target = -1


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe(*os.pipe())
    yield pipe
    os.close(pipe.source)
    pipe.close_target()


async def all_lines(pipe: Pipe, *writes: bytes) -> list[BatchLine]:
    def write() -> None:
        for data in writes:
            rest = data
            while rest:
                rest = rest[os.write(pipe.target, rest) :]
        pipe.close_target()

    writing = asyncio.create_task(asyncio.to_thread(write))
    lines = [line async for line in read_lines(pipe.source)]
    await writing
    return lines


@pytest.mark.parametrize(
    "writes", [(b"one\n \r\n\ntwo\r\n\n three ",), tuple(b"%c" % c for c in b"one\n \r\n\ntwo\r\n\n three ")]
)
async def test_blank_lines_are_counted_and_left_out(pipe: Pipe, writes: tuple[bytes, ...]) -> None:
    assert await all_lines(pipe, *writes) == [
        BatchLine(1, 0, b"one", 4),
        BatchLine(4, 1, b"two", 9),
        BatchLine(6, 2, b" three ", 8),
    ]


async def test_a_line_is_there_before_the_next_one_comes(pipe: Pipe) -> None:
    async with aclosing(read_lines(pipe.source)) as lines:
        os.write(pipe.target, b"one\ntw")
        assert (await anext(lines)).content == b"one"
        waiting = asyncio.ensure_future(anext(lines))
        os.write(pipe.target, b"o\n")
        assert (await waiting).content == b"two"


async def test_of_a_line_that_is_too_long_only_the_beginning_is_kept(pipe: Pipe) -> None:
    long, after = await all_lines(pipe, b"x" * (INPUT_CAP + 100_000), b"\nafter\n")
    assert (len(long.content), long.size, after.content) == (INPUT_CAP + 1, INPUT_CAP + 100_001, b"after")


async def test_lines_with_other_bytes_have_other_keys(pipe: Pipe) -> None:
    one, two, same = await all_lines(pipe, b"one\none \none\n")
    assert one.key == same.key != two.key
