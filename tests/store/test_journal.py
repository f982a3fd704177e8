from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles import ScriptedBackend, Talk
from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import (
    Finish,
    FinishReason,
    Settings,
    Token,
    Usage,
)
from llmchat.core.journal import Provenance, Reply
from llmchat.errors import StorageError, TryLaterError
from llmchat.store import ConversationJournal, Saved, Store
from llmchat.store.writer import process

from .conftest import Clock, is_intact

Say = Callable[[ConversationJournal, str, str], None]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the database."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(store: Store) -> Iterator[None]:
    """The disk is full: the file may not grow by a page."""
    connection = store.database.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


def stored(store: Store) -> list[tuple[str, str]]:
    """Role and text of what another reader would see of the only conversation."""
    return [(m.role.value, m.text) for m in store.load(store.resolve("last")).messages]


def test_a_session_without_a_question_leaves_no_trace(store: Store) -> None:
    journal = store.journal(system="be kind")
    journal.set_system("be brief")
    assert journal.conversation_id is None
    assert store.list(1) == ()


def test_the_question_and_the_open_answer_are_there_before_anything_is_sent(
    store: Store, path: Path, provenance: Provenance
) -> None:
    journal = store.journal(system="be kind")
    journal.begin(Message(Role.USER, "hi"))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT role, text, status FROM messages").fetchall() == [
            ("user", "hi", "complete")
        ]
        journal.begin(Message(Role.ASSISTANT, ""), provenance)
        rows = other.execute("SELECT role, status, parent, model FROM messages WHERE id > 1").fetchall()
        assert rows == [("assistant", "streaming", 1, "a/model")]
    assert store.load(str(journal.conversation_id)).system == "be kind"


def test_text_is_written_at_once_after_a_second_or_2_kib(store: Store, provenance: Provenance) -> None:
    clock = Clock(0.0)
    journal = ConversationJournal(store.database, writer=process(os.getpid()), now=clock, clock=clock)
    journal.begin(Message(Role.USER, "hi"))
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("a")
    assert stored(store)[-1][1] == ""
    clock.seconds = 0.99
    journal.append("b")
    assert stored(store)[-1][1] == ""
    clock.seconds = 1.0
    journal.append("c")
    assert stored(store)[-1][1] == "abc"
    journal.append("d" * 2047)
    assert stored(store)[-1][1] == "abc"
    journal.append("é")
    assert stored(store)[-1][1] == "abc" + "d" * 2047 + "é"
    journal.append("tail")
    journal.end(Status.STOPPED, provenance)
    assert stored(store)[-1][1] == "abc" + "d" * 2047 + "é" + "tail"


async def test_text_is_written_in_time_when_the_stream_falls_silent(
    store: Store, provenance: Provenance
) -> None:
    loop, called = asyncio.get_running_loop(), asyncio.Event()

    def call_later(delay: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        assert delay <= 1
        return loop.call_later(delay, lambda: (callback(), called.set()))

    journal = store.journal(call_later=call_later)
    journal.begin(Message(Role.USER, "hi"))
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("so ")
    journal.append("far")
    async with asyncio.timeout(5):
        await called.wait()
    assert stored(store)[-1][1] == "so far"


def test_an_answer_keeps_its_status_and_provenance(store: Store, provenance: Provenance) -> None:
    journal = store.journal()
    journal.begin(Message(Role.USER, "hi"))
    journal.begin(Message(Role.ASSISTANT, ""))
    journal.append("so")
    journal.end(Status.LENGTH, provenance)
    question, answer = store.records(str(journal.conversation_id))
    assert question.provenance is None
    assert answer.message == Message(Role.ASSISTANT, "so", Status.LENGTH)
    assert answer.provenance == provenance
    assert answer.parent == question.id
    assert question.created_at == 1_800_000_000.0


def test_going_back_makes_siblings_and_destroys_nothing(
    store: Store, say: Say, provenance: Provenance
) -> None:
    journal = store.journal()
    say(journal, "hi", "one")
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("two")
    journal.end(Status.COMPLETE, provenance)
    assert stored(store) == [("user", "hi"), ("assistant", "two")]
    rows = store.database.connection.execute("SELECT parent, depth, text FROM messages").fetchall()
    assert rows == [(None, 1, "hi"), (1, 2, "one"), (1, 2, "two")]
    journal.back()
    journal.back()
    assert stored(store) == []
    assert len(store.list(5)) == 1


def test_the_system_message_can_change_in_a_saved_conversation(store: Store, say: Say) -> None:
    journal = store.journal(system="be kind")
    say(journal, "hi", "there")
    journal.set_system("be brief")
    assert store.load(str(journal.conversation_id)).system == "be brief"


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.text(min_size=1), max_size=5))
def test_any_text_comes_back_as_it_was(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "conversations.db") as store:
        journal, answer = store.journal(), Provenance("echo", "", Settings())
        journal.begin(Message(Role.USER, "".join(texts)))
        journal.begin(Message(Role.ASSISTANT, ""), answer)
        for text in texts:
            journal.append(text)
        journal.end(Status.COMPLETE, answer)
        assert [text for _, text in stored(store)] == ["".join(texts)] * 2


