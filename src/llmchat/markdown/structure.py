"""Containers, leaves and parser events of Markdown, as values."""

from __future__ import annotations

from dataclasses import dataclass

from llmchat.markdown.inline import language_in
from llmchat.markdown.syntax import Align, Fence, Marker


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; its items have the same kind of marker."""

    kind: str


@dataclass(frozen=True, slots=True)
class Item:
    """A list item. Its content is indented by `indent` columns; `filled` if it has content."""

    marker: Marker
    indent: int
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph. Some text may be held back; `begun` if any was given out."""

    begun: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with all of its text."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A thematic break."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code block: fenced, or indented if it has no fence. Blank lines wait for following code."""

    fence: Fence | None = None
    blanks: int = 0

    @property
    def language(self) -> str:
        """The language of the fence, in lower case; empty if there is none."""
        return language_in(self.fence.info) if self.fence else ""


@dataclass(frozen=True, slots=True)
class Formula:
    """Display mathematics, up to a line that ends with `closer` or to a blank line."""

    closer: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its first text is the header."""

    columns: tuple[Align, ...]


Container = Quote | ListOf | Item
Leaf = Paragraph | Heading | Rule | Code | Formula | Table


@dataclass(frozen=True, slots=True)
class Enter:
    """A container starts inside the open ones."""

    container: Container


@dataclass(frozen=True, slots=True)
class Leave:
    """The innermost container ends."""


@dataclass(frozen=True, slots=True)
class Open:
    """A leaf starts in the innermost container."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Text:
    """A line of the open leaf, or a part of an overlong line."""

    text: str
    begins: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Close:
    """The open leaf ends."""


Event = Enter | Leave | Open | Text | Close
