"""What is examined: the chat that would be, as far as the checks have come with it. Judges nothing."""

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
    """Checks leave here what those that need them go on with; see `Check.needs`."""

    configured: Config | LLMChatError  # may be why there is no configuration
    folders: Folders
    _: KW_ONLY
    keeps: bool = True  # conversations are to be saved
    asks: bool = True  # a model may be asked something
    now: Callable[[], float] = time.time  # seconds since the epoch
    hub: str | None = None  # another address of the hub of weights
    tell: Callable[[Event], None] = lambda _: None  # is told what is going on
    target: Target = field(init=False)  # its check comes first
    lacks_weights: bool = False  # those of the target are not on disk
    answer: Finding | LLMChatError | None = None  # where the model was asked already
    _connection: Connection | None = None

    @property
    def config(self) -> Config:
        """Raises why there is none."""
        if isinstance(self.configured, LLMChatError):
            raise self.configured
        return self.configured

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
