from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from llmchat import __version__
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.endpoint import Auth, Endpoint, Timeouts
from llmchat.backends.http.probe import ServerProbe
from llmchat.core.attempts import attempts
from llmchat.core.generation import Event, Progress, Token
from llmchat.errors import (
    BrokenReply,
    ConfigError,
    ContextOverflow,
    DeniedError,
    InputError,
    LLMChatError,
    TryLaterError,
    UnavailableError,
)
from servers import Fault, LoopbackServer, Reply, json_reply

KEY = "hf_SecretSecretSecret"


@pytest.fixture
async def server() -> AsyncGenerator[LoopbackServer]:
    async with LoopbackServer() as running:
        yield running


@pytest.fixture
async def session(server: LoopbackServer) -> AsyncGenerator[HttpClient]:
    opened = HttpClient(Endpoint(server.url, key=KEY, timeouts=Timeouts(2, 0.5, 0.3, 0.2, 5)))
    yield opened
    await opened.aclose()


async def read(session: HttpClient, *, tokens: str = "t") -> list[str]:
    """The events of a streamed reply; an event that starts with `tokens` is one, "end" ends the reply."""
    found = []
    async with session.stream(f"{session.endpoint.url}/s", {}, fault=lambda _: None) as events:
        async for data in events:
            found.append(data)
            if data.startswith(tokens):
                events.alive()
            if data == "end":
                events.whole()
                break
    return found


async def attempt(session: HttpClient) -> AsyncGenerator[Event]:
    """One attempt of a reply."""
    async with session.stream(f"{session.endpoint.url}/s", {}, fault=lambda _: None) as events:
        async for data in events:
            events.whole()
            yield Token(data)


def retrying(session: HttpClient) -> AsyncGenerator[Event]:
    """As many attempts as a reply has."""
    waiting = ServerProbe(session).wait_and_retry()
    return attempts(session, attempt, [waiting])


async def generate(session: HttpClient) -> list[Event]:
    async with aclosing(retrying(session)) as events:
        return [event async for event in events]


async def collect(stream: AsyncGenerator[Event], into: list[Event]) -> None:
    async with aclosing(stream) as events:
        async for event in events:
            into.append(event)  # noqa: PERF401 - those before an error are wanted


