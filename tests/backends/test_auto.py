"""A server that is asked what it speaks: one connection for the question and for all that follows."""

from __future__ import annotations

import asyncio

import pytest

from llmchat.backends.auto import AutoBackend
from llmchat.backends.detect import Api, guess
from llmchat.backends.http import Endpoint, HttpSession
from llmchat.backends.openai import OpenAIBackend
from llmchat.backends.tgi import TgiBackend
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import Backend, Request, Settings, Token
from llmchat.core.prompt_format import FORMATS
from servers.openai import OpenAIServer
from servers.tgi import TgiServer

QUESTION = Request((Message(Role.USER, "Hello?"),), Settings(max_tokens=8))


def backend_for(url: str) -> AutoBackend:
    endpoint = Endpoint(url)
    session = HttpSession(endpoint)

    def build(api: Api) -> Backend:
        if api is Api.OPENAI:
            return OpenAIBackend(endpoint, session=session)
        return TgiBackend(endpoint, prompt_format=FORMATS["transcript"], session=session)

    return AutoBackend(session, guess=build(guess(url)), build=build)


@pytest.mark.parametrize("kind", [TgiServer, OpenAIServer])
async def test_one_connection_serves_the_question_and_every_turn(
    kind: type[TgiServer | OpenAIServer],
) -> None:
    async with kind() as server:
        backend = backend_for(server.url)
        for _ in range(3):
            await backend.limits()
            assert [event.text async for event in backend.stream(QUESTION) if isinstance(event, Token)]
        await backend.aclose()
        assert backend.name == ("tgi" if kind is TgiServer else "openai")
        assert server.connections == 1


async def test_a_server_is_asked_once_even_by_several_at_a_time() -> None:
    async with TgiServer() as server:
        backend = backend_for(server.url)
        await asyncio.gather(backend.warm(), backend.warm(), backend.warm())
        await backend.aclose()
        assert [request.path for request in server.requests] == ["/info"]
