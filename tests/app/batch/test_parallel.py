"""One coroutine over many items."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from llmchat.app.batch.parallel import in_parallel


class Numbers:
    """Counts up, and remembers how far it was asked to."""

    def __init__(self, most: int) -> None:
        self.taken = 0
        self._most = most

    async def each(self) -> AsyncGenerator[int, None]:
        while self.taken < self._most:
            self.taken += 1
            yield self.taken


async def test_so_many_are_worked_on_at_once_and_no_more_are_taken() -> None:
    numbers, working, full, go_on = Numbers(10), set[int](), asyncio.Event(), asyncio.Event()
    most = 0

    async def work(number: int) -> None:
        nonlocal most
        working.add(number)
        most = max(most, len(working))
        if len(working) == 3:
            full.set()
        await go_on.wait()
        working.remove(number)

    running = asyncio.create_task(in_parallel(numbers.each(), work, at_once=3))
    await full.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    assert (working, numbers.taken) == ({1, 2, 3}, 3)
    go_on.set()
    await running
    assert (numbers.taken, most) == (10, 3)


async def test_fewer_items_than_workers_are_done_once_each() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        done.append(number)

    await in_parallel(Numbers(2).each(), work, at_once=100)
    assert sorted(done) == [1, 2]


async def test_the_first_exception_stops_the_others_and_is_raised_as_it_is() -> None:
    left: list[int] = []

    async def work(number: int) -> None:
        if number == 3:
            raise LookupError("three")
        try:
            await asyncio.Event().wait()
        finally:
            left.append(number)

    numbers = Numbers(10)
    with pytest.raises(LookupError, match="three"):
        await in_parallel(numbers.each(), work, at_once=3)
    assert (sorted(left), numbers.taken) == ([1, 2], 3)


async def test_being_cancelled_ends_all_work_first() -> None:
    begun, left = asyncio.Event(), []

    async def work(number: int) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            left.append(number)

    running = asyncio.create_task(in_parallel(Numbers(1).each(), work, at_once=2))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert left == [1]
