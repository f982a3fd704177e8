"""The branches of a conversation as lines."""

from __future__ import annotations

from llmchat.core.conversation import Role, Status
from llmchat.store import Node
from llmchat.transcripts.tree import tree_lines


def node(key: int, parent: int | None, line: str, *, current: bool = True) -> Node:
    role = Role.USER if line.endswith("?") else Role.ASSISTANT
    return Node(key, parent, role, Status.COMPLETE, line, current)


def test_a_talk_without_branches_is_a_column() -> None:
    nodes = [node(1, None, "one?"), node(2, 1, "One."), node(3, 2, "two?")]
    assert list(tree_lines(nodes)) == [
        "*     1 You: one?",
        "*     2 Assistant: One.",
        "*     3 You: two?",
    ]


def test_siblings_stand_further_in_than_what_they_follow() -> None:
    nodes = [
        node(1, None, "one?"),
        node(2, 1, "Uno.", current=False),
        node(4, 2, "two?", current=False),
        node(3, 1, "One."),
    ]
    assert list(tree_lines(nodes)) == [
        "*     1 You: one?",
        "      2   Assistant: Uno.",
        "      4   You: two?",
        "*     3   Assistant: One.",
    ]


def test_a_long_or_hostile_line_stays_one_harmless_line() -> None:
    (line,) = tree_lines([node(1, None, "\x1b[2J" + "x" * 100 + "?")])
    assert "\x1b" not in line
    assert len(line) < 80
