"""Asks a server what it speaks when it is first needed, and is that backend from then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from llmchat.backends.detect import Api, detect
from llmchat.backends.http import HttpSession
from llmchat.core.constraint import Constraint
from llmchat.core.generation import Backend, Event, Limits, Request, Settings, TokenCount
from llmchat.core.prompt_format import PromptFormat


class AutoBackend:
    """A server whose protocol is not known yet. What asking raises, the first request raises.

    Until then it counts as a TGI endpoint, in whose place `guess` stands.
    """

    defaults = Settings()
    system: str | None = None

    def __init__(self, session: HttpSession, *, guess: Backend, build: Callable[[Api], Backend]) -> None:
        """`build` makes backends that use the same session, so that one connection serves them all."""
        self._session = session
        self._build = build
        self._backend = guess
        self._known = False
        self._asking = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._backend.name

    @property
    def model(self) -> str:
        return self._backend.model

    @property
    def prompt_format(self) -> PromptFormat | None:
        return self._backend.prompt_format

    async def warm(self) -> None:
        await (await self._find()).warm()

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        async with aclosing((await self._find()).stream(request)) as events:
            async for event in events:
                yield event

    async def render(self, request: Request) -> str:
        return await self._backend.render(request)

    async def count(self, request: Request) -> TokenCount:
        return await (await self._find()).count(request)

    async def can_continue(self) -> bool:
        return await (await self._find()).can_continue()

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        await (await self._find()).check_constraint(constraint, raw=raw)

    async def limits(self) -> Limits:
        return await (await self._find()).limits()

    async def aclose(self) -> None:
        await self._backend.aclose()

    async def _find(self) -> Backend:
        async with self._asking:
            if not self._known:
                api = await detect(self._session)
                self._backend, self._known = self._build(api), True
        return self._backend