def test_half_a_surrogate_pair_becomes_a_mark_and_a_whole_one_its_character(store: Store, say: Say) -> None:
    say(store.journal(), "lone \udc80", "pair \ud83d\ude00")
    assert stored(store) == [("user", "lone \ufffd"), ("assistant", "pair \U0001f600")]


def test_two_processes_do_not_undo_each_others_system_message(store: Store, say: Say) -> None:
    mine = store.journal(system="old")
    say(mine, "hi", "there")
    _, theirs = store.resume(str(mine.conversation_id))
    theirs.set_system("new")
    say(mine, "and", "so on")
    assert store.load(str(mine.conversation_id)).system == "new"
    assert len(stored(store)) == 4


def test_who_was_there_first_is_told_once_that_another_process_writes_too(store: Store, say: Say) -> None:
    first = store.journal()
    say(first, "one", "1")
    _, second = store.resume(str(first.conversation_id))
    say(second, "two", "2")
    assert second.take_notices() == []
    say(first, "three", "3")
    assert len(first.take_notices()) == 1
    say(second, "four", "4")
    assert len(second.take_notices()) == 1
    say(first, "five", "5")
    assert first.take_notices() == []
    branch = [message.text for message in store.load(str(first.conversation_id)).messages]
    assert branch == ["one", "1", "three", "3", "five", "5"]


def test_who_is_alone_is_told_nothing(store: Store, say: Say, provenance: Provenance) -> None:
    journal = store.journal()
    say(journal, "one", "1")
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.set_system("kind")
    journal.end(Status.STOPPED, provenance)
    _, again = store.resume(str(journal.conversation_id))
    again.back()
    again.back()
    say(again, "two", "2")
    assert journal.take_notices() == again.take_notices() == []


def test_figures_that_no_database_can_hold_are_unknown(store: Store) -> None:
    journal = store.journal()
    journal.begin(Message(Role.USER, "hi"))
    journal.begin(Message(Role.ASSISTANT, ""))
    journal.end(Status.COMPLETE, Provenance("tgi", "m", Settings(), usage=Usage(2**63, 5)))
    provenance = store.records(str(journal.conversation_id))[1].provenance
    assert provenance is not None
    assert provenance.usage == Usage(None, 5)


def test_what_a_lock_kept_from_the_disk_is_written_once_it_is_gone(
    store: Store, path: Path, provenance: Provenance
) -> None:
    journal = store.journal()
    with locked(path):
        with pytest.raises(TryLaterError, match="locked"):
            journal.begin(Message(Role.USER, "hi"))
        with pytest.raises(TryLaterError):
            journal.begin(Message(Role.ASSISTANT, ""), provenance)
        with pytest.raises(TryLaterError):
            journal.append("long " * 1000)
        journal.append("short")
        assert store.list(1) == ()
    journal.end(Status.COMPLETE, provenance)
    assert stored(store) == [("user", "hi"), ("assistant", "long " * 1000 + "short")]


def test_the_end_of_a_session_is_one_more_chance_to_save(
    store: Store, path: Path, provenance: Provenance
) -> None:
    journal = store.journal()
    journal.flush()
    assert store.list(1) == ()
    journal.begin(Message(Role.USER, "hi"))
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("there")
    with locked(path), pytest.raises(TryLaterError):
        journal.end(Status.COMPLETE, provenance)
    journal.flush()
    assert store.load(store.resolve("last")).messages[-1] == Message(Role.ASSISTANT, "there")


def test_a_new_branch_begins_anew_and_tells_of_no_other_process(
    store: Store, say: Say, provenance: Provenance
) -> None:
    journal = store.journal()
    say(journal, "a", "b")
    summary = Saved(Message(Role.ASSISTANT, "s", Status.LENGTH), provenance, 5.0)
    journal.start_branch([Saved(Message(Role.USER, "q")), summary])
    say(journal, "c", "d")
    assert journal.conversation_id is not None
    records = store.records(journal.conversation_id)
    assert [each.message.text for each in records] == ["q", "s", "c", "d"]
    assert (records[1].provenance, records[1].created_at) == (provenance, 5.0)
    assert records[1].message.status is Status.LENGTH
    assert [node.line for node in store.tree(journal.conversation_id) if not node.current] == ["a", "b"]
    assert journal.take_notices() == []


