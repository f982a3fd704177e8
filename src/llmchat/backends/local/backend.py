"""Chats with a GGUF on this machine: an engine child, and an OpenAI-compatible client on its socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from types import MappingProxyType

from llmchat.backends.constraints.fields import LLAMA_CPP, fields_for
from llmchat.backends.http.answer import text_at
from llmchat.backends.local.process import EngineOptions, EngineProcess
from llmchat.backends.openai.backend import OpenAIBackend
from llmchat.core.constraint import Constraint
from llmchat.core.generation import Event, Limits, Progress, Request, Settings, Token, TokenCount
from llmchat.core.prompt_format import PromptFormat, break_control_tokens
from llmchat.errors import BrokenReply, LLMChatError, UnavailableError

_EXTRA: Mapping[str, object] = MappingProxyType({"cache_prompt": True, "return_progress": True})
_NOTICING_S = 1.0  # from the loss of a connection to the news that the process has ended


class LocalBackend:
    """A model file run by llama.cpp. The engine starts at the first use, or when `warm` is called.

    The chat template is the one inside the GGUF. An engine that has died is started again by the next
    request. `system` and `defaults` are the model's card; an arbitrary file has none.
    """

    prompt_format: PromptFormat | None = None

    def __init__(
        self,
        options: EngineOptions,
        *,
        model: str | None = None,
        name: str = "local",
        system: str | None = None,
        defaults: Settings = Settings(),
    ) -> None:
        self.name = name
        self.model = model or options.model.name
        self.system = system
        self.defaults = defaults
        self._options = options
        self._starting: asyncio.Task[EngineProcess] | None = None
        self._client: OpenAIBackend | None = None

    @classmethod
    def of(cls, path: Path, *, model: str | None = None) -> LocalBackend:
        """The file with everything else left as it is."""
        return cls(EngineOptions(path), model=model)

    @property
    def engine_pid(self) -> int | None:
        """The engine's process; None where none runs."""
        return engine.pid if (engine := self._engine()) else None

    async def warm(self) -> None:
        """Starts the engine unless it runs. Callers at the same time share one start, which outlives them.

        Raises MissingError or InputError for the model file, UnavailableError or CreateError for the rest.
        """
        await self._ready()

    async def prepare(self) -> AsyncGenerator[Event, None]:
        """Starts the engine unless it runs. Raises as `warm`."""
        if not self._engine():
            yield Progress("loading the model")
            await self._ready()

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates. Raises BrokenReply where the engine dies in the middle of a reply."""
        client = await self._ready()
        spoken = False
        try:
            async with aclosing(client.stream(request)) as events:
                async for event in events:
                    spoken = spoken or isinstance(event, Token)
                    yield event
        except (BrokenReply, UnavailableError) as error:
            raise await self._explain(error, spoken=spoken) from error

    async def render(self, request: Request) -> str:
        """The exact prompt, by the template inside the GGUF (llama.cpp's /apply-template)."""
        if request.raw:
            return request.messages[-1].text
        messages = [
            {"role": str(each.role), "content": break_control_tokens(each.text)} for each in request.messages
        ]
        answer = await (await self._ready()).post_json("/apply-template", {"messages": messages})
        return text_at(answer, "prompt")

    async def count(self, request: Request) -> TokenCount:
        """Tokens of that prompt by the model's own tokenizer."""
        return await (await self._ready()).count(request)

    async def limits(self) -> Limits:
        """The context the engine runs with, which may be less than what was asked for."""
        return await (await self._ready()).limits()

    async def can_continue(self) -> bool:
        """Where the model's own template can leave an answer open."""
        return await (await self._ready()).can_continue()

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        """Raises UsageError for a pattern that llama.cpp's grammars cannot hold; starts nothing."""
        fields_for(constraint, LLAMA_CPP, raw=raw)

    async def aclose(self) -> None:
        """Ends the engine at once."""
        starting, self._starting = self._starting, None
        if self._client is not None:
            await self._client.aclose()
        if starting is None:
            return
        starting.cancel()
        with suppress(asyncio.CancelledError, LLMChatError):
            await (await starting).stop()

    def _engine(self) -> EngineProcess | None:
        """The engine if it runs."""
        started = self._starting
        if started is None or not started.done() or started.cancelled() or started.exception():
            return None
        return engine if (engine := started.result()).running else None

    async def _ready(self) -> OpenAIBackend:
        """The client of a running engine."""
        if self._starting is None or (self._starting.done() and not self._engine()):
            self._starting = asyncio.create_task(self._start(self._starting))
        await asyncio.shield(self._starting)
        assert self._client is not None, "the start made it"
        return self._client

    async def _start(self, before: asyncio.Task[EngineProcess] | None) -> EngineProcess:
        if before is not None:
            with suppress(asyncio.CancelledError, LLMChatError):
                await (await before).stop()  # it has died: takes away what it left
        engine = await EngineProcess.start(self._options)
        if self._client is None:
            self._client = OpenAIBackend(
                engine.endpoint,
                model=self.model,
                name=self.name,
                extra=_EXTRA,
                guard=break_control_tokens,
                server=LLAMA_CPP,
            )
        else:
            await self._client.move(engine.endpoint)
        return engine

    async def _explain(self, error: LLMChatError, *, spoken: bool) -> LLMChatError:
        engine = self._engine()
        if engine is not None and not await engine.ended(within=_NOTICING_S):
            return error
        hint = "ask again: that starts it again"
        if spoken:
            return BrokenReply("the engine died in the middle of the reply", hint=hint)
        return UnavailableError("the engine died before it answered", hint=hint)
