"""A server that is asked what it speaks: one connection for the question and for all that follows."""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from types import ModuleType

import pytest

from backends.asking import generate, limits_of
from llmchat.backends.http.endpoint import Endpoint, Timeouts
from llmchat.backends.remembered import Remembered
from llmchat.backends.server import ServerConnection
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import Request, Settings, Token
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import ConfigError
from servers import LoopbackServer, Reply, json_reply
from servers.openai import CHAT, OpenAIServer
from servers.openai import stream as openai_stream
from servers.tgi import TgiServer
from servers.tgi import stream as tgi_stream

MODELS = "/v1/models"

QUESTION = Request((Message(Role.USER, "Hello?"),), Settings(max_tokens=8))


def connection_to(url: str, *, path: Path | None = None) -> ServerConnection:
    return ServerConnection(
        Endpoint(url, timeouts=Timeouts(wait=0)),
        prompt_format=FORMATS["transcript"],
        remembered=Remembered(path) if path else None,
    )


async def answer(connection: ServerConnection) -> str:
    return "".join(event.text for event in await generate(connection, QUESTION) if isinstance(event, Token))


def paths(server: LoopbackServer) -> list[str]:
    return [request.path for request in server.requests]


@pytest.mark.parametrize("kind", [TgiServer, OpenAIServer])
async def test_one_connection_serves_the_question_and_every_turn(
    kind: type[TgiServer | OpenAIServer],
) -> None:
    async with kind() as server:
        connection = connection_to(server.url)
        for _ in range(3):
            assert await answer(connection)
        await connection.aclose()
        assert connection.info.backend == ("tgi" if kind is TgiServer else "openai")
        assert server.connections == 1


async def test_a_server_is_asked_once_even_by_several_at_a_time() -> None:
    async with TgiServer() as server:
        connection = connection_to(server.url)
        await asyncio.gather(*(limits_of(connection) for _ in range(3)))
        await connection.aclose()
        assert [request.path for request in server.requests] == ["/info"]


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [(TgiServer, ["/info", "/"], ["/info", "/"]), (OpenAIServer, ["/info", MODELS, CHAT], [MODELS, CHAT])],
)
async def test_what_a_server_speaks_is_remembered_for_the_next_run(
    kind: type[TgiServer | OpenAIServer], first: list[str], second: list[str], tmp_path: Path
) -> None:
    async with kind() as server:
        for expected in (first, second):
            connection = connection_to(server.url, path=tmp_path / "cache" / "servers.json")
            assert await answer(connection)
            await connection.aclose()
            assert paths(server) == expected
            server.requests.clear()


@pytest.mark.parametrize(("before", "after"), [(TgiServer, OpenAIServer), (OpenAIServer, TgiServer)])
async def test_a_server_that_was_replaced_costs_one_question_more_and_no_answer(
    before: type[TgiServer | OpenAIServer], after: type[TgiServer | OpenAIServer], tmp_path: Path
) -> None:
    path = tmp_path / "servers.json"
    async with after() as server:
        Remembered(path).put(server.url, "tgi" if before is TgiServer else "openai")
        connection = connection_to(server.url, path=path)
        assert (await answer(connection)).strip() == "Hello there"
        await connection.aclose()
        assert sum(request.method == "POST" for request in server.requests) == 1
        assert Remembered(path).get(server.url) == ("tgi" if after is TgiServer else "openai")
        assert (
            connection_to(server.url, path=path).info.backend == connection.info.backend
        )  # before anything was asked


@pytest.mark.parametrize(
    ("path", "route", "reply"),
    [("", CHAT, openai_stream("Hi")), ("/v1", "/v1", tgi_stream("Hi")), ("", "/", tgi_stream("Hi"))],
    ids=["OpenAI's", "TGI's", "the guessed"],
)
async def test_where_only_the_generating_route_is_let_through_a_wrong_guess_costs_one_request(
    path: str, route: str, reply: Reply, tmp_path: Path
) -> None:
    async with LoopbackServer() as server:
        server.always(route, reply)
        for most in (2, 1):
            connection = connection_to(server.url + path, path=tmp_path / "servers.json")
            assert (await answer(connection)).strip() == "Hi"
            await connection.aclose()
            assert 1 <= sum(request.method == "POST" for request in server.requests) <= most
            server.requests.clear()


async def test_events_of_the_other_protocol_are_a_wrong_guess_too() -> None:
    async with LoopbackServer() as server:
        for path in ("/", CHAT):
            server.always(path, openai_stream("Hi"))
        connection = connection_to(server.url)
        assert await answer(connection) == "Hi"
        await connection.aclose()
        assert connection.info.backend == "openai"


async def test_where_neither_protocol_finds_anything_the_first_error_stands() -> None:
    async with LoopbackServer() as server:
        connection = connection_to(server.url)
        with pytest.raises(ConfigError, match="404"):
            await answer(connection)
        await connection.aclose()
        assert [path for path in paths(server) if path in ("/", CHAT)] == ["/", CHAT]
        assert connection.info.backend == "tgi"


async def test_a_model_that_a_known_server_does_not_have_is_no_reason_to_guess() -> None:
    async with OpenAIServer() as server:
        server.always(CHAT, json_reply({"error": {"message": "no such model"}}, 404))
        connection = connection_to(server.url)
        with pytest.raises(ConfigError, match="no such model"):
            await answer(connection)
        await connection.aclose()
        assert [request.path for request in server.requests if request.method == "POST"] == [CHAT]


@pytest.mark.parametrize(("kind", "times"), [(TgiServer, 1), (OpenAIServer, 0)])
async def test_the_library_for_tgi_is_imported_once_while_a_tgi_is_connected(
    kind: type[TgiServer | OpenAIServer], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported: list[str] = []
    real = importlib.import_module

    def record(name: str, package: str | None = None) -> ModuleType:
        imported.append(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", record)
    async with kind() as server:
        connection = connection_to(server.url)
        await limits_of(connection)
        assert imported.count("llmchat.backends.tgi.library") == times
        for _ in range(2):
            assert await answer(connection)
        await connection.aclose()
    assert imported.count("llmchat.backends.tgi.library") == times
