"""Asks a server what it speaks when it is first needed, and is that backend from then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress

from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.errors import NotThere, ServerBusy, ServerDown, WrongProtocol
from llmchat.backends.registry import Api, HttpBackend, apis_of, detect, guess
from llmchat.backends.remembered import Remembered
from llmchat.core.constraint import Constraint
from llmchat.core.generation import Backend, Event, Limits, Request, Settings, TokenCount
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import BrokenReply, LLMChatError


class AutoBackend:
    """A server whose protocol is not known yet. What asking raises, the first request raises.

    Until then it counts as what it was in an earlier run, or what its URL says. Where the server does not
    tell either, a request that finds nothing there, or another protocol, is sent once more in the other one.
    """

    defaults = Settings()
    system: str | None = None

    def __init__(
        self,
        session: HttpClient,
        speakers: Mapping[Api, HttpBackend],
        *,
        remembered: Remembered | None = None,
    ) -> None:
        """The `speakers`, one for each API, use this session, so that one connection serves them all."""
        self._session = session
        self._speakers = speakers
        self._remembered = remembered
        url = session.endpoint.url
        self._before = remembered.get(url) if remembered else None  # what it spoke in an earlier run
        self._api = self._before or guess(url)
        self._asked = False
        self._sure = False  # the server said so
        self._asking = asyncio.Lock()

    @property
    def is_known(self) -> bool:
        """Whether the server has said what it speaks, if in an earlier run."""
        return self._sure or self._before is not None

    @property
    def name(self) -> str:
        return self._backend.name

    @property
    def model(self) -> str:
        return self._backend.model

    @property
    def prompt_format(self) -> PromptFormat | None:
        return self._backend.prompt_format

    async def prepare(self) -> AsyncGenerator[Event, None]:
        with suppress(ServerDown, ServerBusy):  # the request itself will say so
            async with aclosing(self._session.until(self._find)) as events:
                async for event in events:
                    yield event
        async with aclosing(self._backend.prepare()) as events:
            async for event in events:
                yield event

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        first = await self._found()
        began = False
        try:
            async with aclosing(first.stream(request)) as events:
                async for event in events:
                    began = True
                    yield event
        except (NotThere, WrongProtocol) as error:
            if began or self._sure:
                raise
            self._api = Api.OPENAI if self._api is Api.TGI else Api.TGI
            async with aclosing(self._other_way(request, error)) as events:
                async for event in events:
                    yield event
        self._be_sure()

    async def render(self, request: Request) -> str:
        return await self._backend.render(request)

    async def count(self, request: Request) -> TokenCount:
        return await (await self._found()).count(request)

    async def can_continue(self) -> bool:
        return await (await self._found()).can_continue()

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        await (await self._found()).check_constraint(constraint, raw=raw)

    async def limits(self) -> Limits:
        return await (await self._found()).limits()

    async def recognises(self) -> bool:
        """Whether the server says what it speaks, or has shown it. Raises as `detect`."""
        await self._find()
        return self._sure

    async def about(self) -> object:
        """What it tells in one of the protocols. Raises the first answer that is worse than nothing there."""
        told: object = None
        missing: NotThere | None = None
        for api in apis_of(self._session.endpoint.url):
            try:
                told = await self._speakers[api].about() or told
            except NotThere as error:
                missing = missing or error
        if told is None and missing is not None:
            raise missing
        return told

    async def aclose(self) -> None:
        await self._backend.aclose()

    @property
    def _backend(self) -> Backend:
        return self._speakers[self._api]

    async def _found(self) -> Backend:
        """The backend that the server speaks; what its URL says while it is busy or starting."""
        with suppress(ServerDown, ServerBusy):
            await self._find()
        return self._backend

    async def _find(self) -> None:
        """Asks the server, unless it has answered."""
        async with self._asking:
            if not self._asked:
                url = self._session.endpoint.url
                found = await detect(url, self._speakers, remembered=self._before)
                self._api = found or self._api
                self._asked = True
                if found:
                    self._be_sure()

    async def _other_way(self, request: Request, first: LLMChatError) -> AsyncGenerator[Event, None]:
        """The same request in the other protocol; where that is wrong too, the first error stands."""
        began = False
        try:
            async with aclosing(self._backend.stream(request)) as events:
                async for event in events:
                    began = True
                    yield event
        except LLMChatError as error:
            if began or not isinstance(error, NotThere | WrongProtocol | BrokenReply):
                raise  # whoever answers so was found
            self._api = Api.OPENAI if self._api is Api.TGI else Api.TGI
            raise first from error

    def _be_sure(self) -> None:
        if not self._sure:
            self._sure = True
            if self._remembered:
                self._remembered.put(self._session.endpoint.url, self._api)
