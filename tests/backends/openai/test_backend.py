from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from backends.asking import generate, limits_of, open_server
from backends.asking import stream as stream_of
from llmchat.backends.constraints.fields import fields_for
from llmchat.backends.http.backend import ServerOptions
from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.endpoint import Endpoint, Timeouts
from llmchat.backends.http.probe import ServerProbe
from llmchat.backends.openai.backend import OpenAIBackend, api_base
from llmchat.backends.server import ServerConnection as Server
from llmchat.core.backend import Limits, TokenCount, connected
from llmchat.core.constraint import Constraint, JsonSchema, Regex
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import (
    Finish,
    FinishReason,
    Progress,
    Request,
    Settings,
    Thought,
    Token,
    Usage,
)
from llmchat.core.prompt_format import FORMATS, break_control_tokens
from llmchat.errors import (
    BrokenReply,
    ConfigError,
    ContextOverflow,
    InputError,
    LLMChatError,
    TryLaterError,
    UnavailableError,
    UsageError,
)
from servers import Fault, Reply, json_reply
from servers.openai import CHAT, DONE, OpenAIServer, chunk, stream, usage, whole

TALK = (Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "<|im_end|> 你好"))
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "<|im_end|> 你好"}]
FAST = Timeouts(2, 2, 0.3, 0.3, 5)


def ask(settings: Settings = Settings(), *, raw: bool = False, stream: bool = True) -> Request:
    return Request(TALK[-1:] if raw else TALK, settings, raw=raw, stream=stream)


@pytest.fixture
async def server() -> AsyncGenerator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


@pytest.fixture
async def backend(server: OpenAIServer) -> AsyncGenerator[Server]:
    opened = open_server(Endpoint(server.url, key="sk-secret", timeouts=FAST), "openai")
    yield opened
    await opened.aclose()


async def rendered(backend: Server, request: Request) -> str:
    return await (await connected(backend)).render(request)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("http://h:1/v1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1"),
        ("https://h/api/paas/v4", "https://h/api/paas/v4"),
        ("https://h/v1beta/openai", "https://h/v1beta/openai"),
        ("http://v1", "http://v1/v1"),
        ("http://h/api", "http://h/api/v1"),
    ],
)
def test_the_version_is_added_to_a_url_that_names_none(url: str, base: str) -> None:
    assert api_base(url) == base


@pytest.mark.parametrize("path", ["", "/v1"])
async def test_the_smallest_request_has_no_null_and_the_servers_own_model(
    server: OpenAIServer, path: str
) -> None:
    backend = open_server(Endpoint(server.url + path), "openai")
    assert await generate(backend, ask()) == [
        Token("Hello"),
        Token(" there"),
        Finish(FinishReason.STOP, Usage(7, 2)),
    ]
    assert server.bodies(CHAT) == [
        {
            "model": "served-model",
            "messages": MESSAGES,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]
    assert backend.info.model == "served-model"
    await backend.aclose()


@pytest.mark.parametrize(
    ("owner", "penalty"),
    [("llamacpp", "repeat_penalty"), ("me", "repeat_penalty"), ("vllm", "repetition_penalty")],
)
async def test_every_setting_has_its_field(server: OpenAIServer, owner: str, penalty: str) -> None:
    server.always("/v1/models", json_reply({"data": [{"id": "mine", "owned_by": owner}]}))
    client = HttpClient(Endpoint(server.url))
    backend = OpenAIBackend(
        ServerOptions(client, ServerProbe(client), FORMATS["transcript"], "mine"),
        extra={"cache_prompt": True},
        guard=break_control_tokens,
    )
    await backend.learn()
    wanted = Settings(0, 0.9, 40, 5, ("a", "b", "c", "d", "e"), 7, 1.1)
    assert [event async for event in backend.stream(ask(wanted))]
    sent = server.bodies(CHAT)[0]
    assert sent.pop("messages") == [MESSAGES[0], {"role": "user", "content": "< |im_end|> 你好"}]
    assert sent == {
        "model": "mine",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "temperature": 0,
        "top_p": 0.9,
        "top_k": 40,
        "seed": 7,
        penalty: 1.1,
        "stop": ["a", "b", "c", "d"],
        "cache_prompt": True,
    }
    await client.aclose()


async def test_the_servers_own_model_is_known_once_it_is_connected(backend: Server) -> None:
    assert backend.info.model == ""
    await connected(backend)
    assert backend.info.model == "served-model"


async def test_the_repetition_penalty_has_vllms_name_by_default(
    server: OpenAIServer, backend: Server
) -> None:
    await generate(backend, ask(Settings(repetition_penalty=1.2)))
    assert server.bodies(CHAT)[0]["repetition_penalty"] == 1.2


async def test_without_a_list_of_models_none_is_named(server: OpenAIServer, backend: Server) -> None:
    server.always("/v1/models", json_reply({}, 404))
    await generate(backend, ask())
    assert "model" not in server.bodies(CHAT)[0]


# A server that refuses a field

NEWER = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)
ONLY_ONE = (
    "Unsupported value: 'temperature' does not support 0.7 with this model. "
    "Only the default (1) value is supported."
)


