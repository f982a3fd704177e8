"""Reads replies of OpenAI-compatible servers, streamed or whole: text, reasoning, usage, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmchat.backends.http.answer import find, number_at, text_at
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.errors import ServerBusy, ServerDown, by_status, error_kind, error_text, rejected
from llmchat.backends.http.output_limit import OutputLimit
from llmchat.backends.http.stream import EventStream
from llmchat.core.generation import Event, Finish, FinishReason, Progress, Thought, Token, Usage
from llmchat.errors import BrokenReply, LLMChatError, UnavailableError

_REASONS = {
    "stop": FinishReason.STOP,
    "eos": FinishReason.STOP,
    "eos_token": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "end_turn": FinishReason.STOP,
    "complete": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTER,
}

_STATUS = (("error", "code"), ("code",))
"""The fields of an error that have its HTTP status."""


def fault_in(payload: object, client: HttpClient) -> LLMChatError | None:
    """The error in an event or in a response with status 200; None if there is none.

    vLLM and SGLang also send errors that are not below `error`, but are marked as one.
    """
    if not isinstance(payload, dict):
        return None
    if payload.get("error") is None and payload.get("object") != "error":
        return None
    said = client.quote(error_text(payload) or "no reason given")
    kind = error_kind(payload)
    status = next(filter(None, (number_at(payload, *place) for place in _STATUS)), None)
    if status is not None and 400 <= status < 600:
        return by_status(
            status,
            said,
            server=client.endpoint.server,
            payload=payload,
            key_from=client.endpoint.key_from if client.endpoint.key else None,
        )
    if any(word in kind for word in ("invalid_request", "exceed_context", "context_length", "BadRequest")):
        return rejected(said, kind=kind, payload=payload)
    if "overloaded" in kind:
        return ServerDown(f"the server is overloaded: {said}", hint="wait a little, then ask again")
    if "rate_limit" in kind:
        return ServerBusy(f"the server is busy: {said}", hint="wait a little, then ask again")
    if "server_error" in kind:
        return UnavailableError(f"the server failed to generate: {said}", hint="ask again")
    return BrokenReply(f"the server aborted the reply: {said}", hint="ask again, or check its log")


class StreamedReply:
    """The state of a streamed reply with a limit of tokens."""

    def __init__(self, tokens: int) -> None:
        self._limit = OutputLimit(tokens)
        self.is_cut = False
        """True if the server continues after the limit."""
        self._reason: FinishReason | None = None
        self._usage = Usage()
        self._began = False

    @property
    def is_whole(self) -> bool:
        """True if the reply has ended; only usage may follow."""
        return self._reason is not None

    def read(self, chunk: Mapping[str, object], events: EventStream) -> Sequence[Event]:
        """The events in a chunk; restarts the stream's deadline if there is a token."""
        if "usage" in chunk:
            self._usage = _usage(chunk) or self._usage
        progress = chunk.get("prompt_progress")
        if progress is not None:
            events.evaluating()
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or self._reason is not None:
            return _progress(progress)
        self._began = True
        said = _said(choice.get("delta")) or _said(choice)
        if said:
            events.alive()
            for event in said:
                if not self._limit.take(event.text):
                    self.is_cut, self._reason = True, FinishReason.LENGTH
                    return []
        if choice.get("finish_reason"):
            self._reason = _REASONS.get(text_at(choice, "finish_reason"), FinishReason.OTHER)
            events.whole()
        return said if progress is None else [*said, *_progress(progress)]

    def end(self, events: EventStream) -> None:
        """The stream has ended, which is the only end that some servers send."""
        if self._began:
            self._reason = self._reason or FinishReason.OTHER
            events.whole()

    def finish(self) -> Finish:
        if self._reason is None:
            raise BrokenReply("the reply ended without its final event", hint="ask again")
        return Finish(self._reason, self._usage)


def _progress(progress: object) -> list[Progress]:
    """llama.cpp's `prompt_progress`: tokens of the prompt, cached ones, and those evaluated so far."""
    if progress is None:
        return []
    return [Progress("evaluating the prompt", number_at(progress, "processed"), number_at(progress, "total"))]


_THOUGHTS = ("reasoning_content", "reasoning")
"""The first is DeepSeek's, llama.cpp's and SGLang's, the second vLLM's, OpenRouter's and Ollama's."""
_TEXTS = ("content", "text", "refusal")
"""`text` belongs to completions."""


def _said(message: object) -> Sequence[Thought | Token]:
    """The reasoning and the text in a message or a delta, by the field names of various servers."""
    if not isinstance(message, dict):
        return ()
    thought, text = _first_text(message, _THOUGHTS), _first_text(message, _TEXTS)
    parts = message.get("content")
    for part in parts if isinstance(parts, list) else ():  # as Mistral's, where the model thinks
        text += text_at(part, "text")
        thought += text_at(part, "thinking", 0, "text")
    if text and not thought:
        return (Token(text),)
    return (*([Thought(thought)] if thought else []), *([Token(text)] if text else []))


def _first_text(message: Mapping[str, object], names: Sequence[str]) -> str:
    """The first of these texts that exists."""
    for name in names:
        if message.get(name) and (text := text_at(message, name)):
            return text
    return ""


def _usage(payload: object) -> Usage | None:
    usage = find(payload, "usage")
    if not isinstance(usage, dict):
        return None
    return Usage(number_at(usage, "prompt_tokens"), number_at(usage, "completion_tokens"))


def whole_reply(answer: object) -> list[Event]:
    """The events of a reply that was not streamed."""
    choice = find(answer, "choices", 0)
    if not isinstance(choice, dict):
        raise BrokenReply(
            "the server's response contains no reply", hint="check the API: --api tgi or --api openai"
        )
    said = _said(find(choice, "message")) or _said(choice)
    reason = _REASONS.get(text_at(choice, "finish_reason"), FinishReason.OTHER)
    return [*said, Finish(reason, _usage(answer) or Usage())]
