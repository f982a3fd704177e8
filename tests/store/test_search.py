from __future__ import annotations

from collections.abc import Callable

import pytest

from llmchat.core.conversation import Message, Role
from llmchat.core.journal import Provenance
from llmchat.errors import UsageError
from llmchat.store import ConversationJournal, Found, Store

from .conftest import Clock, is_intact

Say = Callable[[ConversationJournal, str, str], None]


def texts(store: Store, text: str) -> list[str]:
    return [found.snippet for found in store.search(text, 10)]


def index_is_whole(store: Store) -> bool:
    """SQLite compares the index with the texts, and fails where they differ."""
    store.database.connection.execute("INSERT INTO found (found, rank) VALUES ('integrity-check', 1)")
    return is_intact(store)


def test_what_was_said_is_found_newest_first(store: Store, clock: Clock, say: Say) -> None:
    journal = store.journal()
    say(journal, "Where is Paris?", "In France.")
    clock.seconds += 5
    say(journal, "And is Paris big?", "Yes.")
    assert store.search("paris", 10) == (
        Found(str(journal.conversation_id), 3, "Where is Paris?", "And is Paris big?", clock.seconds),
        Found(str(journal.conversation_id), 1, "Where is Paris?", "Where is Paris?", clock.seconds - 5),
    )
    assert len(store.search("paris", 1)) == 1
    assert store.search("Berlin", 10) == ()


def test_every_word_has_to_be_there_in_any_order(store: Store, say: Say) -> None:
    say(store.journal(), "the red house by the sea", "a red car")
    assert texts(store, "sea RED") == ["the red house by the sea"]
    assert texts(store, "red by") == ["the red house by the sea"]
    assert texts(store, "red boat") == []


@pytest.mark.parametrize("wanted", ["天", "天气", "天气怎", "今天天气怎么样", "怎么样 今天"])
def test_chinese_is_found_in_the_middle_of_a_sentence(store: Store, say: Say, wanted: str) -> None:
    say(store.journal(), "请问今天天气怎么样", "晴。")
    assert texts(store, wanted) == ["请问今天天气怎么样"]


@pytest.mark.parametrize(
    "typed",
    [
        '"',
        '""',
        "AND",
        "OR NOT",
        "NEAR(a b)",
        "text:x",
        "-x*",
        "^abc",
        "a'b",
        "(((",
        "%",
        "_",
        "!",
        "'; DROP",
    ],
)
def test_operators_are_text(store: Store, say: Say, typed: str) -> None:
    say(store.journal(), "nothing of the kind is here: xyz", "no")
    assert texts(store, typed) == []
    say(store.journal(), f"before {typed} after", "no")
    assert texts(store, typed) == [f"before {typed} after"]


@pytest.mark.parametrize("typed", ["", " \t\n", "\0", " ".join(map(str, range(100)))])
def test_a_search_for_nothing_or_for_far_too_much_is_refused(store: Store, typed: str) -> None:
    with pytest.raises(UsageError):
        store.search(typed, 5)


def test_a_very_long_word_and_half_a_surrogate_are_no_errors(store: Store, say: Say) -> None:
    say(store.journal(), "short", "\ud83d")
    assert texts(store, "x" * 100_000) == []
    assert texts(store, "\ud83d") == ["\ufffd"]


def test_a_snippet_shows_the_place_on_one_line(store: Store, say: Say) -> None:
    say(store.journal(), f"{'before ' * 50}the\nneedle{' after' * 50}", "no")
    (shown,) = texts(store, "NEEDLE")
    assert "the needle after" in shown
    assert len(shown) <= 102
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_an_answer_is_found_once_it_has_ended_and_on_every_branch(
    store: Store, say: Say, provenance: Provenance
) -> None:
    journal = store.journal()
    say(journal, "question", "the first attempt")
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("another attempt")
    assert texts(store, "attempt") == ["the first attempt"]
    journal.end(Message(Role.ASSISTANT, "").status, provenance)
    assert texts(store, "attempt") == ["another attempt", "the first attempt"]
    assert index_is_whole(store)


def test_what_is_erased_is_found_no_more(store: Store, say: Say) -> None:
    erased, kept = store.journal(), store.journal()
    say(erased, "the secret question", "the secret answer")
    say(kept, "the kept question", "the kept answer")
    store.delete(str(erased.conversation_id))
    assert texts(store, "secret") == []
    assert len(texts(store, "kept")) == 2
    assert index_is_whole(store)


def test_a_search_reads_the_index_and_not_every_message(store: Store, say: Say) -> None:
    say(store.journal(), "question", "answer")
    seen: list[str] = []
    store.database.connection.set_trace_callback(seen.append)
    store.search("answer is", 5)
    store.database.connection.set_trace_callback(None)
    (query,) = [statement for statement in seen if "MATCH" in statement and not statement.startswith("--")]
    plan = [row[3] for row in store.database.connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert any("found VIRTUAL TABLE INDEX" in step for step in plan)
    assert not any(step.startswith("SCAN messages") for step in plan)
