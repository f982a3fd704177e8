"""Runs blocking calls in daemon threads, so that Ctrl-C need not wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """Returns or raises what the call does. After a cancellation the thread is left running."""
    result: Future[T] = Future()
    result.set_running_or_notify_cancel()  # a cancelled wait must not take the result's place

    def run() -> None:
        try:
            result.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            result.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(result)