def test_a_new_branch_under_a_lock_changes_nothing(store: Store, path: Path, say: Say) -> None:
    journal = store.journal()
    say(journal, "a", "b")
    with locked(path), pytest.raises(TryLaterError):
        journal.start_branch([Saved(Message(Role.USER, "q"))])
    say(journal, "c", "d")
    assert [text for _, text in stored(store)] == ["a", "b", "c", "d"]


def test_going_back_under_a_lock_moves_nothing(store: Store, path: Path, say: Say) -> None:
    journal = store.journal()
    say(journal, "hi", "there")
    with locked(path), pytest.raises(TryLaterError):
        journal.back()
    say(journal, "and", "so on")
    assert [text for _, text in stored(store)] == ["hi", "there", "and", "so on"]


def test_a_full_disk_is_said_and_loses_nothing_that_comes_later_to_fit(
    store: Store, say: Say, provenance: Provenance
) -> None:
    journal = store.journal()
    say(journal, "hi", "there")
    with full(store), pytest.raises(StorageError, match="disk is full"):
        journal.begin(Message(Role.USER, "much " * 10_000))
    assert is_intact(store)
    assert stored(store) == [("user", "hi"), ("assistant", "there")]
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.end(Status.COMPLETE, provenance)
    assert [text for _, text in stored(store)] == ["hi", "there", "much " * 10_000, ""]


def test_an_erased_conversation_does_not_come_back(store: Store, say: Say) -> None:
    journal = store.journal()
    say(journal, "hi", "there")
    store.database.connection.execute("DELETE FROM conversations")
    with pytest.raises(StorageError, match="erased"):
        journal.begin(Message(Role.USER, "still there?"))
    counts = "SELECT (SELECT count(*) FROM conversations), (SELECT count(*) FROM messages)"
    assert store.database.connection.execute(counts).fetchone() == (0, 0)


def test_saving_takes_as_many_statements_at_1000_messages_as_at_10(store: Store, say: Say) -> None:
    journal = store.journal()
    seen: list[str] = []

    def turns(number: int) -> tuple[int, int]:
        """Our own statements for so many turns, and those with which FTS5 keeps its index."""
        seen.clear()
        store.database.connection.set_trace_callback(seen.append)
        for _ in range(number):
            say(journal, "question", "answer")
        store.database.connection.set_trace_callback(None)
        of_the_index = sum(statement.startswith("--") for statement in seen)
        return len(seen) - of_the_index, of_the_index

    turns(1)  # makes the conversation's own row
    early, index_early = turns(100)
    turns(300)
    late, index_late = turns(100)
    assert early == late
    assert index_late < 1.5 * index_early


def test_opening_takes_as_many_statements_at_1000_messages_as_at_10(store: Store, say: Say) -> None:
    journal = store.journal()
    seen: list[str] = []

    def statements_to_open() -> int:
        seen.clear()
        store.database.connection.set_trace_callback(seen.append)
        store.resume(str(journal.conversation_id))
        store.list(20)
        store.search("answer", 5)
        store.database.connection.set_trace_callback(None)
        return len(seen)

    for _ in range(5):
        say(journal, "question", "answer")
    early = statements_to_open()
    for _ in range(495):
        say(journal, "question", "answer")
    assert early > 0
    assert statements_to_open() <= 2 * early  # FTS5 reads a page more or less of its index


async def test_a_lock_costs_no_answer_and_the_next_turn_saves_both(store: Store, path: Path) -> None:
    script = [Token("some "), Token("text"), Finish(FinishReason.STOP)]
    chat = Talk(ScriptedBackend(script, script), store.journal())

    async def ask(question: str) -> Reply:
        async with chat.ask(question) as turn:
            async for _ in turn:
                pass
        assert turn.reply is not None
        return turn.reply

    with locked(path):
        reply = await ask("one")
    assert reply.text == "some text"
    assert isinstance(reply.unsaved, TryLaterError)
    reply = await ask("two")
    assert reply.unsaved is None
    assert store.load(store.resolve("last")) == chat.conversation
    assert [text for _, text in stored(store)] == ["one", "some text", "two", "some text"]
