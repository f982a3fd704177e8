"""The text-generation client over our own session; must not know llmchat's requests or prompts.

The home of text_generation, whose import takes half a second: import this module when it is first used.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from text_generation import AsyncClient
from text_generation.errors import (
    GenerationError,
    IncompleteGenerationError,
    OverloadedError,
    ValidationError,
    parse_error,
)
from text_generation.types import Parameters, Request, StreamDetails, StreamResponse

from llmchat.backends.http.answer import parse_event
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.errors import ServerDown, WrongProtocol, error_text, rejected
from llmchat.backends.http.stream import EventStream
from llmchat.errors import BrokenReply, InputError, LLMChatError, UnavailableError


class Details(StreamDetails):  # type: ignore[misc]  # text_generation ships no types
    """How a generation ended: any reason, because servers know more of them than the library."""

    finish_reason: str
    generated_tokens: int | None = None
    input_length: int | None = None


class Piece(StreamResponse):  # type: ignore[misc]  # text_generation ships no types
    """One event of a stream. The last one has `details` or `generated_text`, and a token as well."""

    details: Details | None = None

    @property
    def is_last(self) -> bool:
        return self.details is not None or self.generated_text is not None


class Client(AsyncClient):  # type: ignore[misc]  # text_generation ships no types
    """The library's client with its requests, answers and errors, and a session that stays open.

    The library's own opens a connection a call, bounds a whole reply by one timeout, follows redirects and
    takes a stream that breaks off for one that ended.
    """

    def __init__(self, session: HttpClient) -> None:
        super().__init__(session.endpoint.url)
        self._session = session

    async def generate(self, prompt: str, **parameters: object) -> object:
        """The answer in one piece, as JSON: an object with `generated_text`, or a list of one."""
        answer = await self._session.post_json(
            self.base_url, _body(prompt, parameters, stream=False), once=True
        )
        if fault := self._fault(answer):
            raise fault
        return answer

    async def generate_stream(self, prompt: str, **parameters: object) -> AsyncGenerator[Piece, None]:
        """The events of the stream up to its last one; closing it closes the connection.

        Raises BrokenReply where the stream ends without a last event.
        """
        body = _body(prompt, parameters, stream=True)
        async with self._session.stream(self.base_url, body, fault=self._fault) as events:
            async for data in events:
                piece = self._piece(data, events)
                if piece.is_last:
                    break
                yield piece
            else:
                raise BrokenReply("the reply ended without its final event", hint="ask again")
        yield piece

    def _piece(self, data: str, events: EventStream) -> Piece:
        if data.strip() == "[DONE]":
            raise BrokenReply("the reply ended without its final event", hint="ask again")
        payload = parse_event(data)
        if fault := self._fault(payload):
            raise fault
        try:
            piece = Piece(**payload)
        except ValueError as error:  # pydantic's ValidationError is one
            raise WrongProtocol(
                "the server sent an event that is not TGI's", hint="is --api right?"
            ) from error
        if piece.is_last:
            events.whole()
        elif piece.token.text:  # an unfinished character comes as "", but so does nothing at all
            events.alive()
        return piece

    def _fault(self, payload: object) -> LLMChatError | None:
        """The error in an event or an answer whose status is 200; None where it holds none."""
        if not isinstance(payload, dict) or payload.get("error") is None:
            return None
        said = self._session.quote(error_text(payload) or "no reason given")
        match parse_error(200, payload):
            case ValidationError():
                return rejected(said)
            case OverloadedError():
                return ServerDown(f"the server is overloaded: {said}", hint="wait a little, then ask again")
            case GenerationError():
                return UnavailableError(f"the server failed to generate: {said}", hint="ask again")
            case IncompleteGenerationError():
                return BrokenReply(f"the server broke the reply off: {said}", hint="ask again")
        return BrokenReply(f"the server broke the reply off: {said}", hint="ask again, or look at its log")


def _body(prompt: str, parameters: dict[str, object], *, stream: bool) -> dict[str, object]:
    """A request as the library builds it, without null fields.

    Raises InputError where its validators refuse a value.
    """
    try:
        request = Request(inputs=prompt, parameters=Parameters(**parameters), stream=stream)
    except (ValidationError, ValueError) as error:
        raise InputError("the request is not one TGI takes", hint=" ".join(str(error).split())) from error
    body: dict[str, object] = request.model_dump(exclude_none=True)
    return body
