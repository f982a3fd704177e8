"""The backend for text-generation-inference (TGI) endpoints, with prompts as raw text."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from types import MappingProxyType

from llmchat.backends.http.answer import find, number_at, parse_event, text_at
from llmchat.backends.http.backend import ServerOptions
from llmchat.backends.http.errors import WrongProtocol
from llmchat.backends.http.output_limit import OutputLimit
from llmchat.backends.tgi.requests import parameters_for
from llmchat.core.backend import Limits, ModelInfo, TokenCount, estimate_tokens
from llmchat.core.constraint import stops_outside
from llmchat.core.generation import (
    DEFAULT_MAX_TOKENS,
    Event,
    Finish,
    FinishReason,
    Notice,
    Request,
    Token,
    Usage,
)
from llmchat.errors import BrokenReply, ContextOverflow, InputError, LLMChatError

_LIBRARY = "llmchat.backends.tgi.library"
NOTHING: Mapping[str, object] = MappingProxyType({})
DEFAULT_MAX_STOPS = 4
"""TGI's default of --max-stop-sequences."""

_REASONS = {
    "length": FinishReason.LENGTH,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
}


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

    @property
    def is_recognised(self) -> bool:
        return bool(text_at(self._told, "model_id"))

    async def learn(self) -> None:
        """Requests the model, its limits and the maximum number of stop texts from GET /info."""
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
        await asyncio.to_thread(
            importlib.import_module, _LIBRARY
        )  # in a thread, to keep the event loop running
        from llmchat.backends.tgi.library import fault_in, request_body

        def fault(payload: object) -> LLMChatError | None:
            return fault_in(payload, self._client)

        url, parameters = self._client.endpoint.url, parameters_for(request, self._stops(request))
        body = request_body(self._prompt(request), parameters, stream=request.stream)
        if not request.stream:
            answer = await self._client.post_json(url, body)
            if error := fault(answer):
                raise error
            for event in _whole(answer):
                yield event
            self.has_answered = True
            return
        limit = OutputLimit(request.settings.max_tokens or DEFAULT_MAX_TOKENS)
        finish: Finish | None = None
        async with self._client.stream(url, body, fault=fault) as events:
            async for data in events:
                if data.strip() == "[DONE]":
                    break
                payload = parse_event(data)
                if "error" in payload and (error := fault(payload)):
                    raise error
                text, special = _token(payload)
                details = payload.get("details")
                if details is not None or payload.get("generated_text") is not None:
                    events.whole()
                    finish = _finish(details)
                elif text:  # "" is an unfinished character, or nothing
                    events.alive()
                if not limit.take(text):
                    yield Finish(FinishReason.LENGTH)
                    return
                if text and not special:
                    yield Token(text)
                if finish is not None:
                    break
        if finish is None:
            raise BrokenReply("the reply ended without its final event", hint="ask again")
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


def _token(payload: Mapping[str, object]) -> tuple[str, bool]:
    """The text of an event, and whether it is a special token. Raises WrongProtocol for other events."""
    token = payload.get("token")
    if not isinstance(token, dict) or not isinstance(token.get("text"), str):
        raise WrongProtocol("the server sent an event that TGI does not have", hint="check --api")
    text = token["text"]
    return (text if text.isascii() else text_at(token, "text")), bool(token.get("special"))


def _whole(answer: object) -> list[Event]:
    """The events of a reply that was not streamed."""
    reply = find(answer, 0) if isinstance(answer, list) else answer
    text = find(reply, "generated_text")
    if not isinstance(text, str):
        raise BrokenReply(
            "the server's response contains no generated text",
            hint="check the API: --api tgi or --api openai",
        )
    return [*([Token(text)] if text else []), _finish(find(reply, "details"))]


def _finish(details: object) -> Finish:
    reason = text_at(details, "finish_reason")
    usage = Usage(number_at(details, "input_length"), number_at(details, "generated_tokens"))
    return Finish(_REASONS.get(reason, FinishReason.OTHER), usage)
