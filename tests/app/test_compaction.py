"""A summary in the place of old turns, on the echo backend and a real store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llmchat import weights
from llmchat.app import Session
from llmchat.app.compaction import REQUEST, Compaction
from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.core.conversation import Role, Status
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import InputError, UsageError
from llmchat.store import Store


@contextmanager
def fetching(_: weights.Model) -> Iterator[weights.Progress]:
    yield lambda _done, _total: None


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders.find({"LLMCHAT_HOME": str(tmp_path / "home")})


@pytest.fixture(params=["saved", "not saved"])
async def session(
    request: pytest.FixtureRequest, folders: Folders, tmp_path: Path
) -> AsyncGenerator[Session]:
    opened = Session(resolve({"model": "echo"}, environ={}, directory=tmp_path), folders, fetching=fetching)
    if request.param == "saved":
        opened.keep()
    yield opened
    await opened.aclose()


async def run(turn: Turn) -> Reply:
    async with turn:
        async for _ in turn:
            pass
    assert turn.reply is not None
    return turn.reply


def said(session: Session) -> list[str]:
    return [message.text for message in session.conversation.messages]


async def test_a_summary_replaces_all_but_the_newest_turns_and_can_be_undone(session: Session) -> None:
    for word in ("one", "two", "three"):
        await run(session.ask(word))
    before = said(session)
    compaction = Compaction.of(session)
    assert compaction.replaced == 1
    undo = compaction.apply(await run(compaction.ask()))
    assert said(session) == [REQUEST, REQUEST, "two", "two", "three", "three"]
    assert [m.role for m in session.conversation.messages] == [Role.USER, Role.ASSISTANT] * 3
    await run(session.ask("four"))
    assert not undo.possible
    session.undo()
    assert undo.possible
    undo.run()
    assert said(session) == before


async def test_what_was_replaced_is_still_on_a_branch_of_the_same_conversation(
    folders: Folders, tmp_path: Path
) -> None:
    session = Session(resolve({"model": "echo"}, environ={}, directory=tmp_path), folders, fetching=fetching)
    session.keep()
    for word in ("one", "two", "three"):
        await run(session.ask(word))
    compaction = Compaction.of(session, kept=1)
    compaction.apply(await run(compaction.ask()))
    await run(session.ask("four"))
    assert session.take_notices() == []
    await session.aclose()
    with Store.open(folders.database) as store:
        (only,) = store.list(9)
        records = store.records(only.id)
        assert [each.message.text for each in records] == [REQUEST, REQUEST, *["three"] * 2, *["four"] * 2]
        assert all(each.provenance is not None for each in records if each.message.role is Role.ASSISTANT)
        old = [each.line for each in store.tree(only.id) if not each.current]
    assert old == ["one", "one", "two", "two", "three", "three"]


async def test_there_must_be_more_turns_than_are_kept(session: Session) -> None:
    with pytest.raises(InputError, match="nothing to summarize"):
        Compaction.of(session, kept=0)
    await run(session.ask("one"))
    with pytest.raises(InputError, match="nothing to summarize"):
        Compaction.of(session)


async def test_a_summary_that_was_stopped_replaces_nothing(session: Session) -> None:
    for word in ("one", "two", "three"):
        await run(session.ask(word))
    before = said(session)
    compaction = Compaction.of(session)
    summary = await run(compaction.ask())
    for unfit in (replace(summary, status=Status.STOPPED), replace(summary, text=" ")):
        with pytest.raises(UsageError, match="nothing was replaced"):
            compaction.apply(unfit)
    assert said(session) == before
