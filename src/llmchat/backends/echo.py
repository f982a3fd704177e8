"""Two backends without a model: `echo` answers with the question, `canned` with one of three replies."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator

from llmchat.core.constraint import Constraint
from llmchat.core.generation import (
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
    no_events,
)
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import UsageError

CANNED = ("Tell me more about it", "Cool, but I'm not interested", "Hmmmm, ok then")
"""The replies of the course's first chat, which has no model behind it yet."""


class EchoBackend:
    """Says something it has not thought of, word by word; a word counts as a token.

    A seed makes the choice of canned replies repeatable, question for question.
    """

    prompt_format = None
    defaults = Settings()
    system: str | None = None

    def __init__(self, *, prompt_format: PromptFormat, canned: bool = False) -> None:
        self._format = prompt_format
        self._canned = canned
        self.name = self.model = "canned" if canned else "echo"

    def prepare(self) -> AsyncGenerator[Event, None]:
        return no_events()

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        words = re.findall(r"\s*\S+|\s+$", self._reply(request))
        limit = request.settings.max_tokens
        for word in words[:limit]:
            yield Token(word)
        cut = limit is not None and limit < len(words)
        usage = Usage((await self.count(request)).tokens, len(words[:limit]))
        yield Finish(FinishReason.LENGTH if cut else FinishReason.STOP, usage)

    def _reply(self, request: Request) -> str:
        if not self._canned:
            if request.continues:
                question, begun = request.messages[-2:]
                return question.text.removeprefix(begun.text)
            return request.messages[-1].text
        seed = request.settings.seed
        each_question = None if seed is None else f"{seed} {len(request.messages)}"
        return random.Random(each_question).choice(CANNED)  # noqa: S311 - small talk, not cryptography

    async def render(self, request: Request) -> str:
        if request.raw:
            return request.messages[-1].text
        return self._format.render(request.messages, continues=request.continues)

    async def count(self, request: Request) -> TokenCount:
        return estimate_tokens(await self.render(request))

    async def limits(self) -> Limits:
        return Limits(1_000_000)

    async def can_continue(self) -> bool:
        return not self._canned

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        raise UsageError(
            f"{self.name} has no model whose answer could be held to a schema or a pattern",
            hint="ask a model with -m or --url",
        )

    async def aclose(self) -> None:
        pass
