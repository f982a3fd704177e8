"""The backend for text-generation-inference (TGI) endpoints, with prompts as raw text."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from llmchat.backends.http.answer import number_at, text_at
from llmchat.backends.http.backend import ServerOptions
from llmchat.backends.tgi.replies import StreamedTgiReply, whole_reply
from llmchat.backends.tgi.requests import parameters_for
from llmchat.core.backend import Limits, ModelInfo, TokenCount, estimate_tokens
from llmchat.core.constraint import stops_outside
from llmchat.core.generation import DEFAULT_MAX_TOKENS, Event, Notice, Request
from llmchat.errors import ContextOverflow, InputError

NOTHING: Mapping[str, object] = MappingProxyType({})
DEFAULT_MAX_STOPS = 4
"""TGI's default of --max-stop-sequences."""


def info_base(url: str) -> str:
    """The base URL of /info and /tokenize."""
    base = url.rstrip("/")
    return base.removesuffix("/generate_stream").removesuffix("/generate")


class TgiBackend:
    """A TGI endpoint. Wire facts: text-generation-inference 3.3.7, router/src/server.rs and lib.rs.

    Prompts are rendered by the prompt format, and sent to the URL exactly as it was given.
    """

    def __init__(self, options: ServerOptions) -> None:
        self._client, self._probe = options.client, options.probe
        self._format = options.prompt_format
        unsaid = self._client.endpoint.unsaid
        self.info = ModelInfo("tgi", options.model or "", unsaid, prompt_format=self._format)
        self.has_answered = False
        self._told: object = None  # the response of /info, once it was requested
        self._max_stops = DEFAULT_MAX_STOPS
        self._is_imported = False

    @property
    def is_recognised(self) -> bool:
        return bool(text_at(self._told, "model_id"))

    async def learn(self) -> None:
        """Requests the model, its limits and the maximum number of stop texts from GET /info.

        If that shows a TGI, imports what its first reply needs.
        """
        if self._told is not None:
            return
        self._told = await self._probe.learn(self._url("/info")) or NOTHING
        total = number_at(self._told, "max_total_tokens")
        prompt = number_at(self._told, "max_input_tokens") or number_at(self._told, "max_input_length")
        self.info = replace(
            self.info,
            model=self.info.model or text_at(self._told, "model_id"),
            limits=Limits(total, prompt) if total else self._client.endpoint.unsaid,
        )
        stops = number_at(self._told, "max_stop_sequences")
        self._max_stops = self._max_stops if stops is None else stops
        if self.is_recognised:
            await self._import_library()

    def notices(self) -> list[Notice]:
        return []

    async def about(self) -> object:
        """The JSON of GET /info. Raises the error of any other response."""
        return await self._client.get_json(self._url("/info"))

    def leave_out(self, request: Request, error: InputError) -> bool:
        """True if the error is about stop texts: they are no longer sent, only cut on the client."""
        if (
            isinstance(error, ContextOverflow)
            or not self._stops(request)
            or "stop" not in error.message.lower()
        ):
            return False
        self._max_stops = 0
        return True

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates a reply. Raises the errors of llmchat.backends.http.errors."""
        await self._import_library()
        from llmchat.backends.tgi.library import fault_in, request_body

        fault = partial(fault_in, client=self._client)
        parameters = parameters_for(request, self._stops(request))
        body = request_body(self._prompt(request), parameters, stream=request.stream)
        url = self._client.endpoint.url
        if not request.stream:
            answer = await self._client.post_json(url, body)
            if error := fault(answer):
                raise error
            for event in whole_reply(answer):
                yield event
            self.has_answered = True
            return
        reply = StreamedTgiReply(request.settings.max_tokens or DEFAULT_MAX_TOKENS, fault)
        async with self._client.stream(url, body, fault=fault) as events:
            async for data in events:
                if token := reply.read(data, events):
                    yield token
                if reply.is_over:
                    break
        finish = reply.finish()
        self.has_answered = True
        yield finish

    async def render(self, request: Request) -> str:
        """The `inputs` of the request. TGI supports any constraint, or reports an error."""
        return self._prompt(request)

    async def count(self, request: Request) -> TokenCount:
        """Tokens of the prompt by POST /tokenize, or an estimate if the server does not have it."""
        prompt = self._prompt(request)
        tokens = await self._probe.compute(self._url("/tokenize"), {"inputs": prompt})
        return TokenCount(len(tokens), exact=True) if isinstance(tokens, list) else estimate_tokens(prompt)

    async def can_continue(self) -> bool:
        """Always True: the prompt is one text, which can end anywhere."""
        return True

    def _url(self, path: str) -> str:
        return info_base(self._client.endpoint.url) + path

    def _prompt(self, request: Request) -> str:
        if request.raw:
            return request.messages[-1].text
        return self._format.render(request.messages, continues=request.continues)

    def _stops(self, request: Request) -> list[str]:
        """The person's stop texts, then the prompt format's, up to the server's maximum."""
        of_format = () if request.raw else stops_outside(request.constraint, self._format.stop)
        return list(dict.fromkeys((*request.settings.stop, *of_format)))[: self._max_stops]

    async def _import_library(self) -> None:
        """Imports text_generation, which takes half a second, in a thread: the event loop goes on."""
        if not self._is_imported:
            await asyncio.to_thread(importlib.import_module, "llmchat.backends.tgi.library")
            self._is_imported = True
