"""Runs blocking calls in daemon threads, so that Ctrl-C need not wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """Returns or raises what the call does. After a cancellation the thread is left running."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(settle_as: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the event loop has ended: nothing waits any more
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
