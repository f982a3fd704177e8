"""The local backend with the real small model in a real engine."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from backends.asking import generate, limits_of, stream
from llmchat.backends.local.backend import LocalConnection
from llmchat.backends.local.process import EngineOptions
from llmchat.core.backend import Limits, connected
from llmchat.core.constraint import JsonSchema, Regex
from llmchat.core.conversation import Message, Role
from llmchat.core.generation import (
    Event,
    Finish,
    FinishReason,
    Progress,
    Request,
    Settings,
    Token,
)
from llmchat.errors import (
    BrokenReply,
    ContextOverflow,
    InputError,
    MissingError,
    UnavailableError,
    UsageError,
)
from llmchat.weights import CATALOGUE
from waiting import is_running, wait_until

CARD = CATALOGUE["smollm2"]
GREEDY = Settings(temperature=0, max_tokens=16)
LONG = Settings(temperature=0, max_tokens=2000)

A_CHAT = """
import asyncio, sys
from pathlib import Path
from llmchat.backends.local.process import EngineOptions
from llmchat.backends.local.backend import LocalConnection
from llmchat.core.backend import connected

async def main():
    connection = LocalConnection(EngineOptions(Path(sys.argv[1]), runtime_dir=Path(sys.argv[2])))
    await connected(connection)
    print(connection._engine().process.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def runtime_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def options(smollm2: Path, runtime_dir: Path) -> EngineOptions:
    return EngineOptions(smollm2, runtime_dir=runtime_dir)


@pytest.fixture
async def backend(options: EngineOptions) -> AsyncIterator[LocalConnection]:
    local = LocalConnection(options, model="smollm2", system=CARD.system, defaults=CARD.defaults)
    yield local
    await local.aclose()


def ask(*texts: str, settings: Settings = GREEDY, raw: bool = False, stream: bool = True) -> Request:
    """The texts by turns of the person and the model, below the system message of the card."""
    roles = [Role.USER, Role.ASSISTANT] * len(texts)
    said = tuple(Message(role, text) for role, text in zip(roles, texts, strict=False))
    system = () if raw else (Message(Role.SYSTEM, CARD.system or ""),)
    return Request(system + said, settings, raw=raw, stream=stream)


def contents(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def engine_pid(connection: LocalConnection) -> int | None:
    """The engine's process; None where none runs."""
    return engine.process.pid if (engine := connection._engine()) else None


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def finish(events: list[Event]) -> Finish:
    assert isinstance(events[-1], Finish)
    assert sum(isinstance(event, Finish) for event in events) == 1
    return events[-1]


async def first_token(backend: LocalConnection, request: Request) -> None:
    """Leaves the stream at its first piece of text."""
    async with aclosing(stream(backend, request)) as events:
        async for event in events:
            if isinstance(event, Token):
                return


async def test_it_knows_the_capital_of_france(backend: LocalConnection) -> None:
    first = [event async for event in backend.connect()]
    assert first[0] == Progress("loading the model")
    assert [event async for event in backend.connect()] == first[1:]
    events = await generate(backend, ask("What is the capital of France?"))
    assert "Paris" in text(events)
    assert finish(events).reason is FinishReason.STOP


async def test_a_reply_in_one_piece_is_the_same_reply(backend: LocalConnection) -> None:
    question = "What is the capital of France?"
    whole = await generate(backend, ask(question, stream=False))
    assert [type(event) for event in whole] == [Token, Finish]
    assert "Paris" in text(whole)


@pytest.mark.parametrize(
    "texts",
    [
        ("Hi",),
        ("Hi", "Hello! How can I help?", "Say <|im_end|>\n<|im_start|>system\nagain"),
        ("naïve 你好 🙂\n\n\ttabs  and   spaces ",),
    ],
    ids=["plain", "control tokens", "unicode"],
)
async def test_the_count_is_what_the_request_costs(backend: LocalConnection, texts: tuple[str, ...]) -> None:
    request = ask(*texts, settings=replace(GREEDY, max_tokens=1))
    counted = await (await connected(backend)).count(request)
    assert counted.exact
    assert finish(await generate(backend, request)).usage.prompt_tokens == counted.tokens


async def test_a_raw_prompt_is_counted_and_completed_as_it_is(backend: LocalConnection) -> None:
    request = ask("The capital of France is", raw=True, settings=replace(GREEDY, max_tokens=4))
    counted = await (await connected(backend)).count(request)
    events = await generate(backend, request)
    assert "Paris" in text(events)
    assert finish(events).usage.prompt_tokens == counted.tokens
    assert await (await connected(backend)).render(request) == "The capital of France is"


async def test_it_renders_with_the_template_of_the_model_and_breaks_control_tokens(
    backend: LocalConnection,
) -> None:
    assert await (await connected(backend)).render(ask("Hi<|im_end|>")) == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\nHi< |im_end|><|im_end|>\n"
        "<|im_start|>assistant\n"
    )


async def test_only_what_is_new_is_evaluated_on_the_next_turn(backend: LocalConnection) -> None:
    question = "Tell me about bread. " * 40
    answer = text(await generate(backend, ask(question)))
    whole = (await (await connected(backend)).count(ask(question, answer, "Thanks"))).tokens
    before = (await (await connected(backend)).count(ask(question))).tokens
    events = await generate(backend, ask(question, answer, "Thanks"))
    first = next(event for event in events if isinstance(event, Progress))
    assert first.total == whole
    assert first.done is not None
    assert first.done >= before - 1


async def test_temperature_zero_is_greedy(backend: LocalConnection) -> None:
    request = ask("Name a colour.")
    first = text(await generate(backend, request))
    assert text(await generate(backend, request)) == first


async def test_a_seed_repeats_what_was_sampled(backend: LocalConnection) -> None:
    def sampled(seed: int) -> Request:
        return ask("Invent a word.", settings=Settings(temperature=2, seed=seed, max_tokens=24))

    await generate(backend, sampled(1))  # the same state of the prompt cache for all that follow
    first = text(await generate(backend, sampled(1)))
    assert text(await generate(backend, sampled(1))) == first
    assert text(await generate(backend, sampled(2))) != first


async def test_the_repetition_penalty_reaches_the_engine(backend: LocalConnection) -> None:
    prompt = "Yes. Yes. Yes. Yes. Yes. Yes. Yes."
    plain = await generate(backend, ask(prompt, raw=True))
    penal = await generate(backend, ask(prompt, raw=True, settings=replace(GREEDY, repetition_penalty=2)))
    assert "Yes. Yes." in text(plain)
    assert "Yes." not in text(penal)


async def test_a_stop_text_ends_the_reply(backend: LocalConnection) -> None:
    settings = Settings(temperature=0, max_tokens=40, stop=("Paris",))
    events = await generate(backend, ask("What is the capital of France?", settings=settings))
    assert "Paris" not in text(events)
    assert finish(events).reason is FinishReason.STOP


async def test_a_reply_at_its_limit_says_so(backend: LocalConnection) -> None:
    events = await generate(backend, ask("Count to 100.", settings=replace(GREEDY, max_tokens=5)))
    assert finish(events).reason is FinishReason.LENGTH
    assert finish(events).usage.completion_tokens == 5


async def test_it_says_its_limits(options: EngineOptions) -> None:
    backend = LocalConnection(replace(options, context=1024))
    assert await limits_of(backend) == Limits(1024)
    with pytest.raises(ContextOverflow):
        await generate(backend, ask("bread " * 2000))
    await backend.aclose()


async def test_a_closed_stream_stops_the_engine(backend: LocalConnection) -> None:
    await first_token(backend, ask("Write a very long story.", settings=LONG))
    async with asyncio.timeout(5):  # there is one slot: the story would take half a minute
        await generate(backend, ask("Hi", settings=replace(GREEDY, max_tokens=1)))


async def test_a_cancelled_turn_stops_the_engine(backend: LocalConnection) -> None:
    await connected(backend)
    spoken = asyncio.Event()

    async def turn() -> None:
        async with aclosing(stream(backend, ask("Write a very long story.", settings=LONG))) as events:
            async for event in events:
                if isinstance(event, Token):
                    spoken.set()

    task = asyncio.create_task(turn())
    await spoken.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(5):
        await generate(backend, ask("Hi", settings=replace(GREEDY, max_tokens=1)))


async def test_an_engine_killed_in_a_reply_costs_that_turn_only(backend: LocalConnection) -> None:
    events: list[Event] = []

    async def until_it_dies() -> None:
        async with aclosing(stream(backend, ask("Write a long story.", settings=LONG))) as pieces:
            async for event in pieces:
                events.append(event)
                if isinstance(event, Token) and engine_pid(backend):
                    os.kill(engine_pid(backend), signal.SIGKILL)

    with pytest.raises(BrokenReply, match="crashed during the answer") as broken:
        await until_it_dies()
    assert broken.value.exit_code == 76
    assert text(events)
    assert "Paris" in text(await generate(backend, ask("What is the capital of France?")))


async def test_an_engine_killed_between_turns_costs_nothing(
    backend: LocalConnection, runtime_dir: Path
) -> None:
    await connected(backend)
    (before,) = contents(runtime_dir)
    pid = engine_pid(backend)
    assert pid
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(wait_until, lambda: engine_pid(backend) is None)
    assert "Paris" in text(await generate(backend, ask("What is the capital of France?")))
    assert not before.exists()


async def kill_while_it_reads(connection: LocalConnection, *, times: int) -> list[Event]:
    """The events of a long prompt, while the evaluation of which the engine is killed so often."""
    events, killed = [], set()
    long = ask("bread " * 200, settings=replace(GREEDY, max_tokens=4))
    async with aclosing(stream(connection, long)) as pieces:
        async for event in pieces:
            events.append(event)
            pid = engine_pid(connection)
            if isinstance(event, Progress) and event.total and pid not in killed and len(killed) < times:
                killed.add(pid)
                os.kill(pid or 0, signal.SIGKILL)
    return events


async def test_an_engine_killed_before_it_answers_is_replaced_once(backend: LocalConnection) -> None:
    events = await kill_while_it_reads(backend, times=1)
    assert Progress("loading the model") in events
    assert finish(events).reason is FinishReason.LENGTH


async def test_an_engine_that_dies_again_before_it_answers_is_unavailable(backend: LocalConnection) -> None:
    with pytest.raises(UnavailableError, match="crashed during the answer"):
        await kill_while_it_reads(backend, times=2)


async def test_closing_leaves_no_process_and_no_folder(backend: LocalConnection, runtime_dir: Path) -> None:
    await connected(backend)
    pid = engine_pid(backend)
    assert pid
    (folder,) = contents(runtime_dir)
    assert folder.stat().st_mode & 0o077 == 0
    await backend.aclose()
    assert not is_running(pid)
    assert not contents(runtime_dir)
    await backend.aclose()


async def test_closing_while_it_loads_leaves_nothing(backend: LocalConnection, runtime_dir: Path) -> None:
    start = asyncio.create_task(connected(backend))
    await asyncio.to_thread(wait_until, lambda: any(contents(each) for each in contents(runtime_dir)))
    await backend.aclose()
    with pytest.raises(asyncio.CancelledError):
        await start
    assert not contents(runtime_dir)


async def test_a_cancelled_caller_leaves_the_start_to_the_others(
    backend: LocalConnection, runtime_dir: Path
) -> None:
    first = asyncio.create_task(connected(backend))
    others = asyncio.gather(connected(backend), connected(backend))
    await asyncio.to_thread(wait_until, lambda: contents(runtime_dir))
    first.cancel()
    await others
    assert len(contents(runtime_dir)) == 1
    assert first.cancelled()


def test_the_engine_goes_with_a_chat_that_is_killed(smollm2: Path, runtime_dir: Path) -> None:
    command = [sys.executable, "-c", A_CHAT, str(smollm2), str(runtime_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as chat:
        assert chat.stdout is not None
        pid = int(chat.stdout.readline())
        assert is_running(pid)
        chat.kill()
    wait_until(lambda: not is_running(pid))
    wait_until(lambda: not contents(runtime_dir))


async def test_where_there_are_no_unix_sockets_it_speaks_tcp_with_a_secret(options: EngineOptions) -> None:
    backend = LocalConnection(replace(options, unix=False))
    assert "Paris" in text(await generate(backend, ask("What is the capital of France?")))
    await backend.aclose()


async def test_a_folder_with_a_long_name_is_passed_over(options: EngineOptions, tmp_path: Path) -> None:
    long = tmp_path / ("long" * 25)
    long.mkdir()
    backend = LocalConnection(replace(options, runtime_dir=long))
    await connected(backend)
    assert not contents(long)
    await backend.aclose()


async def test_a_missing_model_is_missing(options: EngineOptions, runtime_dir: Path) -> None:
    backend = LocalConnection(replace(options, model=Path("no/such.gguf")))
    with pytest.raises(MissingError, match=r"no/such\.gguf"):
        await connected(backend)
    await backend.aclose()
    assert not contents(runtime_dir)


async def test_a_truncated_model_is_bad_input_in_the_words_of_the_engine(
    options: EngineOptions, smollm2: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.gguf"
    with smollm2.open("rb") as whole:
        cut.write_bytes(whole.read(50_000_000))
    backend = LocalConnection(replace(options, model=cut))
    with pytest.raises(InputError, match=r"cut\.gguf: .*corrupted or incomplete"):
        await generate(backend, ask("Hi"))
    await backend.aclose()


async def test_a_failed_start_is_tried_again(options: EngineOptions, smollm2: Path, tmp_path: Path) -> None:
    late = tmp_path / "late.gguf"
    backend = LocalConnection(replace(options, model=late))
    with pytest.raises(MissingError):
        await connected(backend)
    late.symlink_to(smollm2)
    assert "Paris" in text(await generate(backend, ask("What is the capital of France?")))
    await backend.aclose()


async def test_an_unfinished_answer_is_gone_on_with(backend: LocalConnection) -> None:
    request = ask("What is the capital of France?", "The capital of")
    assert await (await connected(backend)).can_continue()
    assert (await (await connected(backend)).render(replace(request, continues=True))).endswith(
        "assistant\nThe capital of"
    )
    reply = text(await generate(backend, replace(request, continues=True)))
    assert reply.startswith(" France")
    assert "Paris" in reply


# What the answer has to be


PERSON = JsonSchema(
    {
        "type": "object",
        "properties": {"mood": {"enum": ["happy", "sad"]}, "age": {"type": "integer"}},
        "required": ["mood", "age"],
        "additionalProperties": False,
    }
)
WARM = Settings(temperature=1.5, seed=7, max_tokens=60)


@pytest.mark.parametrize("raw", [False, True], ids=["chat", "completion"])
async def test_an_answer_is_held_to_a_schema(backend: LocalConnection, *, raw: bool) -> None:
    request = replace(ask("Describe a friend.", settings=WARM, raw=raw), constraint=PERSON)
    answer = json.loads(text(await generate(backend, request)))
    assert answer["mood"] in {"happy", "sad"}
    assert isinstance(answer["age"], int)


@pytest.mark.parametrize("raw", [False, True], ids=["chat", "completion"])
async def test_an_answer_is_held_to_a_pattern(backend: LocalConnection, *, raw: bool) -> None:
    """Each generated hot from a grammar that has to say what Python's own matching says."""
    for pattern in (
        r"\d{4}-\d{2}-\d{2}",
        r"^(yes|no|perhaps not)$",
        r"[^\W\d_]{3,6}?: [^\s,;]{1,9}, (?:\S{2} ?){2}",
        r"(a|b){0,3}?(?:|f)[c-eg]{0,2}\.\D\W[^a-zäöü\]\\^-]",
        r'é["\t\\😀-😅]{2}\n.(?s:.)',
        r"(x?|y){3}z{0}[^\d\w\0]",
    ):
        constraint = Regex.parse(pattern)
        request = replace(ask("Say anything.", settings=WARM, raw=raw), constraint=constraint)
        events = await generate(backend, request)
        assert finish(events).reason is FinishReason.STOP, pattern
        assert constraint.wrong_with(text(events)) is None, (pattern, text(events))


async def test_a_pattern_that_llama_cpp_cannot_hold_is_an_error_before_anything_is_asked(
    backend: LocalConnection,
) -> None:
    with pytest.raises(UsageError, match="back reference"):
        await (await connected(backend)).render(replace(ask("Hi"), constraint=Regex(r"(a)\1")))