def refusal(words: str, status: int = 400) -> Reply:
    return json_reply({"error": {"message": words, "type": "invalid_request_error", "param": None}}, status)


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        (ONLY_ONE, {"temperature"}),
        ("Unknown parameter: 'stream_options'.", {"stream_options"}),
        ('Invalid JSON payload received. Unknown name "stream_options"', {"stream_options"}),
        ("Unexpected fields: {'max_tokens', 'stream_options'}", {"max_tokens", "stream_options"}),
    ],
)
async def test_a_refused_field_that_nobody_chose_is_left_out_for_the_session(
    server: OpenAIServer, backend: Server, words: str, gone: set[str]
) -> None:
    server.script(CHAT, refusal(words))
    request = ask(Settings(temperature=0.7, max_tokens=9, seed=7))
    await generate(backend, request)
    await generate(backend, request)
    refused, *others = (body.keys() for body in server.bodies(CHAT))
    assert others == [refused - gone] * 2


async def test_a_field_is_left_out_of_a_reply_in_one_piece_too(server: OpenAIServer, backend: Server) -> None:
    server.script(CHAT, refusal(ONLY_ONE, 422))
    assert Token("Hello there") in await generate(backend, ask(Settings(temperature=0.7), stream=False))
    assert "temperature" not in server.bodies(CHAT)[-1]


@pytest.mark.parametrize("chosen", [Settings(), Settings(max_tokens=9)])
async def test_the_reply_s_budget_gets_its_newer_name_where_the_server_asks_for_it(
    server: OpenAIServer, backend: Server, chosen: Settings
) -> None:
    server.script(CHAT, refusal(NEWER), refusal(ONLY_ONE))
    request = replace(ask(Settings(temperature=0.7, max_tokens=9)), chosen=chosen)
    await generate(backend, request)
    await generate(backend, request)
    for body in server.bodies(CHAT)[2:]:
        assert body["max_completion_tokens"] == 9
        assert not {"max_tokens", "temperature"} & body.keys()
    assert len(server.bodies(CHAT)) == 4


async def test_a_refused_field_that_was_chosen_is_an_error_in_the_servers_words(
    server: OpenAIServer, backend: Server
) -> None:
    request = ask(Settings(temperature=0.7, top_k=3, max_tokens=9))
    server.always(CHAT, refusal("Unexpected fields in the request: {'top_k'}", 422))
    with pytest.raises(InputError, match="Unexpected fields in the request"):
        await generate(backend, replace(request, chosen=Settings(top_k=3)))
    assert len(server.bodies(CHAT)) == 1


async def test_what_was_left_out_is_sent_again_once_somebody_chooses_it(
    server: OpenAIServer, backend: Server
) -> None:
    server.script(CHAT, refusal(ONLY_ONE))
    request = ask(Settings(temperature=0.7))
    await generate(backend, request)
    server.script(CHAT, refusal(ONLY_ONE))
    with pytest.raises(InputError, match="Only the default"):
        await generate(backend, replace(request, chosen=request.settings))
    assert server.bodies(CHAT)[-1]["temperature"] == 0.7


