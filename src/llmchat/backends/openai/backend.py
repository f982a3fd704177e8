"""The backend for OpenAI-compatible servers."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from llmchat.backends.constraints.fields import TGI, VLLM, fields_for
from llmchat.backends.http.answer import find, number_at, parse_event, text_at
from llmchat.backends.http.backend import ServerOptions
from llmchat.backends.http.errors import NotThere
from llmchat.backends.openai.models import context_of, listed, names_of, others_of, owner_of
from llmchat.backends.openai.replies import StreamedReply, fault_in, whole_reply
from llmchat.backends.openai.requests import ANY_MODEL, Dialect
from llmchat.backends.openai.tokenizer import Tokenizer
from llmchat.core.backend import Limits, ModelInfo, TokenCount, estimate_tokens
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import DEFAULT_MAX_TOKENS, Event, Notice, Request, Settings
from llmchat.errors import InputError, LLMChatError, UsageError

NOTHING: Mapping[str, object] = MappingProxyType({})
_UNKNOWN = ModelInfo("openai")
_UNFINISHED = "Once upon"


async def _as_it_is(error: LLMChatError) -> LLMChatError:
    return error


def api_base(url: str) -> str:
    """The base URL of the API, which has /models below it: ends in a version, /v1 by default."""
    base = url.rstrip("/").removesuffix("/chat/completions").removesuffix("/completions")
    return base if re.search(r"[^/]/v\d+\w*(/openai)?$", base) else f"{base}/v1"


class OpenAIBackend:
    """An OpenAI-compatible server: OpenAI's API reference, "Chat" and "Completions", as servers speak it.

    `extra` and `guard` are those of `Dialect`; `server` is the `owned_by` of its models, if known already.
    A `templated` one is llama.cpp, whose chat template renders prompts. `explain` may return a better error
    for a failed request.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        info: ModelInfo = _UNKNOWN,
        extra: Mapping[str, object] = NOTHING,
        guard: Callable[[str], str] = str,
        server: str = "",
        templated: bool = False,
        explain: Callable[[LLMChatError], Awaitable[LLMChatError]] = _as_it_is,
    ) -> None:
        self.info = replace(info, model=info.model or options.model or "")
        self.has_answered = False
        self._client, self._probe = options.client, options.probe
        self._chosen = bool(self.info.model)
        self._dialect = Dialect(server=server, extra=extra, guard=guard)
        self._models: object = None  # the response of /v1/models, once it was requested
        self._templated = templated
        self._explain = explain
        self._base = api_base(self._client.endpoint.url)
        self._root = self._base.rpartition("/v")[0]
        self._tokenizer = Tokenizer(self._probe, self._dialect, root=self._root)
        self._learn_from(NOTHING)

    @property
    def is_recognised(self) -> bool:
        return isinstance(find(self._models, "data"), list)

    async def learn(self) -> None:
        """Requests the list of models and, if that has no context window, llama.cpp's /props."""
        if self._models is None:
            self._models = await self._probe.learn(f"{self._base}/models") or NOTHING
            self._learn_from(self._models)
        if self.is_recognised and context_of(listed(self._models, self.info.model)) is None:
            props = await self._probe.learn(f"{self._root}/props")
            if context := number_at(props, "default_generation_settings", "n_ctx"):
                self.info = replace(self.info, limits=Limits(context))

    def notices(self) -> list[Notice]:
        """A notice about other models, if none was chosen."""
        others = len(names_of(self._models)) - 1
        if self._chosen or others < 1:
            return []
        more = f"{others} other model{'s' if others > 1 else ''}"
        return [Notice(f"the server has {more} besides {self.info.model}; choose one with -m", once=True)]

    async def about(self) -> object:
        """The JSON of /v1/models. Raises the error of any other response."""
        return await self._client.get_json(f"{self._base}/models")

    def leave_out(self, request: Request, error: InputError) -> bool:
        """True if the error names a field that can be renamed or left out, which is done from now on."""
        return self._dialect.learn(request, error)

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates a reply. Raises the errors of llmchat.backends.http.errors."""
        url = self._base + ("/completions" if request.raw else "/chat/completions")
        tgi = self._dialect.server == TGI and not self._chosen
        body = self._dialect.body(request, model=ANY_MODEL if tgi else self.info.model or None)
        try:
            if not request.stream:
                answer = await self._client.post_json(url, body)
                if fault := self._fault(answer):
                    raise fault
                for event in whole_reply(answer):
                    yield event
                self.has_answered = True
                return
            reply = StreamedReply(request.settings.max_tokens or DEFAULT_MAX_TOKENS)
            async with self._client.stream(url, body, fault=self._fault) as events:
                async for data in events:
                    if data.strip() == "[DONE]":
                        reply.end(events)
                        break
                    try:
                        chunk = parse_event(data)
                        if fault := self._fault(chunk):
                            raise fault
                    except LLMChatError:
                        if reply.is_whole:
                            break
                        raise
                    for event in reply.read(chunk, events):
                        yield event
                    if reply.is_cut:
                        break
            finish = reply.finish()
        except LLMChatError as error:
            better = self._with_names(error) if isinstance(error, NotThere) else await self._explain(error)
            if better is error:
                raise
            raise better from error
        self.has_answered = True
        yield finish

    async def render(self, request: Request) -> str:
        """The messages as JSON, the text that llama.cpp renders, or the raw prompt."""
        try:
            fields_for(request.constraint, self._dialect.server, raw=request.raw)
        except UsageError:
            if not self._dialect.server:
                self._probe.heed_busy()  # the server may support it, but was too busy to report that
            raise
        if request.raw:
            return request.messages[-1].text
        if self._templated:
            body = {"messages": self._dialect.messages(request)}
            return text_at(await self._client.post_json(f"{self._root}/apply-template", body), "prompt")
        return json.dumps(self._dialect.messages(request), indent=2, ensure_ascii=False)

    async def count(self, request: Request) -> TokenCount:
        """Tokens as counted by vLLM or llama.cpp, else an estimate over the messages."""
        if (tokens := await self._tokenizer.count(request, self.info.model or None)) is not None:
            return TokenCount(tokens, exact=True)
        return estimate_tokens("\n".join(f"{message.role}: {message.text}" for message in request.messages))

    async def can_continue(self) -> bool:
        """True if an unfinished answer can be continued: on vLLM, and on llama.cpp by its /apply-template."""
        probe = Request((Message(Role.USER, "Hello"), Message(Role.ASSISTANT, _UNFINISHED)), Settings())
        if (prompt := await self._tokenizer.templated(probe)) is not None:
            return prompt.rstrip().endswith(_UNFINISHED)
        return self._dialect.server == VLLM

    def _learn_from(self, models: object) -> None:
        entry = listed(models, self.info.model or None)
        self._dialect.server = self._dialect.server or owner_of(entry)
        context = context_of(entry)
        self.info = replace(
            self.info,
            model=self.info.model or text_at(entry, "id"),
            limits=Limits(context) if context else self._client.endpoint.unsaid,
        )

    def _with_names(self, error: NotThere) -> NotThere:
        """The same error with the names of existing models, if the requested one does not exist."""
        names = others_of(self._models, self.info.model) if self._chosen else ""
        return NotThere(error.message, hint=f"it has {names}") if names else error

    def _fault(self, payload: object) -> LLMChatError | None:
        return fault_in(payload, self._client)
