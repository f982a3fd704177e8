"""A help page as values: headings, paragraphs, rows of terms. Independent of how it is shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HelpText:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class HelpRows:
    """Terms, each with its meaning."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are not wrapped."""

    text: str


@dataclass(frozen=True, slots=True)
class HelpHeading:
    """A heading inside a page."""

    text: str


Block = HelpText | HelpRows | Lines | HelpHeading


@dataclass(frozen=True, slots=True)
class HelpPage:
    """The page of one topic."""

    name: str
    about: str  # in a line
    blocks: tuple[Block, ...]
