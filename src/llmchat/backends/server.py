"""The connection to a server: detects its API, remembers it, and opens the backend for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from llmchat.backends.http.backend import HttpBackend, ServerOptions
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.endpoint import Endpoint
from llmchat.backends.http.errors import NOT_TOLD, NotThere, WrongProtocol
from llmchat.backends.http.probe import ServerProbe
from llmchat.backends.registry import Api, by_name, candidates, others
from llmchat.backends.remembered import Remembered
from llmchat.core.attempts import Recovery, Retry
from llmchat.core.backend import Attempt, Backend, Connected, ModelInfo
from llmchat.core.generation import Event
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import BrokenReply, DeniedError, InputError, LLMChatError


class ServerConnection:
    """The connection to one server, with one HTTP client. The first request raises errors of the detection.

    Until the API is detected, that of an earlier run or of the URL is assumed. If the server does not report
    it, a request that fails with 404 or another API's events is sent once more in another API.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        prompt_format: PromptFormat,
        model: str | None = None,
        api: str | None = None,
        remembered: Remembered | None = None,
    ) -> None:
        """`api` is the name of the API, if the person set it."""
        self.refusal: LLMChatError | None = None
        """Why the last detection failed."""
        self._client = HttpClient(endpoint)
        self._probe = ServerProbe(self._client)
        self._options = ServerOptions(self._client, self._probe, prompt_format, model)
        self._opened: dict[str, HttpBackend] = {}
        self._remembered = remembered
        self._before = by_name(remembered.get(endpoint.url)) if remembered else None
        self._api = by_name(api) or self._before or candidates(endpoint.url)[0]
        self._is_sure = api is not None  # set by the person, or detected
        self._has_told = False
        self._asking = asyncio.Lock()

    @property
    def info(self) -> ModelInfo:
        return self._backend.info

    @property
    def is_guess(self) -> bool:
        return not self._is_sure and self._before is None

    @property
    def is_recognised(self) -> bool:
        """True if the server reported its API, or has answered in one."""
        return self._backend.is_recognised or self._backend.has_answered

    @property
    def api(self) -> Api:
        """The detected or assumed API."""
        return self._api

    @property
    def unasked(self) -> Backend | None:
        return self._backend

    async def connect(self) -> AsyncGenerator[Event | Connected, None]:
        self._note_answer()
        if not self._has_told:
            await self._client.warm()
            try:
                async with aclosing(self._probe.until(self._learn)) as events:
                    async for event in events:
                        yield event
            except NOT_TOLD as error:
                if isinstance(error, DeniedError) and not self._is_sure:
                    raise
                self.refusal = error
            for notice in self._backend.notices():
                yield notice
        yield Connected(self._backend)

    def recoveries(self) -> Sequence[Recovery[Attempt]]:
        return [InAnotherApi(self), WithoutRefused(self._opened_as), self._probe.wait_and_retry()]

    async def about(self) -> object:
        """The server's JSON about itself, in one of the APIs. Raises the first error other than 404."""
        told: object = None
        missing: NotThere | None = None
        for api in [self._api] if self._is_sure else candidates(self._client.endpoint.url):
            try:
                told = await self._open(api).about() or told
            except NotThere as error:
                missing = missing or error
        if told is None and missing is not None:
            raise missing
        return told

    async def aclose(self) -> None:
        self._note_answer()
        await self._client.aclose()

    def others(self) -> list[Api]:
        """The other possible APIs; none if the API is known."""
        return [] if self._is_sure else others(self._api)

    def take_for(self, api: Api) -> HttpBackend:
        """Assumes this API from now on."""
        self._api = api
        return self._backend

    @property
    def _backend(self) -> HttpBackend:
        return self._open(self._api)

    def _open(self, api: Api) -> HttpBackend:
        if api.name not in self._opened:
            self._opened[api.name] = api.open(self._options)
        return self._opened[api.name]

    def _opened_as(self, backend: Backend) -> HttpBackend:
        """The backend, as the type that this connection opened."""
        return next(each for each in self._opened.values() if each is backend)

    async def _learn(self) -> None:
        """Detects the API, unless it is known: asks in each API until one is recognised."""
        async with self._asking:
            if self._has_told:
                return
            for api in [self._api] if self._is_sure else self._in_turn():
                backend = self._open(api)
                await backend.learn()
                if backend.is_recognised:
                    self._api = api
                    self._be_sure()
                    break
            self._has_told = True
            self.refusal = None

    def _in_turn(self) -> list[Api]:
        """The possible APIs, that of an earlier run first."""
        return sorted(candidates(self._client.endpoint.url), key=lambda api: api is not self._before)

    def _note_answer(self) -> None:
        if self._backend.has_answered:
            self._be_sure()

    def _be_sure(self) -> None:
        if not self._is_sure:
            self._is_sure = True
            if self._remembered:
                self._remembered.put(self._client.endpoint.url, self._api.name)


class InAnotherApi:
    """The recovery from a wrongly assumed API: tries the others."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._guess = connection.api
        self._first: LLMChatError | None = None  # the error with the assumed API
        self._left: list[Api] = []

    async def recover(self, failed: Attempt, error: LLMChatError) -> Retry[Attempt] | LLMChatError | None:
        if self._first is None:
            if not isinstance(error, NotThere | WrongProtocol):
                return None
            self._left = self._connection.others()
            if not self._left:
                return None
            self._first = error
        elif not isinstance(error, NotThere | WrongProtocol | BrokenReply):
            return None  # such an error shows that the API is right
        if not self._left:
            self._connection.take_for(self._guess)
            return self._first
        return Retry(Attempt(self._connection.take_for(self._left.pop(0)), failed.request))


class WithoutRefused:
    """The recovery from a refused field that the person did not set: sends again without it."""

    def __init__(self, opened_as: Callable[[Backend], HttpBackend]) -> None:
        self._opened_as = opened_as

    async def recover(self, failed: Attempt, error: LLMChatError) -> Retry[Attempt] | None:
        if isinstance(error, InputError) and self._opened_as(failed.backend).leave_out(failed.request, error):
            return Retry(failed)
        return None
