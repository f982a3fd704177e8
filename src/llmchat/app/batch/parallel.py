"""Runs one coroutine function over many items, with limited concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

Item = TypeVar("Item")


async def in_parallel(
    items: AsyncIterator[Item], work: Callable[[Item], Awaitable[None]], *, at_once: int
) -> None:
    """Does this work for every item; takes the next item when a worker is free.

    The first exception, or a cancellation, stops all workers; it is raised once they have ended.
    """
    taking = asyncio.Lock()

    async def worker() -> None:
        while True:
            async with taking:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
