"""The branches of a conversation: lists the tree of messages, and switches the current branch."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from llmchat.core.conversation import Role, Status
from llmchat.errors import MissingError
from llmchat.store.conversations import first_line, write_head
from llmchat.store.messages import BRANCH, FULL_TEXT, read_status, unreadable

_NODES = f"""SELECT id, parent, role, status, substr({FULL_TEXT}, 1, 1000)
    FROM messages WHERE conversation_id = ? ORDER BY id"""  # noqa: S608 - our own constant

_NEWEST_BELOW = """WITH RECURSIVE below (id) AS (
    SELECT id FROM messages WHERE id = ? AND conversation_id = ?
    UNION ALL
    SELECT messages.id FROM messages JOIN below ON parent = below.id
) SELECT max(id) FROM below"""


@dataclass(frozen=True, slots=True)
class Node:
    """A message in the tree of its conversation."""

    id: int
    parent: int | None
    role: Role
    status: Status
    line: str  # the first line of its text; foreign
    current: bool  # on the current branch


def read_tree(connection: sqlite3.Connection, conversation_id: str) -> tuple[Node, ...]:
    """Every message in tree order, siblings oldest first. Raises StorageError."""
    branch = connection.execute(f"{BRANCH} SELECT id FROM branch", (conversation_id,))  # noqa: S608 - our own
    current = {key for (key,) in branch}
    rows = connection.execute(_NODES, (conversation_id,)).fetchall()
    return tuple(_downwards(_node(*row, current=row[0] in current) for row in rows))


def switch_branch(connection: sqlite3.Connection, conversation_id: str, message: int, now: float) -> None:
    """As `Store.switch`."""
    (head,) = connection.execute(_NEWEST_BELOW, (message, conversation_id)).fetchone()
    if head is None:
        raise MissingError(
            f"conversation {conversation_id} has no message {message}", hint="/tree shows its messages"
        )
    write_head(connection, conversation_id, head, now)


def _node(key: int, parent: int | None, role: str, status: str, text: str, *, current: bool) -> Node:
    try:
        return Node(key, parent, Role(role), read_status(status), first_line(text), current)
    except ValueError as error:
        raise unreadable(key, error) from error


def _downwards(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes in tree order. Not recursive: a conversation can be deeper than Python's stack."""
    children: dict[int | None, list[Node]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node)
    waiting = children.get(None, [])[::-1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += children.get(node.id, [])[::-1]