def test_importing_the_backends_imports_no_http_library() -> None:
    names = ["http.client", "openai.backend", "tgi.backend", "registry"]
    code = (
        "import sys\n"
        + "".join(f"import llmchat.backends.{name}\n" for name in names)
        + "print(sorted({'aiohttp', 'text_generation', 'pydantic', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_the_key_is_sent_verbatim_behind_its_scheme(server: LoopbackServer) -> None:
    server.always("/x", json_reply({}))
    for auth in Auth:
        session = HttpClient(Endpoint(server.url, key="a:b==", auth=auth))
        await session.get_json(f"{server.url}/x")
        await session.aclose()
    sent = [request.headers["Authorization"] for request in server.requests]
    assert sent == ["Bearer a:b==", "Basic a:b=="]
    assert server.requests[0].headers["User-Agent"] == f"llmchat/{__version__}"


async def test_without_a_key_neither_netrc_nor_proxies_of_the_environment_are_used(
    server: LoopbackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.always("/x", json_reply({}))
    session = HttpClient(Endpoint(server.url))
    await session.get_json(f"{server.url}/x")
    await session.aclose()
    assert "Authorization" not in server.requests[0].headers


async def test_a_proxy_is_used_where_it_is_set(server: LoopbackServer) -> None:
    server.always("/x", json_reply({"a": 1}))
    session = HttpClient(Endpoint("http://model.invalid", proxy=server.url))
    assert await session.get_json("http://model.invalid/x") == {"a": 1}
    assert server.requests[0].headers["Host"] == "model.invalid"
    await session.aclose()


async def test_a_unix_socket_replaces_the_host(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    listener = await asyncio.start_unix_server(answer, tmp_path / "s")
    session = HttpClient(Endpoint("http://engine", unix_socket=tmp_path / "s"))
    assert await session.get_json("http://engine/x") == {}
    listener.close()
    (tmp_path / "s").unlink(missing_ok=True)
    with pytest.raises(UnavailableError, match="cannot reach the local engine: No such file"):
        await session.get_json("http://engine/x")
    await session.aclose()


async def test_one_connection_serves_streams_and_questions(
    server: LoopbackServer, session: HttpClient
) -> None:
    server.always("/s", Reply(["t", "end"]))
    server.always("/x", json_reply({"a": 1}))
    for _ in range(3):
        assert await read(session) == ["t", "end"]
        assert await session.get_json(f"{server.url}/x") == {"a": 1}
    assert server.connections == 1


async def test_a_connection_that_the_server_closed_meanwhile_is_replaced_at_once_and_unseen(
    server: LoopbackServer,
) -> None:
    session = HttpClient(Endpoint(server.url, timeouts=Timeouts(wait=0)))
    server.script("/s", Reply(["t", "end"]), Reply(before=Fault.DROP), Reply(["t", "end"]))
    assert await read(session) == ["t", "end"]
    assert await generate(session) == [Token("t"), Token("end")]
    await session.aclose()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InputError),
        (413, InputError),
        (422, InputError),
        (401, DeniedError),
        (403, DeniedError),
        (404, ConfigError),
        (405, ConfigError),
        (301, ConfigError),
        (307, ConfigError),
        (408, TryLaterError),
        (429, TryLaterError),
        (424, UnavailableError),
        (500, UnavailableError),
        (502, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
        (204, BrokenReply),
        (418, InputError),
    ],
)
async def test_each_status_has_its_error(
    server: LoopbackServer, session: HttpClient, status: int, error: type[LLMChatError]
) -> None:
    server.always("/s", Reply(status=status, body=b"" if status == 204 else b"why not"))
    with pytest.raises(error) as caught:
        await read(session)
    assert caught.value.hint
    server.always("/x", Reply(status=status, body=b"" if status == 204 else b"why not"))
    with pytest.raises(error):
        await session.get_json(f"{server.url}/x")


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "no such thing"}',
        b'{"error": {"message": "no such thing", "code": 7}}',
        b'{"message": "no such thing"}',
        b'{"detail": [{"msg": "no such thing"}]}',
        b"no\nsuch thing",
    ],
)
async def test_the_servers_own_words_are_in_the_message(
    server: LoopbackServer, session: HttpClient, body: bytes
) -> None:
    server.always("/s", Reply(status=500, body=body))
    with pytest.raises(UnavailableError, match="no such thing"):
        await read(session)


async def test_a_web_page_is_never_quoted_and_a_long_text_only_in_part(
    server: LoopbackServer, session: HttpClient
) -> None:
    page = b"<html><body>Welcome to the hotel</body></html>"
    server.script("/s", Reply(status=500, content_type="text/html", body=page))
    server.script("/s", Reply(status=500, body=b"x" * 999))
    with pytest.raises(UnavailableError) as caught:
        await read(session)
    assert "hotel" not in caught.value.message
    with pytest.raises(UnavailableError) as caught:
        await read(session)
    assert "x" * 150 in caught.value.message
    assert len(caught.value.message) < 260


@pytest.mark.parametrize(
    "said",
    [
        "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2000 `inputs` tokens and 99",
        "Input validation error: `inputs` must have less than 1000 tokens. Given: 1200",
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "the request exceeds the available context size, try increasing it",
    ],
)
async def test_a_prompt_that_is_too_long_is_an_overflow(
    server: LoopbackServer, session: HttpClient, said: str
) -> None:
    server.always("/s", json_reply({"error": said, "error_type": "validation"}, 422))
    with pytest.raises(ContextOverflow):
        await read(session)


async def test_an_error_kind_alone_tells_an_overflow(server: LoopbackServer, session: HttpClient) -> None:
    error = {"code": 400, "message": "no", "type": "exceed_context_size_error", "n_ctx": 4096}
    server.always("/s", json_reply({"error": error}, 400))
    with pytest.raises(ContextOverflow):
        await read(session)


