from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.journal import Provenance
from llmchat.errors import MissingError, StorageError
from llmchat.store import ConversationJournal, Store

from .conftest import is_intact

Say = Callable[[ConversationJournal, str, str], None]


@pytest.fixture
def conversation(store: Store, say: Say, provenance: Provenance) -> str:
    """Begun twice; of the second beginning, which is read, there are two answers, one of them stopped."""
    say(store.journal(), "another conversation", "takes the first keys")
    journal = store.journal(system="be kind")
    say(journal, "first", "beginning")
    journal.back()
    journal.back()
    say(journal, "What?", "This.")
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("Tha")
    journal.end(Status.STOPPED, provenance)
    store.set_title(str(journal.conversation_id), "A title")
    return str(journal.conversation_id)


def test_a_whole_conversation_comes_back_on_another_machine_as_it_was(
    store: Store, conversation: str, tmp_path: Path
) -> None:
    export = store.export(conversation)
    assert [(r.id, r.parent, r.message.text) for r in export.records] == [
        (1, None, "first"),
        (2, 1, "beginning"),
        (3, None, "What?"),
        (4, 3, "This."),
        (5, 3, "Tha"),
    ]
    assert export.branch() == (export.records[2], export.records[4])
    with Store.open(tmp_path / "other" / "conversations.db") as other:
        assert other.restore([export]) == (conversation,)
        assert other.export(conversation) == export
        assert other.records(conversation) == export.branch()
        assert other.search("beginning", 5)[0].conversation == conversation
        assert other.list(1) == store.list(1)


def test_what_is_there_already_is_skipped_and_what_is_different_gets_an_id_of_its_own(
    store: Store, conversation: str, say: Say
) -> None:
    export = store.export(conversation)
    assert store.restore([export]) == (None,)
    _, journal = store.resume(conversation)
    say(journal, "It went on", "Yes")
    (other,) = store.restore([export])
    assert other not in (None, conversation)
    assert replace(store.export(str(other)), id=conversation) == export
    assert len(store.load(conversation).messages) == 4


@pytest.mark.parametrize("strange", ["", "last", "../../etc", "UPPERCASE0"])
def test_an_id_that_is_none_is_replaced(store: Store, conversation: str, strange: str) -> None:
    (added,) = store.restore([replace(store.export(conversation), id=strange)])
    assert store.resolve(str(added)) == added


def test_either_all_conversations_are_restored_or_none(store: Store, conversation: str) -> None:
    export = store.export(conversation)
    other = replace(export, id="0000000000")
    huge = replace(other, id="1111111111", created_at=None)  # type: ignore[arg-type] # what no row can hold
    with pytest.raises(StorageError):
        store.restore([other, huge])
    with pytest.raises(MissingError):
        store.export("0000000000")


def test_a_conversation_that_is_not_there_is_missing(store: Store) -> None:
    with pytest.raises(MissingError):
        store.export("nothing")


def test_erasing_takes_the_index_along_and_gives_the_space_back(store: Store, path: Path, say: Say) -> None:
    """The three characters occur once, so their trigram stands in the index as it is."""

    def on_disk() -> bytes:
        return b"".join(each.read_bytes() for each in sorted(path.parent.iterdir()))

    erased, kept = store.journal(), store.journal()
    say(kept, "kept", "k" * 5000)
    say(erased, "龘鱻麤", "x" * 500_000)
    store.database.empty_log()
    assert on_disk().count("鱻麤".encode()[1:]) == 2
    before = path.stat().st_size
    store.delete(str(erased.conversation_id))
    assert "鱻麤".encode()[1:] not in on_disk()
    assert path.stat().st_size < before / 5
    assert store.search("kept", 1)
    assert is_intact(store)


def test_another_process_that_is_reading_does_not_keep_anything_from_being_erased(
    store: Store, conversation: str, path: Path
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (7,)
        store.delete(conversation)
        assert reader.execute("SELECT count(*) FROM messages").fetchone() == (7,)
    with pytest.raises(MissingError):
        store.load(conversation)
    store.close()
    assert b"beginning" not in b"".join(each.read_bytes() for each in path.parent.iterdir())


def test_either_all_conversations_are_erased_or_none(store: Store, conversation: str) -> None:
    with pytest.raises(MissingError):
        store.delete(conversation, "nothing")
    assert store.load(conversation).messages
    other = next(each.id for each in store.list(5) if each.id != conversation)
    store.delete(conversation, other)
    assert store.list(5) == ()


def test_half_a_surrogate_pair_anywhere_becomes_a_mark(store: Store, conversation: str) -> None:
    export = store.export(conversation)
    *others, last = export.records
    assert last.provenance is not None
    spoilt = replace(last, provenance=replace(last.provenance, backend="\ud800", model="\udc80"))
    (added,) = store.restore([replace(export, id="0000000000", records=(*others, spoilt))])
    read = store.export(str(added)).records[-1].provenance
    assert read is not None
    assert (read.backend, read.model) == ("\ufffd", "\ufffd")
