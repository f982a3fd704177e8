"""Builds requests for an OpenAI-compatible server, and adapts them to fields that it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from llmchat.backends.constraints.fields import LLAMA_CPP, VLLM, fields_for
from llmchat.core.generation import Request, Settings
from llmchat.errors import ContextOverflow, InputError

MAX_STOPS = 4
"""The most stop texts that OpenAI accepts; further ones are cut on the client anyway."""
BUDGET, NEWER_BUDGET = "max_tokens", "max_completion_tokens"
"""OpenAI's newer models accept only the second name (API reference, "Create chat completion")."""

ANY_MODEL = "tgi"
"""The name of TGI's model: any other name would mean a LoRA adapter."""
PENALTY: Mapping[str, str] = MappingProxyType({LLAMA_CPP: "repeat_penalty", "me": "repeat_penalty"})
"""The name of the repetition penalty in llama.cpp and llama-cpp-python, which ignore other names."""


class Dialect:
    """The fields of one server's requests: OpenAI's, without those that it refused.

    `guard` changes the text of every message, `extra` has more fields for each request. `server` is the
    `owned_by` of its models, "" if unknown.
    """

    def __init__(self, *, server: str, extra: Mapping[str, object], guard: Callable[[str], str]) -> None:
        self.server = server
        self._extra = extra
        self._guard = guard
        self._budget = BUDGET
        self._refused: frozenset[str] = frozenset()

    def messages(self, request: Request) -> list[dict[str, str]]:
        return [{"role": str(each.role), "content": self._guard(each.text)} for each in request.messages]

    def asked(self, request: Request) -> dict[str, object]:
        """The field with the prompt: `prompt` or `messages`."""
        if request.raw:
            return {"prompt": request.messages[-1].text}
        return {"messages": self.messages(request)}

    def body(self, request: Request, *, model: str | None) -> dict[str, object]:
        """The request without null fields, which some servers refuse."""
        held_to = fields_for(request.constraint, self.server, raw=request.raw)
        fields = {"model": model, **self.asked(request), "stream": request.stream, **self._optional(request)}
        kept = {name: value for name, value in fields.items() if value is not None}
        return kept | self.going_on(request) | held_to | dict(self._extra)

    def going_on(self, request: Request) -> dict[str, object]:
        """The fields that make vLLM continue the last answer: "Extra parameters" of its server."""
        if request.continues and self.server == VLLM:
            return {"continue_final_message": True, "add_generation_prompt": False}
        return {}

    def learn(self, request: Request, error: InputError) -> bool:
        """True if the error text names a field that can be renamed or left out, which is done from now on."""
        if isinstance(error, ContextOverflow):
            return False
        named = set(re.findall(r"\w+", error.message))
        if self._budget == BUDGET and NEWER_BUDGET in named and request.settings.max_tokens:
            self._budget = NEWER_BUDGET
            return True
        sent = {name for name, value in self._optional(request).items() if value is not None}
        refused = (named & sent) - self._chosen(request)
        self._refused |= refused
        return bool(refused)

    def _optional(self, request: Request) -> dict[str, object]:
        """The optional fields; None if not set, or left out."""
        usage = {"include_usage": True} if request.stream else None
        fields = {"stream_options": usage, **self._fields(request.settings)}
        return fields | dict.fromkeys(self._refused - self._chosen(request))

    def _chosen(self, request: Request) -> set[str]:
        """The fields with values that the person set."""
        return {name for name, value in self._fields(request.chosen).items() if value is not None}

    def _fields(self, settings: Settings) -> dict[str, object]:
        return {
            self._budget: settings.max_tokens,
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            "seed": settings.seed,
            PENALTY.get(self.server, "repetition_penalty"): settings.repetition_penalty,
            "stop": list(settings.stop[:MAX_STOPS]) or None,
        }
