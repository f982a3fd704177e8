"""What Markdown is made of, as values: containers, leaves, the events of reading them; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from llmchat.markdown.inline import language_in
from llmchat.markdown.syntax import Align, Fence, Marker


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quote."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list; its items share the kind of their markers."""

    kind: str


@dataclass(frozen=True, slots=True)
class Item:
    """A list item. Its content is indented by `indent` columns; it is `filled` once it has any."""

    marker: Marker
    indent: int
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. Some of it may be held back; `begun` once any was given out."""

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
    """A code block: fenced, or indented where it has no fence. Blank lines wait for code to follow them."""

    fence: Fence | None = None
    blanks: int = 0

    @property
    def language(self) -> str:
        """What the fence names, in lower case; empty where it names nothing."""
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
    """A container begins inside those that are open."""

    container: Container


@dataclass(frozen=True, slots=True)
class Leave:
    """The innermost container ends."""


@dataclass(frozen=True, slots=True)
class Open:
    """A leaf begins in the innermost container."""

    leaf: Leaf


@dataclass(frozen=True, slots=True)
class Text:
    """A line of the open leaf, or a part of one: an overlong line comes in several."""

    text: str
    begins: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Close:
    """The open leaf ends."""


Event = Enter | Leave | Open | Text | Close
