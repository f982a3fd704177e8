"""A session goes back, asks again and goes on: with a model that follows a script, and a real store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doubles import ScriptedBackend, Step
from llmchat import weights
from llmchat.app import Session
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import Event, Finish, FinishReason, Settings, Token, Usage
from llmchat.core.journal import Reply
from llmchat.core.prompt_format import FORMATS
from llmchat.core.turn import Turn
from llmchat.errors import InputError, StorageError, UnavailableError

STOP = Finish(FinishReason.STOP, Usage(7, 3))
LENGTH = Finish(FinishReason.LENGTH, Usage(7, 3))
Open = Callable[..., Session]


def said(*texts: str, finish: Finish = STOP) -> list[Step]:
    return [*map(Token, texts), finish]


@contextmanager
def nothing_is_fetched(_: weights.Model) -> Iterator[weights.Progress]:
    raise AssertionError("a scripted model has no weights")
    yield


@pytest.fixture
async def chat_with(tmp_path: Path) -> AsyncGenerator[Open]:
    sessions = []

    def build(backend: ScriptedBackend, *, keep: bool = True) -> Session:
        config = resolve({"model": "echo"}, environ={}, directory=tmp_path)
        folders = Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})
        session = Session(config, folders, fetching=nothing_is_fetched, connection=backend)
        if keep:
            session.keep()
        sessions.append(session)
        return session

    yield build
    for session in sessions:
        await session.aclose()


async def run(turn: Turn) -> tuple[str, Reply]:
    """The text that was shown, and the reply."""
    events: list[Event] = []
    async with turn:
        async for event in turn:
            events.append(event)  # noqa: PERF401 - those before an error are wanted
    assert turn.reply is not None
    return "".join(event.text for event in events if isinstance(event, Token)), turn.reply


def texts(session: Session) -> list[str]:
    return [message.text for message in session.conversation.messages]


def branches(session: Session) -> list[tuple[int | None, str, bool]]:
    """Every kept message: the one it follows, its first line, and whether it is on the branch read."""
    return [(node.parent, node.line, node.current) for node in session.store.tree(session.saved_id())]


async def test_retry_asks_the_newest_question_again_beside_the_old_answer(chat_with: Open) -> None:
    backend = ScriptedBackend(said("One"), said("Two"))
    session = chat_with(backend)
    await run(session.ask("?"))
    await run(session.retry())
    assert backend.requests[0].messages == backend.requests[1].messages
    assert texts(session) == ["?", "Two"]
    question = branches(session)[0]
    assert [(line, current) for parent, line, current in branches(session) if parent is not None] == [
        ("One", False),
        ("Two", True),
    ]
    assert question == (None, "?", True)


async def test_retry_after_a_failure_does_not_repeat_the_question(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend([UnavailableError("gone")], said("Two")))
    with pytest.raises(UnavailableError):
        await run(session.ask("?"))
    await run(session.retry())
    assert texts(session) == ["?", "Two"]


async def test_undo_takes_the_newest_turn_back(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend(said("One"), said("Two")))
    await run(session.ask("first"))
    await run(session.ask("second"))
    assert session.undo() == "second"
    assert texts(session) == ["first", "One"]
    assert ("second", False) in [(line, current) for _, line, current in branches(session)]


async def test_without_a_question_there_is_nothing_to_retry_undo_or_show(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend())
    for attempt in (session.retry, session.undo, lambda: session.conversation.up_to_question(None)):
        with pytest.raises(InputError):
            attempt()
    with pytest.raises(InputError):
        await session.budget(None)


async def test_undo_that_cannot_be_journalled_changes_nothing(
    chat_with: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = chat_with(ScriptedBackend(said("One")), keep=False)
    await run(session.ask("first"))
    before = session.conversation

    def full(_: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("llmchat.core.journal.NullJournal.back", full)
        with pytest.raises(StorageError):
            session.undo()
    assert session.conversation == before
    assert session.undo() == "first"


async def test_what_is_asked_next_is_the_conversation_up_to_its_newest_question(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend(said("One")))
    await run(session.ask("first"))
    assert (await session.preview(None)).text == "first"
    assert (await session.preview("more")).text == "first\nOne\nmore"


async def test_a_cut_reply_is_gone_on_with_and_the_part_stays_a_sibling(chat_with: Open) -> None:
    backend = ScriptedBackend(said("One, two,", finish=LENGTH), said(" three."))
    session = chat_with(backend)
    await run(session.ask("Count"))
    shown, reply = await run(session.go_on())
    assert (shown, reply.text, reply.status) == ("One, two, three.", "One, two, three.", Status.COMPLETE)
    assert backend.requests[1].messages[-1] == Message(Role.ASSISTANT, "One, two,")
    assert backend.requests[1].continues
    assert texts(session) == ["Count", "One, two, three."]
    assert [line for _, line, _ in branches(session)] == ["Count", "One, two,", "One, two, three."]


async def test_a_space_at_the_end_of_the_part_is_not_sent_and_comes_once(chat_with: Open) -> None:
    backend = ScriptedBackend(said("One ", finish=LENGTH), said(" two"))
    session = chat_with(backend)
    await run(session.ask("Count"))
    _, reply = await run(session.go_on())
    assert backend.requests[1].messages[-1].text == "One"
    assert reply.text == "One two"


async def test_the_leading_space_of_a_raw_text_reply_is_kept_where_it_goes_on(chat_with: Open) -> None:
    transcript = FORMATS["transcript"]
    backend = ScriptedBackend(said(" One", finish=LENGTH), said(" two"), prompt_format=transcript)
    session = chat_with(backend)
    await run(session.ask("Count"))
    _, reply = await run(session.go_on())
    assert reply.text == "One two"


async def test_a_fault_while_going_on_loses_nothing_of_the_part(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend(said("One", finish=LENGTH), [UnavailableError("gone")]))
    await run(session.ask("Count"))
    turn = session.go_on()
    with pytest.raises(UnavailableError):
        await run(turn)
    assert turn.reply is not None
    assert (turn.reply.text, turn.reply.status) == ("One", Status.INTERRUPTED)


async def test_a_whole_reply_or_none_cannot_be_gone_on_with(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend(said("All.")))
    with pytest.raises(InputError, match="no reply"):
        session.go_on()
    await run(session.ask("?"))
    with pytest.raises(InputError, match="not cut off"):
        session.go_on()


async def test_the_settings_that_stand_are_the_chosen_ones_over_the_models_card(chat_with: Open) -> None:
    session = chat_with(ScriptedBackend(said("Hi"), defaults=Settings(temperature=0.2, top_p=0.9)))
    session.model.set_value("temperature", "0")
    standing = session.model.effective_settings()
    assert (standing.temperature, standing.top_p, standing.max_tokens) == (0, 0.9, 1024)
