"""Work in a thread that nobody has to wait for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from llmchat.doctor.threads import in_daemon_thread


async def test_what_the_work_returns_or_raises_arrives() -> None:
    assert await in_daemon_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await in_daemon_thread(lambda: 1 // 0)


def test_work_that_hangs_holds_up_neither_cancellation_nor_the_end_of_the_loop() -> None:
    released = threading.Event()

    async def run() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await in_daemon_thread(lambda: released.wait(60))

    asyncio.run(run())
    assert not released.is_set()
    released.set()  # it ends after its loop, and nobody hears of it
