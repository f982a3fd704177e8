"""Conversations as JSON and back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import InputError
from llmchat.store import ConversationExport, Record
from llmchat.transcripts.interchange import from_json, to_json

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
def wholes(draw: st.DrawFn) -> ConversationExport:
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


@given(st.lists(wholes(), max_size=3))
def test_every_conversation_comes_back_as_it_was(conversations: list[ConversationExport]) -> None:
    text = to_json(conversations)
    assert text.isascii()
    assert from_json(text, "x") == tuple(conversations)


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
    with pytest.raises(InputError, match=r"^x is no export of llmchat: "):
        from_json(change(path, value), "x")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"llmchat"', "[" * 100_000, '{"llmchat": 1e999}'])
def test_what_is_no_export_at_all_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^x is no export of llmchat: "):
        from_json(text, "x")


def test_an_export_of_a_newer_version_is_refused_by_that_name() -> None:
    with pytest.raises(InputError, match="newer"):
        from_json(change("llmchat", 2), "x")


@pytest.mark.parametrize("spoil", [str.upper, lambda text: text[: len(text) // 2]])
def test_a_spoilt_file_is_refused(spoil: Callable[[str], str]) -> None:
    with pytest.raises(InputError):
        from_json(spoil(json.dumps(valid())), "x")
