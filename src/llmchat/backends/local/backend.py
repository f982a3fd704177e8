"""The connection to a GGUF model on this machine: starts the engine, and talks to it as an OpenAI backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType

from llmchat.backends.constraints.fields import LLAMA_CPP
from llmchat.backends.http.backend import ServerOptions
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.errors import ClosedEarly
from llmchat.backends.http.probe import ServerProbe
from llmchat.backends.local.process import EngineOptions, EngineProcess
from llmchat.backends.openai.backend import OpenAIBackend
from llmchat.backends.server import WithoutRefused
from llmchat.core.attempts import Recovery, Retry
from llmchat.core.backend import Attempt, Backend, Connected, ModelInfo
from llmchat.core.generation import Event, Progress, Settings
from llmchat.core.prompt_format import FORMATS, break_control_tokens
from llmchat.errors import BrokenReply, LLMChatError, UnavailableError

_EXTRA: Mapping[str, object] = MappingProxyType({"cache_prompt": True, "return_progress": True})
_NOTICING_S = 1.0  # between the loss of the connection and the end of the process


class EngineDied(UnavailableError):  # noqa: N818 - what happened, as the rest of the error tree
    """The engine's process has ended; a new one can be started."""


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """An engine process, and the backend that uses it."""

    process: EngineProcess
    client: HttpClient
    probe: ServerProbe
    backend: OpenAIBackend

    async def stop(self) -> None:
        await self.client.aclose()
        await self.process.stop()


class LocalConnection:
    """A model file run by llama.cpp. The engine starts at the first `connect`, and again once it has died.

    The chat template is that of the GGUF. `system` and `defaults` come from the catalogue; other files have
    none.
    """

    is_guess = False
    unasked: Backend | None = None  # only the engine reads the template, which is inside the file

    def __init__(
        self,
        options: EngineOptions,
        *,
        model: str | None = None,
        system: str | None = None,
        defaults: Settings = Settings(),
    ) -> None:
        name = model or options.model.name
        self._card = ModelInfo("local", name, defaults=defaults, system=system)
        self._options = options
        self._starting: asyncio.Task[RunningEngine] | None = None

    @property
    def info(self) -> ModelInfo:
        return engine.backend.info if (engine := self._engine()) else self._card

    async def connect(self) -> AsyncGenerator[Event | Connected, None]:
        """Starts the engine unless it is running. Concurrent callers share one start, which outlives them.

        Raises MissingError or InputError for the model file, UnavailableError or CreateError for the rest.
        """
        if not self._engine():
            yield Progress("loading the model")
        yield Connected((await self._ready()).backend)

    def recoveries(self) -> Sequence[Recovery[Attempt]]:
        engine = self._engine()
        replace_connection = [engine.probe.wait_and_retry()] if engine else []
        return [WithANewEngine(self), WithoutRefused(self._opened_as), *replace_connection]

    async def start_again(self) -> Backend:
        """Starts a new engine, and returns its backend. Raises as `connect`."""
        return (await self._ready()).backend

    async def aclose(self) -> None:
        """Ends the engine at once."""
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.cancel()
            with suppress(asyncio.CancelledError, LLMChatError):
                await (await starting).stop()

    def _engine(self) -> RunningEngine | None:
        """The engine, if it is running."""
        started = self._starting
        if started is None or not started.done() or started.cancelled() or started.exception():
            return None
        return engine if (engine := started.result()).process.running else None

    def _opened_as(self, _: Backend) -> OpenAIBackend:
        engine = self._engine()
        assert engine is not None, "it has just answered"
        return engine.backend

    async def _ready(self) -> RunningEngine:
        if self._starting is None or (self._starting.done() and not self._engine()):
            self._starting = asyncio.create_task(self._start(self._starting))
        return await asyncio.shield(self._starting)

    async def _start(self, before: asyncio.Task[RunningEngine] | None) -> RunningEngine:
        if before is not None:
            with suppress(asyncio.CancelledError, LLMChatError):
                await (await before).stop()  # it has died: removes what it left
        process = await EngineProcess.start(self._options)
        client = HttpClient(process.endpoint)
        probe = ServerProbe(client)
        options = ServerOptions(client, probe, FORMATS["transcript"])

        async def explain(error: LLMChatError) -> LLMChatError:
            if not isinstance(error, BrokenReply | UnavailableError):
                return error
            if isinstance(error, ClosedEarly) and error.aged:  # it closes idle connections
                return error
            if not await process.ended(within=_NOTICING_S):
                return error
            return EngineDied("the engine crashed during the answer", hint="ask again: that restarts it")

        backend = OpenAIBackend(
            options,
            info=self._card,
            extra=_EXTRA,
            guard=break_control_tokens,
            server=LLAMA_CPP,
            templated=True,
            explain=explain,
        )
        engine = RunningEngine(process, client, probe, backend)
        try:
            await backend.learn()
        except BaseException:
            await engine.stop()
            raise
        return engine


class WithANewEngine:
    """The recovery from an engine that crashed before it answered; once, as the question may be the cause."""

    def __init__(self, connection: LocalConnection) -> None:
        self._connection = connection
        self._is_spent = False

    async def recover(self, failed: Attempt, error: LLMChatError) -> Retry[Attempt] | None:
        if self._is_spent or not isinstance(error, EngineDied):
            return None
        self._is_spent = True
        backend = await self._connection.start_again()
        return Retry(Attempt(backend, failed.request), events=(Progress("loading the model"),))
