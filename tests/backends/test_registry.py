"""Which API a server speaks, and that another one is a folder and a line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backends.asking import limits_of, open_server
from llmchat import weights
from llmchat.app import Session
from llmchat.backends import registry
from llmchat.backends.http.answer import parse_event, text_at
from llmchat.backends.http.backend import ServerOptions
from llmchat.backends.http.endpoint import Endpoint, Timeouts
from llmchat.backends.registry import candidates
from llmchat.backends.remembered import Remembered
from llmchat.backends.server import ServerConnection
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.core.backend import Limits, ModelInfo, TokenCount, estimate_tokens
from llmchat.core.generation import Event, Finish, FinishReason, Notice, Request, Token
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import DeniedError, InputError, UnavailableError
from servers import LoopbackServer, Reply, json_reply
from servers.openai import OpenAIServer
from servers.tgi import TgiServer


async def asked(endpoint: Endpoint) -> str | None:
    """What a connection of its own finds out; None where the server does not tell."""
    connection = open_server(endpoint)
    try:
        await limits_of(connection)
        return connection.api.name if connection.is_recognised else None
    finally:
        await connection.aclose()


async def test_a_server_with_info_speaks_tgi_even_if_it_lists_models() -> None:
    async with TgiServer() as server:
        server.always("/v1/models", json_reply({"data": [{"id": "tgi"}]}))
        assert await asked(Endpoint(server.url)) == "tgi"
        assert len(server.requests) == 1
        assert await asked(Endpoint(f"{server.url}/v1")) == "openai"


@pytest.mark.parametrize("path", ["", "/", "/v1"])
async def test_a_server_that_lists_models_speaks_openai(path: str) -> None:
    async with OpenAIServer() as server:
        assert await asked(Endpoint(server.url + path)) == "openai"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_said(status: int) -> None:
    async with LoopbackServer() as server:
        server.always("/info", Reply(status=status, body=b""))
        with pytest.raises(DeniedError):
            await asked(Endpoint(server.url))


@pytest.mark.parametrize("reply", [json_reply({}, 404), Reply(content_type="text/html", body=b"<html>hello")])
@pytest.mark.parametrize(("path", "api"), [("", "tgi"), ("/models/falcon", "tgi"), ("/v1", "openai")])
async def test_a_proxy_without_these_routes_says_nothing_and_the_url_is_a_guess(
    reply: Reply, path: str, api: str
) -> None:
    async with LoopbackServer() as server:
        for route in ("/info", "/v1/models", "/models/falcon/info", "/models/falcon/v1/models"):
            server.always(route, reply)
        assert await asked(Endpoint(server.url + path)) is None
        assert candidates(server.url + path)[0].name == api


async def test_what_is_remembered_is_asked_first(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        Remembered(tmp_path / "servers.json").put(server.url, "openai")
        connection = ServerConnection(
            Endpoint(server.url),
            prompt_format=FORMATS["transcript"],
            remembered=Remembered(tmp_path / "servers.json"),
        )
        await limits_of(connection)
        await connection.aclose()
        assert connection.api.name == "openai"
        assert [request.path for request in server.requests] == ["/v1/models"]


async def test_a_server_that_is_not_there_is_unavailable(unused_tcp_port: int) -> None:
    with pytest.raises(UnavailableError):
        await asked(Endpoint(f"http://127.0.0.1:{unused_tcp_port}", timeouts=Timeouts(wait=0)))


# Another API


class ToyBackend:
    """An API of a few lines: GET /toy tells the model, POST /toy streams words as JSON events."""

    def __init__(self, options: ServerOptions) -> None:
        self.info = ModelInfo("toy", limits=Limits(1000))
        self.is_recognised = self.has_answered = False
        self._client, self._probe = options.client, options.probe
        self._url = f"{self._client.endpoint.url}/toy"

    async def learn(self) -> None:
        name = text_at(await self._probe.learn(self._url), "toy")
        self.is_recognised = bool(name)
        self.info = replace(self.info, model=name)

    def notices(self) -> list[Notice]:
        return []

    async def about(self) -> object:
        return await self._client.get_json(self._url)

    def leave_out(self, request: Request, error: InputError) -> bool:
        return False

    async def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        body = {"asked": request.messages[-1].text}
        async with self._client.stream(self._url, body, fault=lambda _: None) as events:
            async for data in events:
                if data == "end":
                    events.whole()
                    break
                events.alive()
                yield Token(text_at(parse_event(data), "word"))
        yield Finish(FinishReason.STOP)

    async def render(self, request: Request) -> str:
        return request.messages[-1].text

    async def count(self, request: Request) -> TokenCount:
        return estimate_tokens(await self.render(request))

    async def can_continue(self) -> bool:
        return False


@contextmanager
def nothing_is_fetched(_: weights.Model) -> Iterator[weights.Progress]:
    raise AssertionError("a server has no weights here")
    yield


async def test_another_api_is_a_folder_and_a_line_and_is_chatted_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(registry, "APIS", (*registry.APIS, registry.Api("toy", "Toy", ToyBackend)))
    busy = Reply(status=503, headers={"Retry-After": "0"}, body=b"")
    async with LoopbackServer() as server:
        server.always("/info", Reply(status=404, body=b""))
        server.always("/v1/models", Reply(status=404, body=b""))
        server.script("/toy", json_reply({"toy": "toy-1"}), busy, Reply(['{"word": "Hi"}', "end"]))
        config = resolve({"url": server.url}, environ={}, directory=tmp_path)
        folders = Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})
        session = Session(config, folders, fetching=nothing_is_fetched)
        async with session.ask("Hello?") as turn:
            events = [event async for event in turn]
        await session.aclose()
    assert Token("Hi") in events
    assert turn.reply is not None
    assert (turn.reply.provenance.backend, turn.reply.provenance.model) == ("toy", "toy-1")
    assert Remembered(folders.servers).get(server.url) == "toy"
