"""What the checks share: the configuration, target and connection of the chat that is checked."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, field

from llmchat import weights
from llmchat.app.target import Target, open_connection
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config
from llmchat.core.backend import Connection
from llmchat.core.generation import Event
from llmchat.doctor.finding import Finding
from llmchat.doctor.threads import in_daemon_thread
from llmchat.errors import LLMChatError


@dataclass(slots=True, repr=False)
class Subject:
    """Checks store their results here for the checks that need them; see `Check.needs`."""

    configured: Config | LLMChatError  # or the error that it has
    folders: Folders
    _: KW_ONLY
    keeps: bool = True  # conversations are to be saved
    asks: bool = True  # a reply may be requested
    now: Callable[[], float] = time.time  # seconds since the epoch
    hub: str | None = None  # another address of the hub of weights
    tell: Callable[[Event], None] = lambda _: None  # gets progress
    target: Target = field(init=False)  # set by the check of the model
    lacks_weights: bool = False  # the target's weights are not on disk
    answer: Finding | LLMChatError | None = None  # set if the model was asked already
    _connection: Connection | None = None

    @property
    def config(self) -> Config:
        """The configuration. Raises the error that it has."""
        if isinstance(self.configured, LLMChatError):
            raise self.configured
        return self.configured

    async def connection(self) -> Connection:
        """The connection, opened once; downloads nothing. Raises as `open_connection`."""
        if self._connection is None:
            target, config = self.target, self.config
            self._connection = await in_daemon_thread(
                lambda: open_connection(target, config, self.folders, fetching=_never, remembers=False)
            )
        return self._connection

    async def aclose(self) -> None:
        """Closes the connection."""
        if self._connection is not None:
            await self._connection.aclose()


def _never(model: weights.Model) -> AbstractContextManager[weights.Progress]:
    raise AssertionError(f"{model.name} is not on disk, and doctor downloads nothing")