async def test_a_redirect_is_refused_and_names_its_host(server: LoopbackServer, session: HttpClient) -> None:
    server.always("/s", Reply(status=302, headers={"Location": f"http://me:{KEY}@evil.example/x"}, body=b""))
    with pytest.raises(ConfigError, match=r"evil\.example") as caught:
        await read(session)
    assert KEY not in caught.value.message
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 500, 503])
async def test_the_key_is_in_no_error(server: LoopbackServer, session: HttpClient, status: int) -> None:
    headers = {"Location": f"http://{KEY}.example/"}
    for body in (f"bad key {KEY}", f'{{"error": "{"y" * 480} {KEY}"}}', "x" * 195 + KEY):
        plain = Reply(status=status, content_type="text/plain", headers=headers, body=body.encode())
        server.always("/s", plain)
        with pytest.raises(LLMChatError) as caught:
            await read(session)
        assert KEY[:5] not in f"{caught.value} {caught.value.hint} {caught.value!r}"
    assert KEY not in repr(session.endpoint)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(content_type="text/html", body=b"<html>Log in</html>"), "a web page"),
        (Reply(body=b"", content_type="application/json"), "empty answer"),
        (Reply(body=b"hello", content_type="text/plain"), "text/plain"),
        (Reply(body=b"\xff\xfe", content_type="application/octet-stream"), "not UTF-8"),
        (json_reply({"text": "hello"}), "in one piece"),
        (Reply(body=b""), "empty answer"),
        (Reply([b": hello\n\n"]), "empty answer"),
    ],
)
async def test_an_answer_that_is_no_stream_is_a_broken_reply_that_says_so(
    server: LoopbackServer, session: HttpClient, reply: Reply, words: str
) -> None:
    server.always("/s", reply)
    with pytest.raises(BrokenReply, match=words):
        await read(session)


async def test_json_instead_of_a_stream_hints_at_no_stream(
    server: LoopbackServer, session: HttpClient
) -> None:
    server.always("/s", json_reply({"text": "hello"}))
    with pytest.raises(BrokenReply) as caught:
        await read(session)
    assert "--no-stream" in (caught.value.hint or "")


async def test_a_connection_lost_in_mid_stream_is_a_broken_reply(
    server: LoopbackServer, session: HttpClient
) -> None:
    server.always("/s", Reply(["t", Fault.DROP]))
    with pytest.raises(BrokenReply, match="lost in the middle"):
        await read(session)


@pytest.mark.parametrize(
    ("steps", "which"),
    [
        ([Fault.HANG], "first token within 0.3 s"),
        ([b": still here\n\n", b"\n\n", Fault.HANG], "first token within 0.3 s"),
        (["role", Fault.HANG], "first token within 0.3 s"),
        (["t", Fault.HANG], "next token within 0.2 s"),
        (["t", *[b": still here\n\n"] * 3, Fault.HANG], "next token within 0.2 s"),
    ],
)
async def test_silence_in_a_stream_has_its_deadline(
    server: LoopbackServer, session: HttpClient, steps: list[str | bytes | Fault], which: str
) -> None:
    server.always("/s", Reply(steps))
    with pytest.raises(TryLaterError, match=which):
        await read(session)
    async with asyncio.timeout(1):
        await server.left.wait()


async def test_the_time_the_reader_takes_is_not_the_servers(
    server: LoopbackServer, session: HttpClient
) -> None:
    server.always("/s", Reply(["t", "t", Fault.GATE, "end"]))
    found = []
    async with session.stream(f"{server.url}/s", {}, fault=lambda _: None) as events:
        async for data in events:
            found.append(data)
            events.alive()
            if len(found) == 2:
                until = asyncio.get_running_loop().time() + 0.25
                reached = asyncio.Event()
                asyncio.get_running_loop().call_at(until, reached.set)
                await reached.wait()
                server.open_gate()
    assert found == ["t", "t", "end"]


async def test_a_server_that_never_answers_runs_into_the_header_deadline(
    server: LoopbackServer, session: HttpClient
) -> None:
    server.always("/s", Reply(before=Fault.HANG))
    with pytest.raises(TryLaterError, match=r"did not answer within 0\.5 s"):
        await read(session)
    async with asyncio.timeout(1):
        await server.left.wait()


async def test_nothing_is_read_behind_the_final_event(server: LoopbackServer, session: HttpClient) -> None:
    server.always("/s", Reply(["t", "end", b"data: \xff\n\n", Fault.HANG]))
    async with asyncio.timeout(0.4):
        assert await read(session) == ["t", "end"]
    async with asyncio.timeout(1):
        await server.left.wait()


