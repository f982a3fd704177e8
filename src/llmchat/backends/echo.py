"""Two backends without a model: `echo` answers with the question, `canned` with one of three replies."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator, Sequence

from llmchat.core.attempts import Recovery
from llmchat.core.backend import Attempt, Backend, Connected, Limits, ModelInfo, TokenCount, estimate_tokens
from llmchat.core.generation import Event, Finish, FinishReason, Request, Token, Usage
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import UsageError

CANNED = ("Tell me more about it", "Cool, but I'm not interested", "Hmmmm, ok then")
"""The replies of the course's first chat, which has no model yet."""


class EchoBackend:
    """Answers word by word; a word counts as a token. It is its own connection.

    A seed makes the choice of canned replies repeatable for each question.
    """

    is_guess = False

    def __init__(self, *, prompt_format: PromptFormat, canned: bool = False) -> None:
        name = "canned" if canned else "echo"
        self.info = ModelInfo(name, name, Limits(1_000_000))
        self._format = prompt_format
        self._canned = canned

    @property
    def unasked(self) -> Backend | None:
        return self

    async def connect(self) -> AsyncGenerator[Event | Connected, None]:
        yield Connected(self)

    def recoveries(self) -> Sequence[Recovery[Attempt]]:
        return ()

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
        if request.constraint is not None:
            raise UsageError(
                f"{self.info.backend} has no model to constrain to a schema or a pattern",
                hint="choose a model with -m or --url",
            )
        return self._prompt(request)

    async def count(self, request: Request) -> TokenCount:
        return estimate_tokens(self._prompt(request))

    async def can_continue(self) -> bool:
        return not self._canned

    async def aclose(self) -> None:
        pass

    def _prompt(self, request: Request) -> str:
        if request.raw:
            return request.messages[-1].text
        return self._format.render(request.messages, continues=request.continues)
