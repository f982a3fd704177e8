"""Generates on any OpenAI-compatible server; must not know which one it is, nor cut stop texts."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from types import MappingProxyType

from llmchat.backends.constraints.fields import TGI, VLLM, fields_for
from llmchat.backends.http.answer import find, number_at, parse_event, text_at
from llmchat.backends.http.client import Endpoint, HttpClient
from llmchat.backends.http.errors import NOT_TOLD, NotThere
from llmchat.backends.openai.models import context_of, listed, names_of, others_of, owner_of
from llmchat.backends.openai.replies import StreamedReply, fault_in, whole_reply
from llmchat.backends.openai.requests import ANY_MODEL, Dialect
from llmchat.backends.openai.tokenizer import Tokenizer
from llmchat.core.constraint import Constraint, Regex
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import (
    DEFAULT_MAX_TOKENS,
    Event,
    Limits,
    Notice,
    Request,
    Settings,
    Token,
    TokenCount,
    estimate_tokens,
)
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import InputError, LLMChatError

NOTHING: Mapping[str, object] = MappingProxyType({})
_UNFINISHED = "Once upon"


def api_base(url: str) -> str:
    """The URL below which an OpenAI-compatible server has /models: ends in its version, /v1 unless named."""
    base = url.rstrip("/").removesuffix("/chat/completions").removesuffix("/completions")
    return base if re.search(r"[^/]/v\d+\w*(/openai)?$", base) else f"{base}/v1"


class OpenAIBackend:
    """An OpenAI-compatible server: OpenAI's API reference, "Chat" and "Completions", as servers speak it.

    `extra` and `guard` are those of `Dialect`; `server` is what it says in `owned_by` of a model, where that
    need not be asked.
    """

    prompt_format: PromptFormat | None = None

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        model: str | None = None,
        name: str = "openai",
        system: str | None = None,
        defaults: Settings = Settings(),
        extra: Mapping[str, object] = MappingProxyType({}),
        guard: Callable[[str], str] = str,
        session: HttpClient | None = None,
        server: str | None = None,
    ) -> None:
        self.name = name
        self.system = system
        self.defaults = defaults
        self._model = model
        self._chosen = model is not None
        self._dialect = Dialect(server=server or "", extra=extra, guard=guard)
        self._session = session or HttpClient(endpoint)
        self._models: object = None  # what /v1/models said, once it was asked
        self._asking = asyncio.Lock()
        self._limits: Limits | None = None
        self._tokenizer = Tokenizer(self._session, self._dialect, root=lambda: self._root)

    @property
    def model(self) -> str:
        """The name it was given, else the first of /v1/models once that was asked."""
        return self._model or ""

    @property
    def endpoint(self) -> Endpoint:
        return self._session.endpoint

    async def move(self, endpoint: Endpoint) -> None:
        """Goes on with a server that was started anew."""
        await self._session.move(endpoint)

    async def prepare(self) -> AsyncGenerator[Event, None]:
        """Imports the HTTP client, and lists the models while the server starts."""
        await self._session.warm()
        if self._models is None:
            with suppress(*NOT_TOLD):
                async with aclosing(self._session.until(self._list_models)) as events:
                    async for event in events:
                        yield event
        if not self._chosen and (others := len(names_of(self._models)) - 1) > 0:
            more = f"{others} other model{'s' if others > 1 else ''}"
            yield Notice(f"the server has {more} beside {self.model}; -m chooses", once=True)

    async def aclose(self) -> None:
        await self._session.aclose()

    async def get_json(self, path: str) -> object:
        """The JSON at this path of the server, as /health or /props. Raises as requests do."""
        return await self._session.get_json(self._root + path)

    async def post_json(self, path: str, body: Mapping[str, object]) -> object:
        """What the server answers this with at this path. Raises as requests do."""
        return await self._session.post_json(self._root + path, body)

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates. Raises the errors that llmchat.backends.http.errors maps."""
        await self._know_model()
        if request.constraint or request.settings.repetition_penalty is not None:
            with suppress(*NOT_TOLD):
                await self._know_owner()
        try:
            async with aclosing(self._session.retrying(lambda: self._adapted(request))) as events:
                async for event in events:
                    yield event
        except NotThere as error:
            hint = others_of(self._models, self._model) if self._chosen else ""
            if not hint:
                raise
            raise NotThere(error.message, hint=f"it has {hint}") from error

    async def render(self, request: Request) -> str:
        """The messages that would be sent as JSON, or the raw prompt."""
        if request.raw:
            return request.messages[-1].text
        return json.dumps(self._dialect.messages(request), indent=2, ensure_ascii=False)

    async def count(self, request: Request) -> TokenCount:
        """Tokens as vLLM or llama.cpp count them, else an estimate over the messages."""
        await self._know_model()
        if (tokens := await self._tokenizer.count(request, self._model)) is not None:
            return TokenCount(tokens, exact=True)
        return estimate_tokens("\n".join(f"{message.role}: {message.text}" for message in request.messages))

    async def limits(self) -> Limits:
        """What /v1/models or llama.cpp's /props say, else a guess.

        Raises UnavailableError or TryLaterError where no server answers.
        """
        with suppress(*NOT_TOLD):
            models = await self._list_models()
            async with self._asking:
                if self._limits is None:
                    self._limits = await self._find_limits(listed(models, self._model))
        return self._limits or self._session.endpoint.unsaid

    async def _find_limits(self, of_model: object) -> Limits:
        context = context_of(of_model)
        if not context:
            props = await self._session.inquiry.learn(f"{self._root}/props")
            context = number_at(props, "default_generation_settings", "n_ctx")
        return Limits(context) if context else self._session.endpoint.unsaid

    async def recognises(self) -> bool:
        """Whether /v1/models lists some. Raises ServerDown while it loads, DeniedError for a 401 or 403."""
        return isinstance(find(await self._list_models(), "data"), list)

    async def about(self) -> object:
        """What /v1/models says. Raises the error of every other answer."""
        return await self._session.get_json(f"{self._base}/models")

    async def can_continue(self) -> bool:
        """Whether an answer at the end stays open: as /apply-template shows on llama.cpp, and on vLLM."""
        probe = Request((Message(Role.USER, "Hello"), Message(Role.ASSISTANT, _UNFINISHED)), Settings())
        if (prompt := await self._tokenizer.templated(probe)) is not None:
            return prompt.rstrip().endswith(_UNFINISHED)
        with suppress(*NOT_TOLD):
            await self._list_models()
        return self._dialect.server == VLLM

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        """Raises UsageError where the server does not say that it is one that can.

        What keeps it from saying so is raised only where it matters: nearly all take a schema.
        """
        with suppress(*(() if isinstance(constraint, Regex) or raw else NOT_TOLD)):
            await self._know_owner()
        fields_for(constraint, self._dialect.server, raw=raw)

    async def _know_owner(self) -> None:
        if not self._dialect.server:
            await self._list_models()

    @property
    def _base(self) -> str:
        return api_base(self._session.endpoint.url)

    @property
    def _root(self) -> str:
        return self._base.rpartition("/v")[0]

    async def _list_models(self) -> object:
        """What /v1/models says, asked once. Raises what a request may."""
        async with self._asking:
            if self._models is None:
                self._models = await self._session.inquiry.learn(f"{self._base}/models") or NOTHING
                entry = listed(self._models, self._model)
                self._model = self._model or text_at(entry, "id") or None
                self._dialect.server = self._dialect.server or owner_of(entry)
        return self._models

    async def _know_model(self) -> None:
        if self._model is None:
            with suppress(*NOT_TOLD):
                await self._list_models()

    async def _adapted(self, request: Request) -> AsyncGenerator[Event, None]:
        """An attempt; others without the fields that the server refuses, as long as it names new ones."""
        spoken = False
        while True:
            try:
                async with aclosing(self._attempt(request)) as events:
                    async for event in events:
                        spoken = spoken or isinstance(event, Token)
                        yield event
                return
            except InputError as error:
                if spoken or not self._dialect.learn(request, error):
                    raise

    async def _attempt(self, request: Request) -> AsyncGenerator[Event, None]:
        url = self._base + ("/completions" if request.raw else "/chat/completions")
        tgi = self._dialect.server == TGI and not self._chosen
        body = self._dialect.body(request, model=ANY_MODEL if tgi else self._model)
        if not request.stream:
            answer = await self._session.post_json(url, body, once=True)
            if fault := self._fault(answer):
                raise fault
            for event in whole_reply(answer):
                yield event
            return
        reading = StreamedReply(request.settings.max_tokens or DEFAULT_MAX_TOKENS)
        async with self._session.stream(url, body, fault=self._fault) as events:
            async for data in events:
                if data.strip() == "[DONE]":
                    reading.end(events)
                    break
                try:
                    chunk = parse_event(data)
                    if fault := self._fault(chunk):
                        raise fault
                except LLMChatError:
                    if reading.is_whole:
                        break
                    raise
                for event in reading.read(chunk, events):
                    yield event
                if reading.is_cut:
                    break
        yield reading.finish()

    def _fault(self, payload: object) -> LLMChatError | None:
        return fault_in(payload, self._session)
