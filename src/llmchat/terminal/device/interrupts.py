"""Ctrl-C, other signals and a broken pipe: they cancel a reply or end the run with the right exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import BinaryIO, TypeVar

from llmchat import signals
from llmchat.errors import ExitCode

T = TypeVar("T")

_SHUTDOWN_S = 1.0
"""How long to wait for threads that are still running at the end."""
_SIGINT_DELAY_S = 0.1
"""For a Ctrl-C that ended the reader of our output, and is about to reach us, too."""


class Interrupts:
    """The signals of one run. A first Ctrl-C during a reply stops the reply; everything else ends the run.

    Where `stdout` is a pipe the run also ends when its reader is gone, even with nothing to write yet.
    """

    def __init__(self, stdout: BinaryIO | None = None) -> None:
        self._stdout = stdout
        self._run: asyncio.Task[ExitCode] | None = None
        self._reply: asyncio.Task[object] | None = None
        self._ended: ExitCode | None = None

    def run(self, work: Coroutine[object, object, ExitCode]) -> ExitCode:
        """Runs this and returns its exit code; a signal cancels it, lets it clean up, and sets the code."""
        return asyncio.run(self._guard(work))

    async def cancel_on_ctrl_c(self, work: Coroutine[object, object, T]) -> T | None:
        """Runs a reply or a command. Returns None if Ctrl-C cancelled it; raises what it raises."""
        self._reply = task = asyncio.ensure_future(work)
        try:
            return await task
        except asyncio.CancelledError:
            if self._ended is not None or not task.done():
                raise
            return None
        finally:
            self._reply = None

    async def _guard(self, work: Coroutine[object, object, ExitCode]) -> ExitCode:
        self._run = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        threads = ThreadPoolExecutor()
        loop.set_default_executor(threads)
        with self._handling_signals(loop):
            try:
                return await self._run
            except (asyncio.CancelledError, OSError):  # OSError: it could not even write where it stopped
                if self._ended is None:
                    raise
                _shut_down(threads)
                loop.set_default_executor(ThreadPoolExecutor())
                return self._ended

    @contextmanager
    def _handling_signals(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """Handles the signals inside this context; after one has ended the run, further ones are ignored."""
        before = {number: signal.getsignal(number) for number in signals.ending()}
        for number in before:
            _add_handler(loop, number, self._receive)
        pipe = _pipe(self._stdout)
        if pipe is not None:
            loop.add_reader(pipe, self._end_without_reader, loop, pipe)
        try:
            yield
        finally:
            if pipe is not None:
                loop.remove_reader(pipe)
            with _blocked(before):
                for number, handler in before.items():
                    if os.name == "posix":
                        loop.remove_signal_handler(number)
                    signal.signal(number, signal.SIG_IGN if self._ended is not None else handler)

    def _receive(self, number: signal.Signals) -> None:
        if number is signal.SIGINT and self._reply is not None:
            if not self._reply.cancelling():  # a second one must not cut the clean-up short
                self._reply.cancel()
        else:
            self._end(ExitCode(128 + number))

    def _end_without_reader(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        loop.remove_reader(descriptor)
        loop.call_later(_SIGINT_DELAY_S, self._end, ExitCode.SIGPIPE)

    def _end(self, code: ExitCode) -> None:
        if self._ended is None and self._run is not None:
            self._ended = code
            self._run.cancel()


@contextmanager
def _blocked(numbers: Collection[signal.Signals]) -> Iterator[None]:
    """Blocks these signals inside this context: removing a handler restores the default for a moment."""
    if os.name != "posix":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _add_handler(
    loop: asyncio.AbstractEventLoop, number: signal.Signals, call: Callable[[signal.Signals], None]
) -> None:
    """Calls this in the event loop when the signal arrives, on Windows too."""
    if os.name == "posix":
        loop.add_signal_handler(number, call, number)
    else:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(call, number))


def _pipe(stream: BinaryIO | None) -> int | None:
    """The descriptor of this stream, if it is the writing end of a pipe; it polls readable once broken.

    So asyncio itself finds a broken pipe (unix_events, _UnixWritePipeTransport).
    """
    if stream is None or os.name != "posix":
        return None
    import fcntl

    descriptor = stream.fileno()
    writes_only = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
    return descriptor if writes_only and stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None


def _shut_down(threads: ThreadPoolExecutor) -> None:
    """Waits a moment for threads to end; a DNS query cannot be cancelled, and may take long."""
    ending = threading.Thread(target=threads.shutdown, kwargs={"cancel_futures": True}, daemon=True)
    ending.start()
    ending.join(_SHUTDOWN_S)
