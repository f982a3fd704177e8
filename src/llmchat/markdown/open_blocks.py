"""The blocks that are open while lines are parsed, and the events of opening and closing them."""

from __future__ import annotations

from dataclasses import replace

from llmchat.markdown.structure import (
    Close,
    Container,
    Enter,
    Event,
    Item,
    Leaf,
    Leave,
    ListOf,
    Open,
    Paragraph,
    Quote,
    Text,
)


class OpenBlocks:
    """The open containers, outermost first, the open leaf, and a held-back line; `events` collects changes.

    A line that `ends` is complete, or the last part of an overlong one.
    """

    def __init__(self, stack: list[Container], leaf: Leaf | None, held: str | None, *, ends: bool) -> None:
        self.stack = stack
        self.leaf = leaf
        self.held = held
        self.ends = ends
        self.events: list[Event] = []

    def text(self, line: str, *, begins: bool = True) -> None:
        """Adds text to the open leaf."""
        if not isinstance(self.leaf, Paragraph):
            self.events.append(Text(line, begins, self.ends))
            return
        if begins:
            line = line.lstrip(" \t")
        if self.ends:
            line = line.rstrip(" \t")
        self._release()
        if begins and self.ends and "|" in line:
            self.held = line
        else:
            self._begin_paragraph()
            self.events.append(Text(line, begins, self.ends))

    def unwind(self, depth: int) -> None:
        """Closes the leaf, and all containers except the outermost `depth`."""
        self.close_leaf()
        while len(self.stack) > depth:
            self.stack.pop()
            self.events.append(Leave())

    def _release(self) -> None:
        if self.held is not None:
            self._begin_paragraph()
            self.events.append(Text(self.held))
            self.held = None

    def _begin_paragraph(self) -> None:
        if self.leaf != Paragraph(begun=True):
            self.leaf = Paragraph(begun=True)
            self.events.append(Open(self.leaf))

    def close_leaf(self) -> None:
        if self.leaf is not None:
            self._release()
            self.events.append(Close())
            self.leaf = None

    def open(self, leaf: Leaf, matched: int) -> None:
        self.unwind(matched)
        self._leave_list()
        self._fill()
        self.leaf = leaf
        if not isinstance(leaf, Paragraph):  # opened by its first text, as it may become a table
            self.events.append(Open(leaf))

    def enter(self, container: Quote | Item, matched: int) -> None:
        """Opens a container. A list contains only items."""
        self.unwind(matched)
        wanted = ListOf(container.marker.kind) if isinstance(container, Item) else None
        if self.stack[-1:] != [wanted]:
            self._leave_list()
            if wanted is not None:
                self._push(wanted)
        self._push(container)

    def _push(self, container: Container) -> None:
        self._fill()
        self.stack.append(container)
        self.events.append(Enter(container))

    def _leave_list(self) -> None:
        if self.stack and isinstance(self.stack[-1], ListOf):
            self.unwind(len(self.stack) - 1)

    def _fill(self) -> None:
        if self.stack and isinstance(item := self.stack[-1], Item):
            self.stack[-1] = replace(item, filled=True)
