"""The program as a process with --schema and --regex: what is sent, printed, kept and exited with."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator

import pytest

from command import Llmchat
from servers import Reply, json_reply
from servers.openai import CHAT, OpenAIServer
from servers.openai import stream as openai_stream
from servers.tgi import TgiServer, final, stream, token

SCHEMA = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
WRONG = "the answer does not match the schema at $.age: 'old' is not of type 'integer'"


@pytest.fixture
async def server() -> AsyncGenerator[TgiServer]:
    async with TgiServer() as running:
        running.always("/", stream(' {"age"', ": 4", "2}"))
        yield running


@pytest.fixture
def tgi(llmchat: Llmchat, server: TgiServer) -> Llmchat:
    """With a TGI endpoint, and `s.json` in its folder."""
    (llmchat.home / "s.json").write_text(json.dumps(SCHEMA))
    return llmchat.with_environ(LLMCHAT_URL=server.url, LLMCHAT_API="tgi")


async def test_an_answer_held_to_a_schema_is_printed_and_valid(tgi: Llmchat, server: TgiServer) -> None:
    ran = await tgi.beside("ask", "--schema", "s.json", "How old?")
    assert (ran.code, ran.out, ran.err) == (0, b'{"age": 42}\n', "")
    (body,) = server.bodies("/")
    sent = body["parameters"]
    assert isinstance(sent, dict)
    assert sent["grammar"] == {"type": "json", "value": SCHEMA}


async def test_a_raw_prompt_is_held_to_a_pattern(tgi: Llmchat, server: TgiServer) -> None:
    server.always("/", stream(" 1945", "-05-08"))
    ran = await tgi.beside("ask", "--raw-prompt", "--regex", r" \d{4}-\d\d-\d\d", "The war ended on")
    assert (ran.code, ran.out, ran.err) == (0, b" 1945-05-08\n", "")
    (body,) = server.bodies("/")
    sent = body["parameters"]
    assert isinstance(sent, dict)
    assert sent["grammar"] == {"type": "regex", "value": r" \d{4}-\d\d-\d\d"}
    assert body["inputs"] == "The war ended on"


async def test_a_schema_may_come_through_stdin_if_nothing_else_does(tgi: Llmchat, server: TgiServer) -> None:
    schema = json.dumps(SCHEMA).encode()
    assert (await tgi.beside("ask", "--schema", "-", "How old?", stdin=schema)).code == 0
    for arguments in (["-", "How old?"], ["-f", "-", "How old?"]):
        ran = await tgi.beside("ask", "--schema", "-", *arguments, stdin=schema)
        assert (ran.code, ran.error) == (2, "standard input can be read only once")
    assert (await tgi.beside("ask", "--schema", "-", stdin=schema)).code == 65
    assert (await tgi.beside("--schema", "-", stdin=schema)).code == 2
    assert len(server.bodies("/")) == 1


async def test_what_is_piped_into_llmchat_itself_may_be_held_to_a_schema(
    tgi: Llmchat, server: TgiServer
) -> None:
    ran = await tgi.beside("--schema", "s.json", stdin=b"How old?")
    assert (ran.code, ran.out) == (0, b'{"age": 42}\n')


async def test_an_answer_that_does_not_match_is_printed_kept_and_an_error(
    tgi: Llmchat, server: TgiServer
) -> None:
    server.always("/", stream('{"age": "old"}'))
    ran = await tgi.beside("ask", "--schema", "s.json", "How old?")
    assert (ran.code, ran.out, ran.error) == (76, b'{"age": "old"}\n', WRONG)
    messages = tgi.history()["messages"]
    assert isinstance(messages, list)
    assert (messages[-1]["text"], messages[-1]["status"]) == ('{"age": "old"}', "complete")


async def test_an_answer_that_does_not_match_is_one_json_object_with_its_error(
    tgi: Llmchat, server: TgiServer
) -> None:
    server.always("/", stream('{"age": "old"}'))
    ran = await tgi.beside("ask", "--json", "--schema", "s.json", "How old?")
    assert (ran.code, ran.error) == (76, WRONG)
    assert (ran.json["text"], ran.json["finish_reason"]) == ('{"age": "old"}', "stop")
    assert ran.json["error"] == {"message": WRONG, "hint": ran.err.splitlines()[1][15:], "exit_code": 76}
    ran = await tgi.beside("ask", "--jsonl", "--schema", "s.json", "How old?")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [line["type"] for line in lines] == ["token", "reply", "error"]
    assert (lines[2]["error"]["message"], "error" in lines[1]) == (WRONG, False)


async def test_an_answer_that_was_cut_says_so_and_nothing_else(tgi: Llmchat, server: TgiServer) -> None:
    server.always("/", Reply([token('{"age"'), final(": 4", reason="length", special=False)]))
    ran = await tgi.beside("ask", "-n", "9", "--schema", "s.json", "How old?")
    assert (ran.code, ran.out) == (76, b'{"age": 4\n')
    assert ran.error == "the answer was cut at 9 tokens, before it was complete"


async def test_a_server_that_refuses_a_schema_is_quoted(tgi: Llmchat, server: TgiServer) -> None:
    refusal = {"error": "grammar compilation failed", "error_type": "validation"}
    server.always("/", json_reply(refusal, 422))
    ran = await tgi.beside("ask", "--schema", "s.json", "How old?")
    assert (ran.code, ran.error) == (65, "the server rejected the request: grammar compilation failed")


async def test_a_hosted_server_is_not_asked_for_a_pattern(llmchat: Llmchat) -> None:
    async with OpenAIServer() as hosted:
        hosted.always(CHAT, openai_stream('{"age": 42}'))
        (llmchat.home / "s.json").write_text(json.dumps(SCHEMA))
        there = llmchat.with_environ(LLMCHAT_URL=f"{hosted.url}/v1")
        ran = await there.beside("ask", "--regex", "a+", "Hi")
        assert ran.code == 2
        assert ran.error.startswith("this server cannot constrain an answer to a pattern")
        assert hosted.bodies(CHAT) == []
        assert json.loads(there("history", "list", "--json").out) == []
        assert (await there.beside("ask", "--schema", "s.json", "Hi")).out == b'{"age": 42}\n'


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["--schema", "missing.json"], 66, "missing.json"),
        (["--schema", "broken.json"], 65, "broken.json is not JSON: "),
        (["--schema", "wrong.json"], 65, "at $.type"),
        (["--schema", "remote.json"], 65, "refers to https://example.com/s"),
        (["--regex", "("], 2, "the pattern is invalid"),
        (["--regex", ""], 2, "the pattern is empty"),
        (["--schema", "good.json", "--regex", "a"], 2, "cannot be used together"),
        (["--schema", "good.json"], 2, "echo has no model"),
        (["--schema", "good.json", "--dry-run"], 2, "echo has no model"),
        (["-m", "canned", "--regex", "a"], 2, "canned has no model"),
    ],
)
def test_what_cannot_be_held_to_is_an_error_before_anything_is_sent(
    echo: Llmchat, arguments: list[str], code: int, named: str
) -> None:
    (echo.home / "broken.json").write_text('{"type": ')
    (echo.home / "wrong.json").write_text('{"type": "objekt"}')
    (echo.home / "remote.json").write_text('{"$ref": "https://example.com/s"}')
    (echo.home / "good.json").write_text("{}")
    ran = echo("ask", *arguments, "Hi")
    assert (ran.code, ran.out) == (code, b"")
    assert named in ran.error


def test_a_dry_run_says_what_the_answer_would_be_held_to(llmchat: Llmchat, unused_tcp_port: int) -> None:
    (llmchat.home / "s.json").write_text(json.dumps(SCHEMA))
    asked = ["ask", "--dry-run", "--url", f"http://127.0.0.1:{unused_tcp_port}", "Hi"]
    ran = llmchat(*asked, "--schema", "s.json")
    assert ran.code == 0
    assert ran.err.splitlines()[0] == "llmchat: the answer would have to match the JSON Schema in s.json"
    ran = llmchat(*asked, "--regex", "a\x1b+")
    assert ran.err.splitlines()[0] == "llmchat: the answer would have to match the pattern a␛+"
    record = llmchat(*asked, "--json", "--schema", "s.json").json
    assert record["constraint"] == {"type": "json_schema", "value": SCHEMA}
    record = llmchat(*asked, "--json", "--regex", "a+").json
    assert record["constraint"] == {"type": "regex", "value": "a+"}
    assert llmchat(*asked, "--json").json["constraint"] is None


@pytest.mark.parametrize("option", ["--schema", "--regex"])
def test_a_chat_is_not_held_to_anything(echo: Llmchat, option: str) -> None:
    ours, theirs = os.openpty()
    try:
        with echo.start(option, "", stdin=theirs, stdout=theirs) as process:
            _, err = process.communicate(timeout=20)
        assert process.returncode == 2
        assert f"{option} is only for a single answer" in err.decode()
    finally:
        os.close(ours)
        os.close(theirs)


async def test_json_is_no_markdown_on_a_terminal_either(tgi: Llmchat, server: TgiServer) -> None:
    server.always("/", stream('{"age": 4, "a": "*b* `c`"}'))
    ours, theirs = os.openpty()
    try:
        process = tgi.with_environ(TERM="xterm").start("ask", "--schema", "s.json", "Hi", stdout=theirs)
        _, err = await asyncio.to_thread(process.communicate, timeout=20)
        assert (process.returncode, err) == (0, b"")
        assert os.read(ours, 1000) == b'{"age": 4, "a": "*b* `c`"}\r\n'
    finally:
        os.close(ours)
        os.close(theirs)


async def test_a_model_that_loads_is_waited_for_before_anyone_asks_what_the_server_can(
    llmchat: Llmchat,
) -> None:
    async with OpenAIServer() as server:
        loading = json_reply({"error": {"message": "Loading model"}}, 503, Retry_After="0")
        server.script("/v1/models", loading)
        server.always("/v1/models", json_reply({"data": [{"id": "m", "owned_by": "vllm"}]}))
        server.always(CHAT, openai_stream("42"))
        llmchat = llmchat.with_environ(LLMCHAT_URL=f"{server.url}/v1")
        ran = await llmchat.beside("ask", "--regex", r"\d+", "How old?")
        assert (ran.code, ran.out) == (0, b"42\n")
        assert "guided_regex" in server.bodies(CHAT)[0]


@pytest.mark.parametrize("arguments", [(), ("--batch", "-")])
def test_a_dry_run_takes_a_pattern_for_a_server_that_nobody_asked(
    llmchat: Llmchat, arguments: tuple[str, ...]
) -> None:
    url = "http://127.0.0.1:9/v1"
    ran = llmchat("ask", *arguments, "--dry-run", "--regex", "a+", "--url", url, stdin=b"Hello\n")
    assert (ran.code, b"Hello" in ran.out) == (0, True)
