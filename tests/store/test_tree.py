from __future__ import annotations

from collections.abc import Callable

import pytest

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.journal import Provenance
from llmchat.errors import MissingError
from llmchat.store import ConversationJournal, Store

from .conftest import Clock

Say = Callable[[ConversationJournal, str, str], None]


@pytest.fixture
def conversation(store: Store, say: Say, provenance: Provenance) -> str:
    """Asked once, answered twice; on the second answer, which is read, two questions were asked."""
    journal = store.journal()
    say(journal, "\nWhat?\nTell me.", "This.")
    journal.back()
    journal.begin(Message(Role.ASSISTANT, ""), provenance)
    journal.append("That.")
    journal.end(Status.LENGTH, provenance)
    say(journal, "Why?", "Because.")
    journal.back()
    journal.back()
    say(journal, "When?", "Now.")
    return str(journal.conversation_id)


def test_a_tree_shows_every_branch_and_which_one_is_read(store: Store, conversation: str) -> None:
    nodes = store.tree(conversation)
    assert [(node.id, node.parent, node.line, node.current) for node in nodes] == [
        (1, None, "What?", True),
        (2, 1, "This.", False),
        (3, 1, "That.", True),
        (4, 3, "Why?", False),
        (5, 4, "Because.", False),
        (6, 3, "When?", True),
        (7, 6, "Now.", True),
    ]
    assert store.list(1)[0].messages == 4
    assert (nodes[0].role, nodes[2].role, nodes[2].status) == (Role.USER, Role.ASSISTANT, Status.LENGTH)


def test_switching_goes_to_the_newest_message_below_and_destroys_nothing(
    store: Store, conversation: str, clock: Clock, say: Say
) -> None:
    before = {node.id for node in store.tree(conversation)}
    clock.seconds += 1
    store.switch(conversation, 4)
    assert [m.text for m in store.load(conversation).messages[1:]] == ["That.", "Why?", "Because."]
    assert store.list(1)[0].updated_at == clock.seconds
    store.switch(conversation, 2)
    _, journal = store.resume(conversation)
    say(journal, "Where?", "Here.")
    assert [m.text for m in store.load(conversation).messages[1:]] == ["This.", "Where?", "Here."]
    store.switch(conversation, 1)
    assert store.load(conversation).messages[-1].text == "Here."
    assert {node.id for node in store.tree(conversation)} > before


def test_a_message_or_a_conversation_that_is_not_there_is_missing(store: Store, conversation: str) -> None:
    with pytest.raises(MissingError, match="has no message 99"):
        store.switch(conversation, 99)
    with pytest.raises(MissingError, match="'nothing'"):
        store.tree("nothing")
    with pytest.raises(MissingError, match="has no message 1"):
        store.switch("nothing", 1)


def test_a_conversation_may_be_deeper_than_pythons_stack(store: Store, say: Say) -> None:
    journal = store.journal()
    for number in range(1500):
        journal.begin(Message(Role.USER, str(number)))
    nodes = store.tree(str(journal.conversation_id))
    assert [node.id for node in nodes] == list(range(1, 1501))
    assert store.list(1)[0].messages == 1500


def test_a_title_replaces_the_first_question_until_it_is_taken_away(
    store: Store, conversation: str, clock: Clock
) -> None:
    assert store.list(1)[0].title == "What?"
    updated_at = store.list(1)[0].updated_at
    clock.seconds += 1
    store.set_title(conversation, " A talk\nabout things ")
    assert store.list(1)[0].title == "A talk about things"
    assert store.list(1)[0].updated_at == updated_at
    assert store.search("Why", 1)[0].title == "A talk about things"
    store.set_title(conversation, "")
    assert store.list(1)[0].title == "What?"
    with pytest.raises(MissingError, match="'nothing'"):
        store.set_title("nothing", "x")