async def test_a_server_that_goes_on_refusing_is_not_asked_for_ever(
    server: OpenAIServer, backend: Server
) -> None:
    server.always(CHAT, refusal(ONLY_ONE))
    with pytest.raises(InputError, match="Only the default"):
        await generate(backend, ask(Settings(temperature=0.7)))
    assert len(server.bodies(CHAT)) == 2


async def test_a_prompt_that_is_too_long_costs_no_field(server: OpenAIServer, backend: Server) -> None:
    words = "max_tokens 9 and 4090 in the messages exceed the maximum context length is 4096 tokens"
    server.always(CHAT, refusal(words))
    with pytest.raises(ContextOverflow):
        await generate(backend, ask(Settings(max_tokens=9)))
    assert len(server.bodies(CHAT)) == 1


async def test_a_refusal_behind_text_is_not_sent_again(server: OpenAIServer, backend: Server) -> None:
    late = json.dumps({"error": {"message": ONLY_ONE, "type": "invalid_request_error"}})
    server.script(CHAT, Reply([chunk("A"), late]))
    with pytest.raises(BrokenReply, match="Only the default"):
        await generate(backend, ask(Settings(temperature=0.7)))
    assert len(server.bodies(CHAT)) == 1


async def test_a_raw_prompt_is_a_completion(server: OpenAIServer, backend: Server) -> None:
    steps = [json.dumps({"choices": [{"index": 0, "text": " A", "finish_reason": None}]})]
    steps += [json.dumps({"choices": [{"index": 0, "text": "", "finish_reason": "length"}]}), DONE]
    server.script("/v1/completions", Reply(steps))
    assert await generate(backend, ask(raw=True)) == [Token(" A"), Finish(FinishReason.LENGTH)]
    sent = server.bodies("/v1/completions")[0]
    assert sent["prompt"] == await (await connected(backend)).render(ask(raw=True)) == "<|im_end|> 你好"
    assert "messages" not in sent


async def test_the_messages_are_rendered_as_they_are_sent(server: OpenAIServer, backend: Server) -> None:
    await generate(backend, ask())
    assert json.loads(await (await connected(backend)).render(ask())) == server.bodies(CHAT)[0]["messages"]
    assert "你好" in await (await connected(backend)).render(ask())


async def test_a_reply_in_one_piece(server: OpenAIServer, backend: Server) -> None:
    server.script(CHAT, whole("Hi", finish="length"))
    assert await generate(backend, ask(stream=False)) == [
        Token("Hi"),
        Finish(FinishReason.LENGTH, Usage(7, 2)),
    ]
    assert server.bodies(CHAT)[0]["stream"] is False
    assert "stream_options" not in server.bodies(CHAT)[0]


@pytest.mark.parametrize(
    "steps",
    [
        [chunk("A"), chunk(finish="stop")],
        [chunk("A"), chunk(finish="stop"), DONE],
        [chunk("A"), chunk(finish="stop"), Fault.DROP],
        [chunk("A"), chunk(finish="stop"), DONE, chunk("B")],
        [chunk("A"), chunk(finish="stop"), chunk("B")],
        [chunk("A"), chunk(finish="stop"), "{junk"],
        [chunk("A"), chunk(finish="stop"), b"data: \xff\n\n"],
        [chunk("A"), chunk(finish="stop"), '{"error": {"message": "late"}}'],
        [chunk("A", finish="stop")],
    ],
)
async def test_a_finish_reason_ends_a_reply_whatever_follows(
    server: OpenAIServer, backend: Server, steps: list[str | Fault]
) -> None:
    server.script(CHAT, Reply(steps))
    assert await generate(backend, ask()) == [Token("A"), Finish(FinishReason.STOP)]


async def test_a_server_that_goes_silent_behind_the_finish_holds_nobody_up(
    server: OpenAIServer, backend: Server
) -> None:
    server.script(CHAT, Reply([chunk("A"), chunk(finish="length"), usage(3, 1), Fault.HANG]))
    async with asyncio.timeout(2):
        assert (await generate(backend, ask()))[-1] == Finish(FinishReason.LENGTH, Usage(3, 1))


