"""Reads the replies of TGI, streamed or whole (text-generation-inference 3.3.7, router/src/lib.rs)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llmchat.backends.http.answer import find, number_at, parse_event, text_at
from llmchat.backends.http.errors import WrongProtocol
from llmchat.backends.http.output_limit import OutputLimit
from llmchat.backends.http.stream import EventStream
from llmchat.core.generation import Event, Finish, FinishReason, Token, Usage
from llmchat.errors import BrokenReply, LLMChatError

_REASONS = {
    "length": FinishReason.LENGTH,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
}


class StreamedTgiReply:
    """The state of a streamed reply of at most `tokens` tokens. `fault` finds the error in an event."""

    def __init__(self, tokens: int, fault: Callable[[object], LLMChatError | None]) -> None:
        self.is_over = False
        self._limit = OutputLimit(tokens)
        self._fault = fault
        self._finish: Finish | None = None

    def read(self, data: str, events: EventStream) -> Token | None:
        """The token of an event, if it is shown. Restarts the deadlines of the stream as it deserves.

        Raises WrongProtocol for an event that TGI does not have.
        """
        if data.strip() == "[DONE]":
            self.is_over = True
            return None
        payload = parse_event(data)
        if "error" in payload and (error := self._fault(payload)):
            raise error
        text, special = _token(payload)
        details = payload.get("details")
        if details is not None or payload.get("generated_text") is not None:
            events.whole()
            self._finish, self.is_over = _finish(details), True
        elif text:  # "" is an unfinished character, or nothing
            events.alive()
        if not self._limit.take(text):
            self._finish, self.is_over = Finish(FinishReason.LENGTH), True
            return None
        return Token(text) if text and not special else None

    def finish(self) -> Finish:
        """The end of the reply. Raises BrokenReply if its final event did not come."""
        if self._finish is None:
            raise BrokenReply("the reply ended without its final event", hint="ask again")
        return self._finish


def _token(payload: Mapping[str, object]) -> tuple[str, bool]:
    """The text of an event, and whether it is a special token. Raises WrongProtocol for other events."""
    token = payload.get("token")
    if not isinstance(token, dict) or not isinstance(token.get("text"), str):
        raise WrongProtocol("the server sent an event that TGI does not have", hint="check --api")
    return text_at(token, "text"), bool(token.get("special"))


def whole_reply(answer: object) -> list[Event]:
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
