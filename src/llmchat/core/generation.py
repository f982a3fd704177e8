"""Settings, requests, and the events of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType

from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Message
from llmchat.errors import UsageError

DEFAULT_MAX_TOKENS = 1024
"""The default length of a reply in tokens, from the course."""


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a setting's values; `above` excludes the lower bound."""

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
        "seed": Range(0, 2**32 - 2),  # 2**32 - 1 means "random" for llama.cpp
        "repetition_penalty": Range(0, 10, above=True),
    }
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The sampling settings. `None` is the backend's own default, `()` no stop texts.

    On every backend temperature 0 is greedy, and above 0 samples. Raises UsageError for a number out of
    range.
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
        """These settings, with missing values from `defaults`."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(defaults, **{name: value for name, value in values.items() if value not in (None, ())})


@dataclass(frozen=True, slots=True)
class Request:
    """A request for one reply. `raw` sends the text of the only message exactly as it is, as a completion.

    With `continues` the last message is an unfinished answer, and the reply continues its text. `chosen`
    are the settings that the person set: a backend may leave out the others.
    """

    messages: tuple[Message, ...]
    settings: Settings
    raw: bool = False
    stream: bool = True
    continues: bool = False
    constraint: Constraint | None = None  # what the reply must match
    chosen: Settings = Settings()


class FinishReason(StrEnum):
    """Why a model stopped."""

    STOP = "stop"  # its natural end, or a stop text
    LENGTH = "length"
    FILTER = "content_filter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as counted by the server; None if it did not report them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What is happening while no text comes yet: a stage in words, and its progress if known."""

    stage: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice for the person, one sentence; with `once`, shown once per session."""

    text: str
    once: bool = False


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of the model's reasoning; not part of the reply, and not saved."""

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
"""All events of a stream. Errors are exceptions, not events."""


class NoticesSaid:
    """Remembers notices, so that those with `once` are shown once per session."""

    def __init__(self) -> None:
        self._said: set[Notice] = set()

    def is_news(self, event: Event) -> bool:
        """True if the notice must be shown: False for a `once` notice that was shown before."""
        if not isinstance(event, Notice):
            return True
        known = event.once and event in self._said
        self._said.add(event)
        return not known
