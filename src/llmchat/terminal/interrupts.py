"""What ends a run, or a reply, from outside: signals become a cancellation and the right exit code."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine

from llmchat.errors import ExitCode

_ENDING = {
    signal.SIGINT: ExitCode.SIGINT,
    signal.SIGTERM: ExitCode.SIGTERM,
    **({signal.SIGHUP: ExitCode.SIGHUP} if hasattr(signal, "SIGHUP") else {}),
}


class Interrupts:
    """The signals of one run. A first Ctrl-C during a reply stops the reply; everything else ends the run."""

    def __init__(self) -> None:
        self._run: asyncio.Task[ExitCode] | None = None
        self._reply: asyncio.Task[None] | None = None
        self._received: signal.Signals | None = None

    def run(self, work: Callable[[Interrupts], Coroutine[object, object, ExitCode]]) -> ExitCode:
        """Runs this to its exit code; a signal cancels it, lets it clean up, and decides the code."""
        return asyncio.run(self._guard(work(self)))

    async def stoppable(self, reply: Coroutine[object, object, None]) -> None:
        """Runs a reply that Ctrl-C stops. Raises what it raises, but not its cancellation by Ctrl-C."""
        self._reply = asyncio.ensure_future(reply)
        try:
            await self._reply
        except asyncio.CancelledError:
            if self._received is not None or not self._reply.done():
                raise
        finally:
            self._reply = None

    async def _guard(self, work: Coroutine[object, object, ExitCode]) -> ExitCode:
        self._run = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self._receive, number)
        try:
            return await self._run
        except asyncio.CancelledError:
            if self._received is None:
                raise
            return _ENDING[self._received]
        finally:
            for number in _ENDING:
                loop.remove_signal_handler(number)

    def _receive(self, number: signal.Signals) -> None:
        if number is signal.SIGINT and self._reply is not None:
            if not self._reply.cancelling():  # a second one must not cut the clean-up short
                self._reply.cancel()
        elif self._received is None and self._run is not None:
            self._received = number
            self._run.cancel()