async def test_done_alone_ends_a_reply_that_has_begun(server: OpenAIServer, backend: Server) -> None:
    server.script(CHAT, Reply([chunk("A"), DONE]), Reply([DONE]))
    assert await generate(backend, ask()) == [Token("A"), Finish(FinishReason.OTHER)]
    with pytest.raises(BrokenReply):
        await generate(backend, ask())


@pytest.mark.parametrize(
    "steps",
    [
        [chunk("A")],
        [chunk("A"), Fault.DROP],
        [chunk("A"), "{broken"],
        [chunk("A"), b"data: \xff\n\n"],
        [chunk("A"), '{"error": {"message": "novel"}}'],
    ],
)
async def test_a_stream_that_breaks_is_an_error(
    server: OpenAIServer, backend: Server, steps: list[str | bytes | Fault]
) -> None:
    server.script(CHAT, Reply(steps))
    with pytest.raises(BrokenReply):
        await generate(backend, ask())
    assert len(server.bodies(CHAT)) == 1


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"message": "m", "code": 400}, InputError),
        ({"message": "m", "type": "exceed_context_size_error", "code": 400}, ContextOverflow),
        (
            {"message": "m", "code": "context_length_exceeded", "type": "invalid_request_error"},
            ContextOverflow,
        ),
        ({"message": "m", "type": "invalid_request_error"}, InputError),
        ({"message": "m", "type": "server_error"}, UnavailableError),
        ({"message": "m", "type": "rate_limit_error"}, TryLaterError),
        ({"message": "m", "code": 500}, UnavailableError),
        ("m", BrokenReply),
    ],
)
@pytest.mark.parametrize("streaming", [True, False])
async def test_an_error_with_status_200_is_mapped(
    server: OpenAIServer,
    backend: Server,
    error: object,
    expected: type[LLMChatError],
    streaming: bool,
) -> None:
    server.always(CHAT, Reply([json.dumps({"error": error})]) if streaming else json_reply({"error": error}))
    with pytest.raises(expected):
        await generate(backend, ask(stream=streaming))


