from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llmchat.core.conversation import Conversation, Message, Role, Status
from llmchat.core.journal import Provenance
from llmchat.errors import MissingError, StorageError, UsageError
from llmchat.store import ConversationJournal, Store, Summary

from .conftest import Clock

Say = Callable[[ConversationJournal, str, str], None]


def add_conversations(store: Store, *ids: str) -> None:
    """Rows with these ids, the first one the newest."""
    store.database.connection.executemany(
        "INSERT INTO conversations (id, created_at, updated_at, system) VALUES (?, 0, ?, '')",
        [(key, -at) for at, key in enumerate(ids)],
    )


def test_an_id_is_ten_characters_that_nobody_takes_for_another(store: Store, say: Say) -> None:
    journal = store.journal()
    say(journal, "hi", "there")
    assert len(str(journal.conversation_id)) == 10
    assert set(str(journal.conversation_id)) <= set("0123456789abcdefghjkmnpqrstvwxyz")


def test_a_conversation_goes_on_where_it_was(store: Store, say: Say, provenance: Provenance) -> None:
    first = store.journal(system="be kind")
    say(first, "one", "1")
    conversation, journal = store.resume(str(first.conversation_id))
    assert conversation == Conversation(
        "be kind", (Message(Role.USER, "one"), Message(Role.ASSISTANT, "1", Status.COMPLETE))
    )
    assert journal.conversation_id == first.conversation_id
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("un")
    journal.end(Status.COMPLETE, provenance)
    say(journal, "two", "2")
    texts = [message.text for message in store.load(str(first.conversation_id)).messages]
    assert texts == ["one", "un", "two", "2"]
    assert store.load(str(first.conversation_id)).system == "be kind"


def test_the_latest_is_the_one_that_was_written_to_last(store: Store, clock: Clock, say: Say) -> None:
    older, newer = store.journal(), store.journal()
    say(older, "a", "b")
    clock.seconds += 1
    say(newer, "c", "d")
    assert store.resolve("last") == newer.conversation_id
    clock.seconds += 1
    older.set_system("new")
    assert store.resolve("last") == older.conversation_id


def test_a_list_says_what_each_conversation_is_about(
    store: Store, clock: Clock, say: Say, provenance: Provenance
) -> None:
    journal = store.journal()
    say(journal, "\n  What is it?  \nTell me.", "it")
    clock.seconds += 60
    say(journal, "And that?", "that")
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    say(store.journal(), "later", "x")
    assert store.list(10)[1:] == (
        Summary(str(journal.conversation_id), "What is it?", 1_800_000_000.0, 1_800_000_060.0, "a/model", 4),
    )
    assert len(store.list(1)) == 1


def test_the_beginning_of_an_id_is_enough_however_it_is_typed(store: Store) -> None:
    add_conversations(store, "1a0bcdefgh", "2a0bcdefgh")
    assert store.resolve("1a") == "1a0bcdefgh"
    assert store.resolve(" LAOBC ") == "1a0bcdefgh"
    assert store.resolve("2a0bcdefgh") == "2a0bcdefgh"


def test_an_ambiguous_beginning_names_the_candidates(store: Store) -> None:
    add_conversations(store, "aa0bcdefgh", "ab0bcdefgh", "b00bcdefgh")
    with pytest.raises(UsageError, match=r"2 conversations begin with 'a': aa0bcdefgh, ab0bcdefgh$"):
        store.resolve("a")
    with pytest.raises(UsageError, match="3 conversations"):
        store.resolve("")


def test_a_wrong_id_names_the_nearest_one(store: Store) -> None:
    add_conversations(store, "aaaaaaaaaa", "bbbbbbbbbb")
    with pytest.raises(MissingError, match="'bbbbbbbbbc'; the nearest is bbbbbbbbbb"):
        store.resolve("bbbbbbbbbc")
    with pytest.raises(MissingError, match=r"'%'$"):  # nothing is near
        store.resolve("%")


@pytest.mark.parametrize("given", ["last", "abc"])
def test_an_empty_store_says_so(store: Store, given: str) -> None:
    assert store.list(5) == ()
    with pytest.raises(MissingError, match="no conversation yet"):
        store.resolve(given)


def test_loading_what_is_not_there_is_an_error(store: Store) -> None:
    with pytest.raises(MissingError, match="'nothing'"):
        store.load("nothing")


def test_provenance_that_another_program_spoilt_does_not_pass_for_a_bug(store: Store, say: Say) -> None:
    say(store.journal(), "hi", "there")
    store.database.connection.execute("UPDATE messages SET settings = '{' WHERE role = 'assistant'")
    with pytest.raises(StorageError, match="cannot be read"):
        store.records(store.resolve("last"))


def test_an_erased_conversation_is_gone_from_every_file(store: Store, path: Path, say: Say) -> None:
    def on_disk() -> bytes:
        return b"".join(each.read_bytes() for each in path.parent.iterdir())

    journal, kept = store.journal(), store.journal()
    say(kept, "the kept question", "1")
    say(journal, "the secret question", "2")
    journal.back()
    say(journal, "the secret sibling", "3")
    assert on_disk().count(b"the secret") >= 2
    store.delete(str(journal.conversation_id))
    assert b"the secret" not in on_disk()
    assert [summary.id for summary in store.list(5)] == [kept.conversation_id]
    with pytest.raises(MissingError):
        store.delete(str(journal.conversation_id))


def test_10_000_messages_open_within_a_second(store: Store, provenance: Provenance, say: Say) -> None:
    journal = store.journal()
    say(journal, "hi", "there")
    connection = store.database.connection
    connection.execute("BEGIN")
    for _ in range(13):  # every message once more, each time behind all there are
        connection.execute(
            """INSERT INTO messages (conversation_id, parent, depth, role, text, status, created_at,
                                     writer_pid, writer_started, backend, model, settings)
            SELECT conversation_id, id + (SELECT max(id) FROM messages) - 1, depth +
                (SELECT max(depth) FROM messages), role, text, status, created_at, writer_pid, writer_started,
                backend, model, settings FROM messages"""
        )
    connection.execute("UPDATE messages SET parent = id - 1 WHERE id > 1")
    connection.execute("UPDATE conversations SET head = (SELECT max(id) FROM messages)")
    connection.execute("COMMIT")
    started = time.process_time()
    conversation, _ = store.resume(str(journal.conversation_id))
    assert time.process_time() - started < 1
    assert len(conversation.messages) == 2**14
    store.delete(str(journal.conversation_id))
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (0,)
