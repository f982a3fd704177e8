"""What the text-generation library knows of TGI: what a request may hold, and which error is which.

The home of text_generation, whose import takes half a second: import this module when it is first used. Its
client is not used: it opens a connection a call, bounds a whole reply by one timeout, follows redirects and
takes a stream that breaks off for one that ended.
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
    """A request as the library builds it, without null fields.

    Raises InputError where its validators refuse a value.
    """
    try:
        request = Request(inputs=prompt, parameters=Parameters(**parameters), stream=stream)
    except (ValidationError, ValueError) as error:
        raise InputError("the request is not one TGI takes", hint=" ".join(str(error).split())) from error
    body: dict[str, object] = request.model_dump(exclude_none=True)
    return body


def fault_in(payload: object, client: HttpClient) -> LLMChatError | None:
    """The error in an event or an answer whose status is 200; None where it holds none."""
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
            return BrokenReply(f"the server broke the reply off: {said}", hint="ask again")
    return BrokenReply(f"the server broke the reply off: {said}", hint="ask again, or look at its log")