async def test_a_refused_connection_is_unavailable_after_three_tries(unused_tcp_port: int) -> None:
    session = HttpClient(Endpoint(f"http://127.0.0.1:{unused_tcp_port}"))
    events: list[Event] = []
    with pytest.raises(
        UnavailableError, match=f"cannot reach 127.0.0.1:{unused_tcp_port}: Connection refused"
    ):
        await collect(retrying(session), events)
    assert events == [Progress("waiting for the server")] * 2
    await session.aclose()


async def test_a_name_that_does_not_exist_is_unavailable() -> None:
    session = HttpClient(Endpoint("http://nowhere.invalid", timeouts=Timeouts(wait=0)))
    with pytest.raises(UnavailableError, match=r"cannot reach nowhere\.invalid"):
        await session.get_json("http://nowhere.invalid/")
    await session.aclose()


async def test_a_connection_that_nobody_accepts_runs_into_the_connect_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        url = f"http://127.0.0.1:{address[1]}"
        session = HttpClient(Endpoint(url, timeouts=Timeouts(connect=0.2)))
        with pytest.raises(TryLaterError, match=r"no connection to 127\.0\.0\.1:\d+ within 0\.2 s"):
            await session.get_json(url)
        await session.aclose()
        for each in waiting:
            each.close()


async def test_tls_to_a_server_without_it_is_unavailable_at_once(server: LoopbackServer) -> None:
    secure = server.url.replace("http:", "https:")
    session = HttpClient(Endpoint(secure))
    with pytest.raises(UnavailableError, match="no secure connection"):
        await session.get_json(f"{secure}/x")
    await session.aclose()


async def test_a_ca_file_that_is_missing_is_a_configuration_error(tmp_path: Path) -> None:
    session = HttpClient(Endpoint("https://127.0.0.1:9", ca_file=tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        await session.get_json("https://127.0.0.1:9/x")


async def test_a_server_that_is_not_http_is_a_broken_reply() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    listener = await asyncio.start_server(babble, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    session = HttpClient(Endpoint(url))
    with pytest.raises(BrokenReply, match="does not answer with HTTP"):
        await session.get_json(url)
    await session.aclose()
    listener.close()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_busy_server_is_asked_three_times(
    server: LoopbackServer, session: HttpClient, status: int
) -> None:
    busy = Reply(status=status, headers={"Retry-After": "0"}, body=b"")
    server.script("/s", busy, busy, Reply(["hello"]))
    assert [event for event in await generate(session) if isinstance(event, Token)] == [Token("hello")]
    server.script("/s", busy, busy, busy, Reply(["hello"]))
    with pytest.raises(LLMChatError):
        await generate(session)
    assert len(server.requests) == 6


async def test_a_date_and_an_estimate_say_when_to_ask_again(
    server: LoopbackServer, session: HttpClient
) -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=5), usegmt=True)
    loading = json_reply({"error": "loading", "estimated_time": 0.01}, 503)
    server.script("/s", Reply(status=503, headers={"Retry-After": past}, body=b""), loading, Reply(["hello"]))
    started = asyncio.get_running_loop().time()
    assert Token("hello") in await generate(session)
    assert asyncio.get_running_loop().time() - started < 0.4


async def test_a_server_that_asks_for_more_time_than_there_is_is_not_asked_again(
    server: LoopbackServer, session: HttpClient
) -> None:
    server.always("/s", Reply(status=503, headers={"Retry-After": "30"}, body=b""))
    with pytest.raises(UnavailableError):
        await generate(session)
    assert len(server.requests) == 1


async def test_leaving_a_stream_frees_the_server_at_once(server: LoopbackServer, session: HttpClient) -> None:
    server.always("/s", Reply(["t", Fault.HANG]))
    async with session.stream(f"{server.url}/s", {}, fault=lambda _: None) as events:
        assert await anext(events) == "t"  # type: ignore[call-overload]  # it is its own iterator
    async with asyncio.timeout(0.1):
        await server.left.wait()


@pytest.mark.parametrize("steps", [[], ["t"]])
async def test_cancelling_frees_the_server_at_once(
    server: LoopbackServer, session: HttpClient, steps: list[str]
) -> None:
    before = None if steps else Fault.HANG
    server.always("/s", Reply([*steps, Fault.HANG], before=before))
    task = asyncio.create_task(read(session))
    async with asyncio.timeout(1):
        await server.asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(0.1):
        await server.left.wait()
