"""The parts of the text-generation library that llmchat uses: request validation, and TGI's error types.

Importing text_generation takes half a second, so import this module only when it is needed. The library's
client is not used: it opens a connection per call, has one timeout for a whole reply, follows redirects, and
takes a broken stream for a complete one.
"""

from __future__ import annotations

from collections.abc import Mapping

from text_generation.errors import (
    GenerationError,
    IncompleteGenerationError,
    OverloadedError,
    ValidationError,
    parse_error,
)
from text_generation.types import Parameters, Request

from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.errors import ServerDown, error_text, rejected
from llmchat.errors import BrokenReply, InputError, LLMChatError, UnavailableError


def request_body(prompt: str, parameters: Mapping[str, object], *, stream: bool) -> dict[str, object]:
    """A request validated by the library, without null fields.

    Raises InputError if its validators refuse a value.
    """
    try:
        request = Request(inputs=prompt, parameters=Parameters(**parameters), stream=stream)
    except (ValidationError, ValueError) as error:
        raise InputError("TGI does not accept this request", hint=" ".join(str(error).split())) from error
    body: dict[str, object] = request.model_dump(exclude_none=True)
    return body


def fault_in(payload: object, client: HttpClient) -> LLMChatError | None:
    """The error in an event or in a response with status 200; None if there is none."""
    if not isinstance(payload, dict) or payload.get("error") is None:
        return None
    said = client.quote(error_text(payload) or "no reason given")
    match parse_error(200, payload):
        case ValidationError():
            return rejected(said)
        case OverloadedError():
            return ServerDown(f"the server is overloaded: {said}", hint="wait a little, then ask again")
        case GenerationError():
            return UnavailableError(f"the server failed to generate: {said}", hint="ask again")
        case IncompleteGenerationError():
            return BrokenReply(f"the server aborted the reply: {said}", hint="ask again")
    return BrokenReply(f"the server aborted the reply: {said}", hint="ask again, or check its log")
