from __future__ import annotations

import pytest

from llmchat.backends.http.client import Endpoint, HttpClient, Timeouts
from llmchat.backends.openai.backend import OpenAIBackend
from llmchat.backends.registry import Api, HttpBackend, detect, guess
from llmchat.backends.tgi.backend import TgiBackend
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import DeniedError, UnavailableError
from servers import LoopbackServer, Reply, json_reply
from servers.openai import OpenAIServer
from servers.tgi import TgiServer


async def asked(endpoint: Endpoint, *, remembered: Api | None = None) -> Api | None:
    """What a session of its own finds out."""
    session = HttpClient(endpoint)
    speakers: dict[Api, HttpBackend] = {
        Api.TGI: TgiBackend(endpoint, prompt_format=FORMATS["transcript"], session=session),
        Api.OPENAI: OpenAIBackend(endpoint, session=session),
    }
    try:
        return await detect(endpoint.url, speakers, remembered=remembered)
    finally:
        await session.aclose()


async def test_a_server_with_info_speaks_tgi_even_if_it_lists_models() -> None:
    async with TgiServer() as server:
        server.always("/v1/models", json_reply({"data": [{"id": "tgi"}]}))
        assert await asked(Endpoint(server.url)) is Api.TGI
        assert len(server.requests) == 1
        assert await asked(Endpoint(f"{server.url}/v1")) is Api.OPENAI


@pytest.mark.parametrize("path", ["", "/", "/v1"])
async def test_a_server_that_lists_models_speaks_openai(path: str) -> None:
    async with OpenAIServer() as server:
        assert await asked(Endpoint(server.url + path)) is Api.OPENAI


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_said(status: int) -> None:
    async with LoopbackServer() as server:
        server.always("/info", Reply(status=status, body=b""))
        with pytest.raises(DeniedError):
            await asked(Endpoint(server.url))


@pytest.mark.parametrize("reply", [json_reply({}, 404), Reply(content_type="text/html", body=b"<html>hello")])
@pytest.mark.parametrize(("path", "api"), [("", Api.TGI), ("/models/falcon", Api.TGI), ("/v1", Api.OPENAI)])
async def test_a_proxy_without_these_routes_says_nothing_and_the_url_is_a_guess(
    reply: Reply, path: str, api: Api
) -> None:
    async with LoopbackServer() as server:
        for route in ("/info", "/v1/models", "/models/falcon/info", "/models/falcon/v1/models"):
            server.always(route, reply)
        assert await asked(Endpoint(server.url + path)) is None
        assert guess(server.url + path) is api


async def test_what_is_remembered_is_asked_first() -> None:
    async with OpenAIServer() as server:
        assert await asked(Endpoint(server.url), remembered=Api.OPENAI) is Api.OPENAI
        assert [request.path for request in server.requests] == ["/v1/models"]


async def test_a_server_that_is_not_there_is_unavailable(unused_tcp_port: int) -> None:
    with pytest.raises(UnavailableError):
        await asked(Endpoint(f"http://127.0.0.1:{unused_tcp_port}", timeouts=Timeouts(wait=0)))
