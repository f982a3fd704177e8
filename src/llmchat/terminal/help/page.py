"""What a topic is made of, whatever it is shown as. Holds no text of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Terms, each with what it means."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are to stay as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """The beginning of a part."""

    text: str


Block = Text | Rows | Lines | Heading


@dataclass(frozen=True, slots=True)
class Page:
    """All about one topic."""

    name: str
    about: str  # in a line
    blocks: tuple[Block, ...]
