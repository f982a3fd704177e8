"""Generates on a text-generation-inference endpoint, from raw text; must not cut stop texts."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING

from llmchat.backends.http.answer import find, number_at, text_at
from llmchat.backends.http.client import Endpoint, HttpClient
from llmchat.backends.http.errors import NOT_TOLD
from llmchat.backends.http.output_limit import OutputLimit
from llmchat.backends.tgi.requests import parameters_for
from llmchat.core.constraint import Constraint, stops_outside
from llmchat.core.generation import (
    DEFAULT_MAX_TOKENS,
    Event,
    Finish,
    FinishReason,
    Limits,
    Request,
    Settings,
    Token,
    TokenCount,
    Usage,
    estimate_tokens,
)
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import BrokenReply, ContextOverflow, InputError

if TYPE_CHECKING:
    from llmchat.backends.tgi.client import Client

NOTHING: Mapping[str, object] = MappingProxyType({})
DEFAULT_MAX_STOPS = 4
"""Stop texts that TGI takes unless it is started with another --max-stop-sequences."""

_REASONS = {
    "length": FinishReason.LENGTH,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
}


def info_base(url: str) -> str:
    """The URL below which an endpoint has /info and /tokenize."""
    base = url.rstrip("/")
    return base.removesuffix("/generate_stream").removesuffix("/generate")


class TgiBackend:
    """A TGI endpoint. Wire facts: text-generation-inference 3.3.7, router/src/server.rs and lib.rs.

    Prompts go to the URL as it is given, rendered byte for byte by `prompt_format`.
    """

    name = "tgi"
    defaults = Settings()
    system: str | None = None

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        prompt_format: PromptFormat,
        model: str | None = None,
        session: HttpClient | None = None,
    ) -> None:
        self.prompt_format: PromptFormat | None = prompt_format
        self._format = prompt_format
        self._model = model
        self._session = session or HttpClient(endpoint)
        self._client: Client | None = None
        self._info: object = None  # what /info said, once it was asked
        self._asking = asyncio.Lock()
        self._max_stops = DEFAULT_MAX_STOPS

    @property
    def model(self) -> str:
        """The `model_id` of /info once `limits` has asked for it, unless a name was given."""
        return self._model or ""

    async def prepare(self) -> AsyncGenerator[Event, None]:
        """Imports the client library, and asks for the limits while the server starts."""
        await self._import()
        if self._info is None:
            with suppress(*NOT_TOLD):
                async with aclosing(self._session.until(self._learn)) as events:
                    async for event in events:
                        yield event

    async def aclose(self) -> None:
        await self._session.aclose()

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates; asks once more without stop texts where the server refuses them.

        Raises the errors that llmchat.backends.http.errors maps.
        """
        spoken = False
        try:
            async with aclosing(self._session.retrying(lambda: self._attempt(request))) as events:
                async for event in events:
                    spoken = spoken or isinstance(event, Token)
                    yield event
            return
        except ContextOverflow:
            raise
        except InputError as error:
            if spoken or not self._stops(request) or "stop" not in error.message.lower():
                raise
        self._max_stops = 0
        async with aclosing(self._session.retrying(lambda: self._attempt(request))) as events:
            async for event in events:
                yield event

    async def render(self, request: Request) -> str:
        """The `inputs` of the request."""
        return self._prompt(request)

    async def count(self, request: Request) -> TokenCount:
        """Tokens of the prompt by POST /tokenize, or an estimate where the server has none."""
        prompt = self._prompt(request)
        tokens = await self._session.inquiry.compute(self._url("/tokenize"), {"inputs": prompt})
        return TokenCount(len(tokens), exact=True) if isinstance(tokens, list) else estimate_tokens(prompt)

    async def limits(self) -> Limits:
        """What GET /info says, else a guess, which stands only if the server has no /info.

        Raises UnavailableError or TryLaterError where no server answers.
        """
        with suppress(*NOT_TOLD):
            await self._learn()
        total = number_at(self._info, "max_total_tokens")
        prompt = number_at(self._info, "max_input_tokens") or number_at(self._info, "max_input_length")
        return Limits(total, prompt) if total else self._session.endpoint.unsaid

    async def recognises(self) -> bool:
        """Whether GET /info names a model. Raises ServerDown while it loads, DeniedError for a 401 or 403."""
        await self._learn()
        return bool(text_at(self._info, "model_id"))

    async def about(self) -> object:
        """What GET /info says. Raises the error of every other answer."""
        return await self._session.get_json(self._url("/info"))

    async def _learn(self) -> None:
        """Asks what the server tells of itself, unless it has told."""
        async with self._asking:
            if self._info is not None:
                return
            self._info = await self._session.inquiry.learn(self._url("/info")) or NOTHING
        self._model = self._model or text_at(self._info, "model_id") or None
        stops = number_at(self._info, "max_stop_sequences")
        self._max_stops = self._max_stops if stops is None else stops

    async def can_continue(self) -> bool:
        """Always: the prompt is one text, which may end anywhere."""
        return True

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        """TGI has a grammar for each; one that is started without says so itself."""

    def _url(self, path: str) -> str:
        return info_base(self._session.endpoint.url) + path

    def _prompt(self, request: Request) -> str:
        if request.raw:
            return request.messages[-1].text
        return self._format.render(request.messages, continues=request.continues)

    def _stops(self, request: Request) -> list[str]:
        """The person's stop texts first, then the format's, as many as the server takes."""
        of_format = () if request.raw else stops_outside(request.constraint, self._format.stop)
        return list(dict.fromkeys((*request.settings.stop, *of_format)))[: self._max_stops]

    async def _attempt(self, request: Request) -> AsyncGenerator[Event, None]:
        client = await self._open()
        prompt, parameters = self._prompt(request), parameters_for(request, self._stops(request))
        if not request.stream:
            for event in _whole(await client.generate(prompt, **parameters)):
                yield event
            return
        bound = OutputLimit(request.settings.max_tokens or DEFAULT_MAX_TOKENS)
        async with aclosing(client.generate_stream(prompt, **parameters)) as pieces:
            async for piece in pieces:
                if not bound.take(piece.token.text):
                    yield Finish(FinishReason.LENGTH)
                    break
                if piece.token.text and not piece.token.special:
                    yield Token(piece.token.text)
                if piece.is_last:
                    yield _finish(piece.details.model_dump() if piece.details else None)

    async def _import(self) -> None:
        """The client library, without holding up the event loop."""
        await asyncio.to_thread(importlib.import_module, "llmchat.backends.tgi.client")

    async def _open(self) -> Client:
        if self._client is None:
            await self._import()
            from llmchat.backends.tgi.client import Client

            self._client = Client(self._session)
        return self._client


def _whole(answer: object) -> list[Event]:
    """The events of a reply that came in one piece."""
    reply = find(answer, 0) if isinstance(answer, list) else answer
    text = find(reply, "generated_text")
    if not isinstance(text, str):
        raise BrokenReply(
            "the server's answer holds no generated text", hint="check with --api which protocol it speaks"
        )
    return [*([Token(text)] if text else []), _finish(find(reply, "details"))]


def _finish(details: object) -> Finish:
    reason = text_at(details, "finish_reason")
    usage = Usage(number_at(details, "input_length"), number_at(details, "generated_tokens"))
    return Finish(_REASONS.get(reason, FinishReason.OTHER), usage)
