"""Counts the tokens of a prompt by the server: vLLM or llama.cpp."""

from __future__ import annotations

from collections.abc import Mapping

from llmchat.backends.constraints.fields import VLLM
from llmchat.backends.http.answer import find, number_at
from llmchat.backends.http.probe import ServerProbe
from llmchat.backends.openai.requests import Dialect
from llmchat.core.generation import Request


class Tokenizer:
    """vLLM's /tokenize, or llama.cpp's, which needs the text from its /apply-template.

    A server that has neither is asked only once. `root` is the base URL for both.
    """

    def __init__(self, probe: ServerProbe, dialect: Dialect, *, root: str) -> None:
        self._probe = probe
        self._dialect = dialect
        self._root = root

    async def count(self, request: Request, model: str | None) -> int | None:
        """Tokens of the prompt; None if the server does not count them."""
        if self._dialect.server == VLLM:
            parts = self._dialect.asked(request) | self._dialect.going_on(request)
            return number_at(await self._ask("/tokenize", {"model": model, **parts}), "count")
        text = request.messages[-1].text if request.raw else await self.templated(request)
        if text is None:
            return None
        tokens = find(await self._ask("/tokenize", {"content": text, "add_special": True}), "tokens")
        return len(tokens) if isinstance(tokens, list) else None

    async def templated(self, request: Request) -> str | None:
        """The prompt that llama.cpp renders from the messages; None on another server."""
        answer = await self._ask("/apply-template", {"messages": self._dialect.messages(request)})
        return found if isinstance(found := find(answer, "prompt"), str) else None

    async def _ask(self, path: str, body: Mapping[str, object]) -> object:
        return await self._probe.compute(self._root + path, body)
