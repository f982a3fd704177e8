"""Generates on any OpenAI-compatible server; must not know which one it is, nor cut stop texts."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from types import MappingProxyType

from llmchat.backends.answer import find, number_at, parse_event, text_at
from llmchat.backends.http import Endpoint, HttpSession
from llmchat.backends.openai_dialect import Dialect
from llmchat.backends.openai_models import context_of, listed, penalty_field
from llmchat.backends.openai_reply import Reading, fault_in, whole_reply
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import Event, Limits, Request, Settings, Token, TokenCount, estimate_tokens
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import InputError, LLMChatError

ASSUMED = Limits(2048, assumed=True)
NOTHING: Mapping[str, object] = MappingProxyType({})
_UNFINISHED = "Once upon"


def api_base(url: str) -> str:
    """The URL below which an OpenAI-compatible server has /models: ends in its version, /v1 unless named."""
    base = url.rstrip("/").removesuffix("/chat/completions").removesuffix("/completions")
    return base if re.search(r"[^/]/v\d+\w*(/openai)?$", base) else f"{base}/v1"


class OpenAIBackend:
    """An OpenAI-compatible server: OpenAI's API reference, "Chat" and "Completions", as servers speak it.

    `extra` and `guard` are those of `Dialect`.
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
        session: HttpSession | None = None,
    ) -> None:
        self.name = name
        self.system = system
        self.defaults = defaults
        self._model = model
        self._dialect = Dialect(extra=extra, guard=guard)
        self._session = session or HttpSession(endpoint)
        self._models: object = None
        self._limits: Limits | None = None
        self._tokenizes = True

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

    async def warm(self) -> None:
        """Imports the HTTP client without holding up the event loop."""
        await self._session.warm()

    async def aclose(self) -> None:
        await self._session.aclose()

    async def get_json(self, path: str) -> object:
        """The JSON at this path of the server, as /health or /props. Raises as requests do."""
        return await self._session.get_json(self._root + path)

    async def post_json(self, path: str, body: Mapping[str, object]) -> object:
        """What the server answers this with at this path. Raises as requests do."""
        return await self._session.post_json(self._root + path, body)

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates. Raises the errors that llmchat.backends.faults maps."""
        await self._know_model()
        if request.settings.repetition_penalty is not None:
            await self._list_models()
        async with aclosing(self._session.retrying(lambda: self._adapted(request))) as events:
            async for event in events:
                yield event

    async def render(self, request: Request) -> str:
        """The messages that would be sent as JSON, or the raw prompt."""
        if request.raw:
            return request.messages[-1].text
        return json.dumps(self._dialect.messages(request), indent=2, ensure_ascii=False)

    async def count(self, request: Request) -> TokenCount:
        """Tokens as vLLM or llama.cpp count them, else an estimate over the messages."""
        if self._tokenizes and (tokens := await self._tokens(request)) is not None:
            return TokenCount(tokens, exact=True)
        return estimate_tokens("\n".join(f"{message.role}: {message.text}" for message in request.messages))

    async def limits(self) -> Limits:
        """What /v1/models or llama.cpp's /props say, else a guess.

        Raises UnavailableError or TryLaterError where no server answers.
        """
        if self._limits is None:
            models = await self._list_models()
            props: object = NOTHING
            of_model = listed(models, self._model)
            context = context_of(of_model)
            if not context:
                props = await self._look(f"{self._root}/props")
                context = number_at(props, "default_generation_settings", "n_ctx")
            if not context and (models is None or props is None):
                return ASSUMED
            self._limits = Limits(context) if context else ASSUMED
        return self._limits

    async def can_continue(self) -> bool:
        """Whether an answer at the end stays open: as /apply-template shows on llama.cpp, and on vLLM."""
        if self._tokenizes:
            probe = Request((Message(Role.USER, "Hello"), Message(Role.ASSISTANT, _UNFINISHED)), Settings())
            if (prompt := await self._templated(probe)) is not None:
                return prompt.rstrip().endswith(_UNFINISHED)
        await self._list_models()
        return self._is_vllm

    @property
    def _is_vllm(self) -> bool:
        return text_at(listed(self._models, self._model), "owned_by") == "vllm"

    @property
    def _base(self) -> str:
        return api_base(self._session.endpoint.url)

    @property
    def _root(self) -> str:
        return self._base.rpartition("/v")[0]

    async def _look(self, url: str) -> object:
        """The JSON at this URL, NOTHING if the server has none there, None if it may have some later."""
        answer = await self._session.ask("GET", url)
        try:
            return self._session.checked(answer).json()
        except LLMChatError:
            return NOTHING if answer.status < 429 else None

    async def _list_models(self) -> object:
        if self._models is None:
            self._models = await self._look(f"{self._base}/models")
            self._dialect.penalty_field = penalty_field(listed(self._models, self._model))
        return self._models

    async def _know_model(self) -> None:
        if self._model is None:
            self._model = text_at(listed(await self._list_models(), None), "id") or None

    async def _tokens(self, request: Request) -> int | None:
        """Counted by vLLM's /tokenize, or by llama.cpp's, which wants the text that /apply-template makes."""
        await self._list_models()
        await self._know_model()
        if self._is_vllm:
            asked = {"model": self._model, **self._dialect.asked(request), **self._going_on(request)}
            return number_at(await self._known("/tokenize", asked), "count")
        text = request.messages[-1].text if request.raw else await self._templated(request)
        if text is None:
            return None
        tokens = find(await self._known("/tokenize", {"content": text, "add_special": True}), "tokens")
        return len(tokens) if isinstance(tokens, list) else None

    def _going_on(self, request: Request) -> dict[str, bool]:
        """What tells vLLM to leave the last answer open: "Extra parameters" of its server."""
        if request.continues and self._is_vllm:
            return {"continue_final_message": True, "add_generation_prompt": False}
        return {}

    async def _templated(self, request: Request) -> str | None:
        answer = await self._known("/apply-template", {"messages": self._dialect.messages(request)})
        return found if isinstance(found := find(answer, "prompt"), str) else None

    async def _known(self, path: str, body: Mapping[str, object]) -> object:
        """What a server answers that counts tokens; None, and never asked again, on any other server."""
        answer = await self._session.ask("POST", self._root + path, body)
        try:
            return self._session.checked(answer).json()
        except LLMChatError:
            self._tokenizes = answer.status >= 429 and answer.status != 501
            return None

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
        body = self._dialect.body(request, model=self._model) | self._going_on(request)
        if not request.stream:
            answer = await self._session.post_json(url, body, once=True)
            if fault := self._fault(answer):
                raise fault
            for event in whole_reply(answer):
                yield event
            return
        reading = Reading()
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
                if (shown := reading.read(chunk, events)) is not None:
                    yield shown
        yield reading.finish()

    def _fault(self, payload: object) -> LLMChatError | None:
        return fault_in(payload, self._session)
