"""Where a chat is kept, and going from one kept conversation to another."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmchat import weights
from llmchat.app import Session
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.errors import MissingError, UsageError
from llmchat.store import Store


@contextmanager
def fetching(_: weights.Model) -> Iterator[weights.Progress]:
    yield lambda _done, _total: None


@pytest.fixture
async def session(tmp_path: Path) -> AsyncGenerator[Session]:
    folders = Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})
    opened = Session(resolve({"model": "echo"}, environ={}, directory=tmp_path), folders, fetching=fetching)
    yield opened
    await opened.aclose()


async def ask(session: Session, question: str) -> None:
    async with session.ask(question) as turn:
        async for _ in turn:
            pass


def said(session: Session) -> list[str]:
    return [message.text for message in session.conversation.messages]


async def test_another_conversation_comes_with_its_own_system_message(session: Session) -> None:
    session.set_system("one")
    session.keep()
    await ask(session, "first")
    first = session.saved_id()
    session.set_system("other")
    session.new_conversation()
    await ask(session, "second")
    session.set_system("yet another")
    session.open(first)
    assert (session.conversation.system, said(session)) == ("other", ["first", "first"])
    await ask(session, "third")
    assert [m.text for m in session.store.load(first).messages][-1] == "third"


async def test_opening_without_keeping_writes_nothing_into_it(session: Session) -> None:
    session.keep()
    await ask(session, "first")
    kept = session.saved_id()
    session.forget()
    session.open(kept)
    await ask(session, "second")
    assert len(said(session)) == 4
    assert len(session.store.load(kept).messages) == 2
    with pytest.raises(UsageError, match="not saved"):
        session.saved_id()


async def test_a_switch_goes_to_the_end_of_a_branch_and_on_from_there(session: Session) -> None:
    session.keep()
    await ask(session, "first")
    session.undo()
    await ask(session, "other")
    conversation = session.saved_id()
    old = next(node for node in session.store.tree(conversation) if node.line == "first")
    session.switch_branch(old.id)
    assert said(session) == ["first", "first"]
    await ask(session, "more")
    lines = [node.line for node in session.store.tree(conversation) if node.current]
    assert lines == ["first", "first", "more", "more"]
    with pytest.raises(MissingError):
        session.switch_branch(999)
    assert len(said(session)) == 4


async def test_what_was_said_before_saving_is_saved_in_one_go(session: Session, tmp_path: Path) -> None:
    await ask(session, "first")
    session.save()
    session.save()
    await ask(session, "second")
    with Store.open(tmp_path / "home" / "data" / "conversations.sqlite3") as store:
        (only,) = store.list(9)
        assert [m.text for m in store.load(only.id).messages] == ["first", "first", "second", "second"]
