"""Answer lines through a real pipe: their order, and a reader that is slow or gone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmchat.terminal.batch.output import AHEAD, Output, Printed


class Reader:
    """The other end of an output's pipe."""

    def __init__(self) -> None:
        self._source, self.target = os.pipe()
        os.set_blocking(self._source, False)

    def read(self) -> bytes:
        try:
            return os.read(self._source, 1 << 20)
        except BlockingIOError:
            return b""

    async def some(self) -> bytes:
        """The next bytes, however long they take."""
        ready = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._source, ready.set)
        await ready.wait()
        asyncio.get_running_loop().remove_reader(self._source)
        return self.read()

    def leave(self) -> None:
        if self._source >= 0:
            os.close(self._source)
        self._source = -1


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.leave()
    os.close(reader.target)


async def test_an_answer_is_printed_as_soon_as_all_before_it_are(reader: Reader) -> None:
    output = Output(reader.target, ordered=True)
    await output.add(2, b"two")
    await output.add(1, b"")  # is not to be printed
    assert reader.read() == b""
    await output.add(0, b"zero")
    assert reader.read() == b"zero\ntwo\n"
    await output.add(3, b"three")
    assert reader.read() == b"three\n"


async def test_without_order_it_is_printed_as_it_comes(reader: Reader) -> None:
    output = Output(reader.target, ordered=False)
    await output.add(2, b"two")
    await output.add(1, b"")
    await output.room(10 * AHEAD)
    assert reader.read() == b"two\n"


async def test_whoever_leaves_prints_what_is_finished_with_gaps(reader: Reader) -> None:
    output = Output(reader.target, ordered=True)
    await output.add(3, b"three")
    await output.add(1, b"one")
    await output.leave()
    assert reader.read() == b"one\nthree\n"


async def test_no_line_is_begun_that_is_too_far_ahead_of_one_that_is_missing(reader: Reader) -> None:
    output = Output(reader.target, ordered=True)
    await output.room(AHEAD - 1)
    waiting = asyncio.create_task(output.room(AHEAD))
    await asyncio.sleep(0)
    assert not waiting.done()
    await output.add(0, b"zero")
    await waiting


async def test_a_slow_reader_holds_up_printing_and_nothing_else_and_no_byte_is_lost(reader: Reader) -> None:
    output, line = Output(reader.target, ordered=True), b"x" * 300_000
    printing = asyncio.create_task(output.add(0, line))
    async with asyncio.timeout(10):
        got = await reader.some()
        printing.cancel()  # in the middle of the line
        await asyncio.wait([printing])
        await output.add(2, b"last")
        leaving = asyncio.create_task(output.leave())
        while not got.endswith(b"last\n"):
            got += await reader.some()
        await leaving
    assert got == line + b"\nlast\n"


async def test_a_reader_that_is_gone_is_an_error_of_the_system(reader: Reader) -> None:
    reader.leave()
    with pytest.raises(BrokenPipeError):
        await Output(reader.target, ordered=False).add(0, b"zero")


def test_what_is_printed_is_known_only_of_a_file_that_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"one\ntwo\nhal")
    with path.open("ab") as file:
        printed = Printed(file)
        assert [b"one" in printed, b"two" in printed, b"three" in printed] == [True, True, False]
        assert printed.unfinished
    with path.open("r+b") as file:
        assert b"one" not in Printed(file)
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("ab") as file:
        assert not Printed(file).unfinished
