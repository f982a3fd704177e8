"""What is examined: the chat that would be, as far as the checks have come with it. Judges nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from llmchat import weights
from llmchat.app.target import Target, open_connection
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config
from llmchat.core.backend import Connection
from llmchat.core.generation import Event
from llmchat.doctor.finding import Finding
from llmchat.doctor.threads import in_daemon_thread
from llmchat.errors import LLMChatError


class Subject:
    """Checks leave here what those that need them go on with; see `Check.needs`."""

    def __init__(
        self,
        configured: Config | LLMChatError,
        folders: Folders,
        *,
        keeps: bool = True,
        asks: bool = True,
        now: Callable[[], float] = time.time,
        hub: str | None = None,
        tell: Callable[[Event], None] = lambda _: None,
    ) -> None:
        """`configured` may be why there is no configuration.

        `keeps` is whether conversations are to be saved, `asks` whether a model may be asked something. `now`
        gives seconds since the epoch; `hub` is another address of the hub of weights; `tell` is told what is
        going on.
        """
        self._configured = configured
        self.folders = folders
        self.keeps = keeps
        self.asks = asks
        self.now = now
        self.hub = hub
        self.tell = tell
        self.lacks_weights = False  # those of the target are not on disk
        self.answer: Finding | LLMChatError | None = None  # where the model was asked already
        self._target: Target | None = None
        self._connection: Connection | None = None

    @property
    def config(self) -> Config:
        """Raises why there is none."""
        if isinstance(self._configured, LLMChatError):
            raise self._configured
        return self._configured

    @property
    def target(self) -> Target:
        assert self._target is not None, "its check comes first"
        return self._target

    @target.setter
    def target(self, target: Target) -> None:
        self._target = target

    async def connection(self) -> Connection:
        """The way to what would answer, opened once; fetches nothing. Raises as `open_connection`."""
        if self._connection is None:
            target, config = self.target, self.config
            self._connection = await in_daemon_thread(
                lambda: open_connection(target, config, self.folders, fetching=_never, remembers=False)
            )
        return self._connection

    async def aclose(self) -> None:
        """Lets go of server and engine."""
        if self._connection is not None:
            await self._connection.aclose()


def _never(model: weights.Model) -> AbstractContextManager[weights.Progress]:
    raise AssertionError(f"{model.name} is not on disk, and a checkup fetches nothing")
