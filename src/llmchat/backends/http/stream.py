"""The events of one streamed reply, with deadlines for the first and the next token."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from llmchat.backends.http.endpoint import Timeouts
from llmchat.backends.http.sse import EventDecoder
from llmchat.errors import BrokenReply, LLMChatError, TryLaterError

GRACE = 0.5
"""Seconds to wait for the last events of a reply that is already complete."""
DRAIN = 0.05
"""Seconds for a complete reply to end, so that its connection can be used again."""


class EventStream:
    """Iterates over event data. `read` returns bytes, b"" at the end, and raises llmchat's errors.

    Only `alive` restarts a deadline: the caller knows which events are tokens. Comments and empty lines do
    not count. The caller's own time is not counted.
    """

    def __init__(self, read: Callable[[], Awaitable[bytes]], timeouts: Timeouts, *, server: str) -> None:
        self._read = read
        self._timeouts = timeouts
        self._server = server
        self._decoder = EventDecoder()
        self._ready: Iterator[str] = iter(())
        self._left = self._allowed = timeouts.first_token
        self._awaited = "first token"
        self._whole = False
        self._began = False
        self._ended = False

    def alive(self) -> None:
        """A token has come: the next one is due within the idle timeout."""
        self._left = self._allowed = self._timeouts.idle
        self._awaited = "next token"

    def evaluating(self) -> None:
        """The server reported progress with the prompt: restarts the deadline of the first token."""
        self._left = self._allowed

    def whole(self) -> None:
        """The reply is complete: what follows is optional, and errors are ignored."""
        if not self._whole:
            self._whole = True
            self._left = GRACE

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        try:
            while (event := next(self._ready, None)) is None:
                if self._ended and not self._began:
                    raise BrokenReply(
                        f"{self._server} gave an empty answer",
                        hint="--no-stream may show why; the question may be too long for it",
                    )
                if self._ended:
                    raise StopAsyncIteration
                chunk = await self._within_deadline()
                self._ended = not chunk
                self._ready = self._decoder.feed(chunk) if chunk else self._decoder.flush()
        except LLMChatError:
            if not self._whole:
                raise
            raise StopAsyncIteration from None
        self._began = True
        return event

    async def drain(self) -> None:
        """Reads a complete reply to its end, if that is near, so that the connection can be used again."""
        if self._whole:
            with contextlib.suppress(LLMChatError, TimeoutError):
                async with asyncio.timeout(DRAIN):
                    while await self._read():
                        pass

    async def _within_deadline(self) -> bytes:
        clock = asyncio.get_running_loop().time
        started = clock()
        try:
            async with asyncio.timeout(self._left):
                return await self._read()
        except TimeoutError as error:
            raise TryLaterError(
                f"{self._server} did not send the {self._awaited} within {self._allowed:g} s",
                hint="ask again; LLMCHAT_FIRST_TOKEN_TIMEOUT and LLMCHAT_IDLE_TIMEOUT set how long to wait",
            ) from error
        finally:
            self._left -= clock() - started
