"""What is asked of a model and what comes back: settings, requests, the events of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType

from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Message
from llmchat.errors import UsageError

DEFAULT_MAX_TOKENS = 1024
"""Tokens of a reply where nobody said: what the course asks for."""


@dataclass(frozen=True, slots=True)
class Range:
    """The finite numbers a setting may have; `above` leaves out the lower bound itself."""

    low: float
    high: float
    above: bool = False

    def __contains__(self, value: float) -> bool:
        return value <= self.high and (value > self.low if self.above else value >= self.low)

    def __str__(self) -> str:
        low, high = f"{self.low:.10g}", f"{self.high:.10g}"
        return f"above {low}, at most {high}" if self.above else f"{low} to {high}"


RANGES: Mapping[str, Range] = MappingProxyType(
    {
        "temperature": Range(0, 2),
        "top_p": Range(0, 1, above=True),
        "top_k": Range(1, 1_000_000),
        "max_tokens": Range(1, 10_000_000),
        "seed": Range(0, 2**32 - 2),  # llama.cpp takes 2**32 - 1 for "random"
        "repetition_penalty": Range(0, 10, above=True),
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to generate. `None` is the backend's own default, `()` no stop texts.

    temperature 0 means greedy on every backend, above 0 sampling on every backend.
    Raises UsageError where a number is out of its range.
    """

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    repetition_penalty: float | None = None

    def __post_init__(self) -> None:
        for name, allowed in RANGES.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                shown = f"{name.replace('_', '-')} {value:.10g}"
                raise UsageError(f"{shown} is out of range", hint=f"it takes {allowed}")
        if "" in self.stop:
            raise UsageError("a stop text cannot be empty", hint="give the text that ends a reply")

    def over(self, defaults: Settings) -> Settings:
        """These settings, with what they leave open filled from `defaults`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(defaults, **{name: value for name, value in values.items() if value not in (None, ())})


@dataclass(frozen=True, slots=True)
class Request:
    """One generation. `raw` sends the text of the only message exactly as it is: completion, no roles.

    With `continues` the last message is an unfinished answer, and the reply is what comes after its text.
    `chosen` is what the person set themselves among the settings: a backend may do without the rest.
    """

    messages: tuple[Message, ...]
    settings: Settings
    raw: bool = False
    stream: bool = True
    continues: bool = False
    constraint: Constraint | None = None  # what the reply has to be
    chosen: Settings = Settings()


class FinishReason(StrEnum):
    """Why a model stopped by itself."""

    STOP = "stop"  # its natural end, or a stop text
    LENGTH = "length"
    FILTER = "content_filter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the server counted them; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What is happening while no text comes yet: a stage in words, and how far it is where that is known."""

    stage: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the person should be told, in a sentence; `once` in a session is enough for some."""

    text: str
    once: bool = False


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what the model thinks before it replies; no part of the reply, and not kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the reply's text, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a reply."""

    reason: FinishReason
    usage: Usage = Usage()


Event = Progress | Notice | Thought | Token | Finish
"""All that a stream can yield. Errors are exceptions, never events."""


class NoticesSaid:
    """What the person was told already, so that a notice that is worth saying once is said once."""

    def __init__(self) -> None:
        self._said: set[Notice] = set()

    def is_news(self, event: Event) -> bool:
        """Whether the person has to be told: not of what is said once, and was."""
        if not isinstance(event, Notice):
            return True
        known = event.once and event in self._said
        self._said.add(event)
        return not known
