"""What is asked of a model and what comes back: settings, request, stream events, the backend protocol."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from llmchat.core.constraint import Constraint
from llmchat.core.conversation import Message
from llmchat.core.prompt_format import PromptFormat
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


async def no_events() -> AsyncGenerator[Event, None]:
    """A stream in which nothing happens."""
    nothing: tuple[Event, ...] = ()
    for event in nothing:
        yield event


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens a model can take: prompt and reply together, and the prompt alone if bounded apart."""

    context: int
    prompt: int | None = None
    assumed: bool = False  # nobody said: this is a guess


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a prompt, and whether that is the model's own count or an estimate."""

    tokens: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens" if self.exact else f"about {self.tokens:,} tokens"


def estimate_tokens(text: str) -> TokenCount:
    """A cautious guess where no tokenizer can be asked: three UTF-8 bytes a token."""
    return TokenCount(-(-len(text.encode("utf-8", "surrogatepass")) // 3), exact=False)


class Backend(Protocol):
    """Something that generates: the one plug point of llmchat.

    A stream ends with exactly one `Finish` or with an exception of llmchat.errors; closing it stops
    the generation at its source. Nothing is connected, started or imported before it is needed.
    """

    @property
    def name(self) -> str:
        """Which backend this is: tgi, openai, local, echo, canned."""

    @property
    def model(self) -> str:
        """The model's name as far as it is known; foreign text."""

    @property
    def prompt_format(self) -> PromptFormat | None:
        """The raw-text format that renders its prompts; None where messages are sent as they are."""

    @property
    def defaults(self) -> Settings:
        """What the model's card recommends, standing until the person sets something else."""

    @property
    def system(self) -> str | None:
        """The system message of the model's card; None where it has none of its own."""

    def prepare(self) -> AsyncGenerator[Event, None]:
        """Imports, starts and asks what the first request needs, and tells meanwhile what is going on.

        Costs nothing once it was run to its end. Raises what a request would raise.
        """

    def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates. Connects inside the iteration, so that connecting fails there too."""

    async def render(self, request: Request) -> str:
        """Exactly the prompt that would be sent: text, or messages as JSON. Asks no remote server."""

    async def count(self, request: Request) -> TokenCount:
        """Tokens of the prompt of this request, by the model's own tokenizer where it can be asked."""

    async def limits(self) -> Limits:
        """What the model can take; asked once."""

    async def can_continue(self) -> bool:
        """Whether it can go on with an unfinished answer: see `Request.continues`."""

    async def check_constraint(self, constraint: Constraint, *, raw: bool) -> None:
        """Raises UsageError where it cannot hold an answer, or a `raw` completion, to this."""

    async def aclose(self) -> None:
        """Frees connections and processes. May be called twice."""
