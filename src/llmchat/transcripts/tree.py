"""The branches of a conversation (/tree) as lines of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from llmchat.core.conversation import Status
from llmchat.sanitize import sanitize_line
from llmchat.store import Node
from llmchat.transcripts.headings import SPEAKERS

_DEEPEST = 8
_SHOWN = 50


def tree_lines(nodes: Sequence[Node]) -> Iterator[str]:
    """A line for each message: a star on the current branch, its number, who spoke, its first line.

    A message is indented below its parent only if the parent has several children: a conversation without
    branches is not indented. The nodes are in the order of `Store.tree`.
    """
    children = Counter(node.parent for node in nodes)
    levels: dict[int | None, int] = {None: 0}
    for node in nodes:
        level = levels.get(node.parent, 0) + (1 if children[node.parent] > 1 else 0)
        levels[node.id] = level
        mark = "*" if node.current else " "
        about = "" if node.status is Status.COMPLETE else f" ({node.status})"
        inset = "  " * min(level, _DEEPEST)
        line = sanitize_line(node.line)
        shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
        yield f"{mark} {node.id:>5} {inset}{SPEAKERS[node.role]}: {shown}{about}".rstrip()
