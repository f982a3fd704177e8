"""Kept conversations as text and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llmchat.config.folders import Folders
from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import MissingError
from llmchat.store import Store
from llmchat.terminal.history.show import list_history, list_text, show_history
from piping import Pipes, pipes

ORIGIN = Provenance("tgi", "a/model\x1b[2J", Settings(stop=("x",)), FinishReason.STOP, Usage(7, 3), 0.5, 2.0)
NOW = 1_800_000_000.0


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"LLMCHAT_HOME": str(tmp_path)}


@pytest.fixture
def ends(environ: dict[str, str]) -> Iterator[Pipes]:
    with pipes() as opened:
        yield replace(opened, streams=replace(opened.streams, environ=environ))


@pytest.fixture
def conversation(environ: dict[str, str]) -> str:
    """One turn that was stopped, with control characters in every text."""
    with Store.open(Folders.find(environ).database, clock=lambda: NOW) as store:
        journal = store.journal(system="Be brief.\x07")
        journal.begin(Message(Role.USER, "Red\x1b[31m?\nSecond line"))
        journal.begin(Message(Role.ASSISTANT, ""), ORIGIN)
        journal.append("Half\x1b]0;title\x07")
        journal.end(Status.STOPPED, ORIGIN)
        assert journal.conversation_id
        return journal.conversation_id


def test_a_list_has_a_clean_line_for_each(ends: Pipes, conversation: str) -> None:
    list_history(ends.streams, limit=20, as_json=False)
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "WHEN", ends.out().decode())
    assert line == f"{conversation}  WHEN     2  a/model␛[2J       Red␛[31m?\n"


def test_a_list_of_nothing_says_so(ends: Pipes) -> None:
    assert list_text([]) == "No conversations yet."
    list_history(ends.streams, limit=20, as_json=True)
    assert json.loads(ends.out()) == []


def test_a_list_as_json_keeps_the_original(ends: Pipes, conversation: str) -> None:
    list_history(ends.streams, limit=20, as_json=True)
    out = ends.out()
    assert b"\x1b" not in out
    assert json.loads(out) == [
        {
            "id": conversation,
            "title": "Red\x1b[31m?",
            "created_at": NOW,
            "updated_at": NOW,
            "model": "a/model\x1b[2J",
            "messages": 2,
        }
    ]


def test_a_conversation_is_shown_with_who_said_what_and_how_it_ended(ends: Pipes, conversation: str) -> None:
    show_history("last", ends.streams, as_json=False)
    shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "WHEN", ends.out().decode())
    assert shown == (
        f"Conversation {conversation}\n\nSystem: Be brief.␇\n\n"
        "You (WHEN):\nRed␛[31m?\nSecond line\n\n"
        "Assistant (WHEN, a/model␛[2J, stopped):\nHalf␛]0;title␇\n"
    )


def test_a_conversation_as_json_has_all_that_is_known(ends: Pipes, conversation: str) -> None:
    show_history(conversation[:4], ends.streams, as_json=True)
    record = json.loads(ends.out())
    assert (record["conversation"], record["system"]) == (conversation, "Be brief.\x07")
    question, answer = record["messages"]
    assert question == {
        "role": "user",
        "text": "Red\x1b[31m?\nSecond line",
        "status": "complete",
        "created_at": NOW,
    }
    assert (answer["text"], answer["status"], answer["backend"]) == ("Half\x1b]0;title\x07", "stopped", "tgi")
    assert (answer["reason"], answer["settings"]["stop"]) == ("stop", ["x"])
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 3}


def test_a_conversation_that_is_not_there_is_missing(ends: Pipes, conversation: str) -> None:
    with pytest.raises(MissingError):
        show_history("zzzz", ends.streams, as_json=False)
