"""Does what blocks in a thread that nobody has to wait for, so that Ctrl-C never does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """What it returns, or raises. Cancelled, or when the program ends, it is left behind in its thread."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(settle_as: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is over: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if result.done() else settle_as())

    def run() -> None:
        try:
            value = work()
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            fault = error
            settle(lambda: result.set_exception(fault))
        else:
            settle(lambda: result.set_result(value))

    threading.Thread(target=run, daemon=True).start()
    return await result
