"""Conversations as JSON and back."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import RANGES, FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import InputError
from llmchat.store import ConversationExport, Record
from llmchat.transcripts import interchange
from llmchat.transcripts.interchange import from_json, to_json

SCHEMA = Path(interchange.__file__).with_name("interchange.schema.json")

times = st.floats(0, 2**34, allow_nan=False)
seconds = st.none() | st.floats(0, 1e6)
provenances = st.builds(
    Provenance,
    backend=st.text(),
    model=st.text(),
    settings=st.builds(
        Settings,
        temperature=st.none() | st.floats(0, 2),
        top_k=st.none() | st.integers(1, 100),
        stop=st.lists(st.text(min_size=1)).map(tuple),
        seed=st.none() | st.integers(0, 2**32 - 2),
    ),
    reason=st.none() | st.sampled_from(FinishReason),
    usage=st.builds(Usage, st.none() | st.integers(0, 2**40), st.none() | st.integers(0, 2**40)),
    first_token_s=seconds,
    total_s=seconds,
)


@st.composite
def conversations(draw: st.DrawFn) -> ConversationExport:
    """Any tree of messages."""
    messages = st.builds(Message, st.sampled_from(Role), st.text(), st.sampled_from(Status))
    records: list[Record] = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        parent = draw(st.none() | st.integers(1, number - 1)) if number > 1 else None
        records.append(Record(number, parent, draw(messages), draw(times), draw(st.none() | provenances)))
    head = draw(st.none() | st.integers(1, len(records)))
    title = draw(st.none() | st.text())
    return ConversationExport(
        draw(st.text()), title, draw(st.text()), draw(times), draw(times), head, tuple(records)
    )


@given(st.lists(conversations(), max_size=3))
def test_every_conversation_comes_back_as_it_was(exports: list[ConversationExport]) -> None:
    text = to_json(exports)
    assert text.isascii()
    assert from_json(text, "x") == tuple(exports)


def valid() -> dict[str, object]:
    """What one exported conversation of a question and an answer is."""
    records = (
        Record(1, None, Message(Role.USER, "hi"), 1.0, None),
        Record(2, 1, Message(Role.ASSISTANT, "there"), 2.0, Provenance("echo", "echo", Settings())),
    )
    return json.loads(to_json([ConversationExport("abcdefghjk", None, "", 1.0, 2.0, 2, records)]))


def change(path: str, value: object) -> str:
    """The valid file with this at a place in it."""
    file: object = valid()
    *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]
    place = file
    for step in way:
        place = place[step]  # type: ignore[index]
    place[last] = value  # type: ignore[index]
    return json.dumps(file)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("llmchat", None),
        ("llmchat", "1"),
        ("conversations", {}),
        ("conversations.0", []),
        ("conversations.0.id", 5),
        ("conversations.0.title", 5),
        ("conversations.0.system", None),
        ("conversations.0.created_at", "now"),
        ("conversations.0.created_at", -1),
        ("conversations.0.updated_at", 1e300),
        ("conversations.0.head", 3),
        ("conversations.0.head", True),
        ("conversations.0.messages", []),
        ("conversations.0.messages.0.parent", 1),
        ("conversations.0.messages.0.parent", 2),
        ("conversations.0.messages.1.id", 1),
        ("conversations.0.messages.1.id", "2"),
        ("conversations.0.messages.1.role", "tool"),
        ("conversations.0.messages.1.status", "streaming"),
        ("conversations.0.messages.1.text", None),
        ("conversations.0.messages.1.created_at", math.nan),
        ("conversations.0.messages.1.backend", None),
        ("conversations.0.messages.1.settings", None),
        ("conversations.0.messages.1.settings", {"temperature": 99}),
        ("conversations.0.messages.1.settings", {"temperature": "hot"}),
        ("conversations.0.messages.1.settings", {"stop": 5}),
        ("conversations.0.messages.1.reason", "bored"),
        ("conversations.0.messages.1.usage", None),
        ("conversations.0.messages.1.usage", {"prompt_tokens": "7"}),
        ("conversations.0.messages.1.total_s", math.inf),
    ],
)
def test_what_is_missing_or_wrong_is_refused(path: str, value: object) -> None:
    with pytest.raises(InputError, match=r"^x is not an llmchat export: "):
        from_json(change(path, value), "x")


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("conversations.0.head", 3, "conversation 1, head: no message before it has the id 3"),
        ("conversations.0.messages.1.role", "tool", "conversation 1, message 2, role: 'tool' is not one of "),
        (
            "conversations.0.messages.1.settings.stop",
            "abc",
            "message 2, settings, stop: 'abc' is not of",
        ),
        (
            "conversations.0.messages.1.settings.top_p",
            0,
            "message 2, settings, top_p: 0 is less than",
        ),
        (
            "conversations.0.messages.1.id",
            1,
            "conversation 1, message 2, id: another message has the id 1, too",
        ),
        ("conversations.0.messages.1.id", 1.0, "conversation 1, message 2, id: 1.0 is not of type 'integer'"),
        ("conversations.0.messages.1.text", ["x" * 10_000], "message 2, text: ... xxx"),
        ("conversations.0.messages.1.text", 10**4000, "message 2, text: ... 000"),
        ("conversations.0.messages.1.created_at", 10**400, "message 2, created_at: ... 000"),
        ("conversations.0.messages.1.settings.seed", 10**400, "message 2, settings, seed: ... 000"),
        ("conversations.0.messages.1.total_s", 10**400, "message 2, total_s: ... 000"),
    ],
)
def test_an_error_says_in_which_message_what_is_wrong(path: str, value: object, what: str) -> None:
    with pytest.raises(InputError) as caught:
        from_json(change(path, value), "x")
    assert what in caught.value.message
    assert len(caught.value.message) < 300
    assert caught.value.hint


def test_what_is_wrong_a_million_times_is_said_once_and_soon() -> None:
    started = time.process_time()
    with pytest.raises(InputError, match="conversation 1, message 1: 'id' is a required property"):
        from_json(change("conversations.0.messages", [{}] * 1_000_000), "x")
    assert time.process_time() - started < 10


def test_the_schema_allows_what_settings_and_enums_do() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    message = schema["properties"]["conversations"]["items"]["properties"]["messages"]["items"]["properties"]
    assert message["role"]["enum"] == [*Role]
    assert message["status"]["enum"] == [*Status]
    assert message["reason"]["enum"] == [*FinishReason, None]
    allowed = message["settings"]["properties"]
    assert allowed.keys() == {field.name for field in fields(Settings)}
    for name, limits in RANGES.items():
        lowest = "exclusiveMinimum" if limits.above else "minimum"
        assert (allowed[name][lowest], allowed[name]["maximum"]) == (limits.low, limits.high)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"llmchat"', "[" * 100_000, '{"llmchat": 1e999}'])
def test_what_is_no_export_at_all_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^x is not an llmchat export: "):
        from_json(text, "x")


def test_an_export_of_a_newer_version_is_refused_by_that_name() -> None:
    with pytest.raises(InputError, match="newer"):
        from_json(change("llmchat", 2), "x")


@pytest.mark.parametrize("spoil", [str.upper, lambda text: text[: len(text) // 2]])
def test_a_spoilt_file_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(InputError):
        from_json(spoil(json.dumps(valid())), "x")