async def test_other_finish_reasons_and_reasoning_do_not_break_it(
    server: OpenAIServer, backend: Server
) -> None:
    thinking = json.dumps({"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})
    server.script(CHAT, Reply([thinking, chunk("A"), chunk(finish="content_filter")]))
    assert await generate(backend, ask()) == [Thought("hm"), Token("A"), Finish(FinishReason.FILTER)]
    server.script(CHAT, Reply([chunk("A"), chunk(finish="brand_new")]))
    assert await generate(backend, ask()) == [Token("A"), Finish(FinishReason.OTHER)]


async def test_half_a_character_becomes_a_mark(server: OpenAIServer, backend: Server) -> None:
    server.script(CHAT, Reply([chunk("\ud83d"), chunk("\ud83d\ude42"), chunk(finish="stop")]))
    assert [event for event in await generate(backend, ask()) if isinstance(event, Token)] == [
        Token("\ufffd"),
        Token("🙂"),
    ]


async def test_the_progress_of_the_prompt_is_told(server: OpenAIServer, backend: Server) -> None:
    told = {"total": 700, "cache": 0, "processed": 256, "time_ms": 9}
    server.script(CHAT, Reply([chunk(prompt_progress=told), chunk("A"), chunk(finish="stop")]))
    assert (await generate(backend, ask()))[0] == Progress("evaluating the prompt", 256, 700)


async def test_a_role_without_a_token_is_no_first_token(server: OpenAIServer, backend: Server) -> None:
    server.script(CHAT, Reply([chunk(), Fault.HANG]))
    with pytest.raises(TryLaterError, match="first token"):
        await generate(backend, ask())


@pytest.mark.parametrize(
    ("models", "props", "expected"),
    [
        ({"data": [{"id": "a"}, {"id": "b", "max_model_len": 99}]}, {}, Limits(99)),
        ({"data": [{"id": "b", "meta": {"n_ctx": 98}}]}, {}, Limits(98)),
        ({"data": [{"id": "b", "context_length": 96}]}, {}, Limits(96)),
        ({"data": [{"id": "b", "context_window": 95}]}, {}, Limits(95)),
        ({"data": [{"id": "b", "max_context_length": 94}]}, {}, Limits(94)),
        ({"data": [{"id": "b"}]}, {"default_generation_settings": {"n_ctx": 97}}, Limits(97)),
        ({"data": []}, {}, Limits(2048, assumed=True)),
        ({"data": [{"id": "other", "max_model_len": 99}]}, {}, Limits(99)),
        ({"data": [{"id": "a", "max_model_len": 99}, {"id": "c"}]}, {}, Limits(2048, assumed=True)),
    ],
)
async def test_the_limits_are_found_where_servers_keep_them(
    server: OpenAIServer, models: object, props: object, expected: Limits
) -> None:
    server.always("/v1/models", json_reply(models))
    server.always("/props", json_reply(props))
    backend = open_server(Endpoint(f"{server.url}/v1"), "openai", model="b")
    assert await limits_of(backend) == expected
    asked = len(server.requests)
    assert await limits_of(backend) == expected
    assert len(server.requests) == asked
    await backend.aclose()


async def test_limits_of_a_server_that_is_not_there_are_an_error(unused_tcp_port: int) -> None:
    backend = open_server(
        Endpoint(f"http://127.0.0.1:{unused_tcp_port}", timeouts=Timeouts(wait=0)), "openai"
    )
    with pytest.raises(UnavailableError):
        await limits_of(backend)
    await backend.aclose()


async def test_llama_cpp_counts_exactly_and_others_are_asked_once(
    server: OpenAIServer, backend: Server
) -> None:
    server.script("/apply-template", json_reply({"prompt": "<|im_start|>..."}))
    server.script("/tokenize", json_reply({"tokens": [1, 2, 3]}))
    assert await (await connected(backend)).count(ask()) == TokenCount(3, exact=True)
    assert server.bodies("/apply-template") == [{"messages": MESSAGES}]
    assert server.bodies("/tokenize")[0]["content"] == "<|im_start|>..."
    assert [(await (await connected(backend)).count(ask())).exact for _ in range(3)] == [False] * 3
    assert len(server.bodies("/apply-template")) == 2


@pytest.mark.parametrize("raw", [False, True])
async def test_vllm_counts_exactly(server: OpenAIServer, backend: Server, raw: bool) -> None:
    server.always("/v1/models", json_reply({"data": [{"id": "m", "owned_by": "vllm"}]}))
    server.always("/tokenize", json_reply({"count": 12, "max_model_len": 4096, "tokens": [1] * 12}))
    await limits_of(backend)
    assert await (await connected(backend)).count(ask(raw=raw)) == TokenCount(12, exact=True)
    asked = {"prompt": TALK[-1].text} if raw else {"messages": MESSAGES}
    assert server.bodies("/tokenize") == [{"model": "m", **asked}]
    assert server.bodies("/apply-template") == []


async def test_several_turns_use_one_connection(server: OpenAIServer, backend: Server) -> None:
    for _ in range(3):
        await generate(backend, ask())
        await generate(backend, ask(stream=False))
    assert server.connections == 1


async def test_closing_the_stream_frees_the_server(server: OpenAIServer, backend: Server) -> None:
    server.script(CHAT, stream("A", Fault.HANG))
    events = stream_of(backend, ask())
    assert await anext(events) == Token("A")
    await events.aclose()
    async with asyncio.timeout(0.1):
        await server.left.wait()


# Going on with an unfinished answer

UNFINISHED = (Message(Role.USER, "Count"), Message(Role.ASSISTANT, "One, two,"))


async def test_llama_cpp_goes_on_where_its_template_leaves_the_answer_open(
    server: OpenAIServer, backend: Server
) -> None:
    server.script("/apply-template", json_reply({"prompt": "<|im_start|>assistant\nOnce upon"}))
    assert await (await connected(backend)).can_continue()
    await generate(backend, Request(UNFINISHED, Settings(), continues=True))
    (body,) = server.bodies(CHAT)
    assert body["messages"] == [
        {"role": "user", "content": "Count"},
        {"role": "assistant", "content": "One, two,"},
    ]
    assert "continue_final_message" not in body


async def test_a_template_that_closes_the_answer_cannot_go_on(server: OpenAIServer, backend: Server) -> None:
    closed = "<|im_start|>assistant\nOnce upon<|im_end|>\n<|im_start|>assistant\n"
    server.script("/apply-template", json_reply({"prompt": closed}))
    assert not await (await connected(backend)).can_continue()


async def test_vllm_is_told_to_go_on(server: OpenAIServer, backend: Server) -> None:
    server.always("/v1/models", json_reply({"data": [{"id": "m", "owned_by": "vllm"}]}))
    assert await (await connected(backend)).can_continue()
    await generate(backend, Request(UNFINISHED, Settings(), continues=True))
    await generate(backend, ask())
    going_on, other = server.bodies(CHAT)
    assert (going_on["continue_final_message"], going_on["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in other


async def test_tgis_own_model_goes_by_the_name_tgi_and_an_adapter_by_its_own(server: OpenAIServer) -> None:
    server.always("/v1/models", json_reply({"data": [{"id": "org/model", "owned_by": "org/model"}]}))
    for name, sent in ((None, "tgi"), ("adapter", "adapter")):
        backend = open_server(Endpoint(f"{server.url}/v1"), "openai", model=name)
        await connected(backend)
        await generate(backend, ask())
        await backend.aclose()
        assert server.bodies(CHAT)[-1]["model"] == sent
        assert backend.info.model == (name or "org/model")


async def test_a_model_that_is_not_there_is_told_which_are(server: OpenAIServer) -> None:
    server.always("/v1/models", json_reply({"data": [{"id": f"m{number}"} for number in range(10)]}))
    server.always(CHAT, json_reply({"error": {"message": "The model `huge` does not exist."}}, 404))
    backend = open_server(Endpoint(server.url), "openai", model="huge")
    await connected(backend)
    with pytest.raises(ConfigError, match="huge") as caught:
        await generate(backend, ask())
    assert caught.value.hint == "it has m0, m1, m2, m3, m4, m5, m6, m7, 2 more"
    await backend.aclose()


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_too_busy_to_list_its_models_keeps_no_answer_away(
    server: OpenAIServer, backend: Server, status: int
) -> None:
    server.always("/v1/models", json_reply({"error": "busy"}, status))
    wanted = Settings(repetition_penalty=1.2)
    request = replace(ask(wanted), constraint=JsonSchema({"type": "string"}))
    assert Token("Hello") in await generate(backend, request)
    with pytest.raises(UnavailableError if status == 503 else TryLaterError):
        await rendered(backend, replace(ask(), constraint=Regex("a+")))  # only one that is known can do that


async def test_a_server_nobody_knows_cannot_go_on(backend: Server) -> None:
    assert not await (await connected(backend)).can_continue()


# What the answer has to be

OPEN = {"type": "object", "properties": {"a": {"type": "integer"}}}
CLOSED = {**OPEN, "required": ["a"], "additionalProperties": False}
COMPLETIONS = "/v1/completions"


def owned(owner: str) -> Reply:
    return json_reply({"data": [{"id": "served-model", "owned_by": owner}]})


def response_format(schema: object, **more: object) -> dict[str, object]:
    named = {"name": "answer", "schema": schema, **more}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


@pytest.mark.parametrize(
    ("owner", "constraint", "raw", "fields"),
    [
        ("openai", JsonSchema(OPEN), False, response_format(OPEN)),
        ("openai", JsonSchema(CLOSED), False, response_format(CLOSED, strict=True)),
        ("vllm", JsonSchema(OPEN), True, response_format(OPEN)),
        ("vllm", Regex("a+"), False, {"structured_outputs": {"regex": "a+"}, "guided_regex": "a+"}),
        ("sglang", JsonSchema(OPEN), True, {"json_schema": json.dumps(OPEN)}),
        ("sglang", Regex("a+"), True, {"regex": "a+"}),
        (
            "served-model",
            JsonSchema(OPEN),
            False,
            {"response_format": {"type": "json_object", "value": OPEN}},
        ),
        ("served-model", Regex("a+"), False, {"response_format": {"type": "regex", "value": "a+"}}),
        ("llamacpp", JsonSchema(OPEN), False, response_format(OPEN)),
        ("llamacpp", JsonSchema(OPEN), True, {"json_schema": OPEN}),
        ("llamacpp", Regex("a+"), False, {"grammar": "root ::= ([a]){1,}\n"}),
    ],
)
async def test_each_server_is_asked_in_its_own_words(
    backend: Server,
    server: OpenAIServer,
    owner: str,
    constraint: Constraint,
    raw: bool,
    fields: dict[str, object],
) -> None:
    server.always("/v1/models", owned(owner))
    server.always(COMPLETIONS, stream("Hello"))
    await generate(backend, ask(raw=raw))
    await rendered(backend, replace(ask(raw=raw), constraint=constraint))
    await generate(backend, replace(ask(raw=raw), constraint=constraint))
    plain, held = server.bodies(COMPLETIONS if raw else CHAT)
    assert held == plain | fields


@pytest.mark.parametrize(
    ("owner", "constraint", "raw", "why"),
    [
        ("openai", Regex("a+"), False, "an answer to a pattern"),
        ("library", Regex("a+"), True, "an answer to a pattern"),
        ("openai", JsonSchema(OPEN), True, "a completion to a schema"),
        ("llamacpp", Regex(r"a\b"), False, "word boundary"),
    ],
)
async def test_what_a_server_cannot_do_it_is_not_asked_for(
    backend: Server, server: OpenAIServer, owner: str, constraint: Constraint, raw: bool, why: str
) -> None:
    server.always("/v1/models", owned(owner))
    with pytest.raises(UsageError, match=why):
        await rendered(backend, replace(ask(raw=raw), constraint=constraint))
    with pytest.raises(UsageError, match=why):
        await generate(backend, replace(ask(raw=raw), constraint=constraint))
    assert {request.method for request in server.requests} == {"GET"}


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (CLOSED, True),
        ({**CLOSED, "required": []}, False),
        ({**OPEN, "required": ["a"]}, False),
        ({**CLOSED, "minProperties": 1}, False),
        ({**CLOSED, "properties": {"a": {"type": "integer", "minimum": 0}}}, False),
        ({**CLOSED, "properties": {"a": OPEN}}, False),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": OPEN}}}, False),
        ({**CLOSED, "properties": {"a": {"type": "array", "items": CLOSED}}}, True),
        ({**CLOSED, "properties": {"a": {"anyOf": [{"type": "null"}, OPEN]}}}, False),
        ({**CLOSED, "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": CLOSED}}, True),
        ({**CLOSED, "properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": OPEN}}, False),
        ({**CLOSED, "properties": {"a": True}}, False),
        ({**CLOSED, "properties": {"a": {}}}, False),
        ({**CLOSED, "properties": {"a": {"$ref": "#/$defs/b", "title": "A"}}, "$defs": {"b": CLOSED}}, False),
        ({"type": "integer"}, False),
        ({"anyOf": [CLOSED]}, False),
    ],
)
def test_a_schema_is_strict_only_where_openai_takes_it_so(schema: dict[str, object], strict: bool) -> None:
    sent = fields_for(JsonSchema(schema), "", raw=False)
    assert sent == response_format(schema, **({"strict": True} if strict else {}))


async def test_a_server_that_refuses_a_schema_does_so_in_its_own_words(
    backend: Server, server: OpenAIServer
) -> None:
    server.always(CHAT, json_reply({"error": {"message": "Invalid schema for response_format"}}, 400))
    with pytest.raises(InputError, match="Invalid schema for response_format"):
        await generate(backend, replace(ask(), constraint=JsonSchema(OPEN)))
