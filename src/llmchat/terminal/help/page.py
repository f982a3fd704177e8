"""What a topic is made of, whatever it is shown as. Holds no text of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HelpText:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class HelpRows:
    """Terms, each with what it means."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are to stay as they are."""

    text: str


@dataclass(frozen=True, slots=True)
class HelpHeading:
    """The beginning of a part."""

    text: str


Block = HelpText | HelpRows | Lines | HelpHeading


@dataclass(frozen=True, slots=True)
class HelpPage:
    """All about one topic."""

    name: str
    about: str  # in a line
    blocks: tuple[Block, ...]
