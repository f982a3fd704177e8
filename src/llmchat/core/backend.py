"""The protocols Backend, a connected model, and Connection, the way to one; and ModelInfo."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmchat.core.attempts import Recovery
from llmchat.core.generation import Event, Request, Settings
from llmchat.core.prompt_format import PromptFormat


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a model in tokens: the context window, and the prompt alone if that is limited."""

    context: int
    prompt: int | None = None
    assumed: bool = False  # the server does not report it


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of a prompt, and whether that is the model's own count or an estimate."""

    tokens: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.tokens:,} tokens" if self.exact else f"about {self.tokens:,} tokens"


def estimate_tokens(text: str) -> TokenCount:
    """A cautious estimate without a tokenizer: one token per three UTF-8 bytes."""
    return TokenCount(-(-len(text.encode("utf-8", "surrogatepass")) // 3), exact=False)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known about a model. Its name is foreign text, "" if unknown.

    `prompt_format` renders its prompts as raw text; None if messages are sent as they are. `defaults` and
    `system` are recommended by the model's card, and used unless the person sets something else.
    """

    backend: str  # tgi, openai, local, echo or canned
    model: str = ""
    limits: Limits | None = None  # None while the model has not been asked
    prompt_format: PromptFormat | None = None
    defaults: Settings = Settings()
    system: str | None = None


class Backend(Protocol):
    """A connected model. Methods raise only errors of llmchat.errors.

    A stream is one attempt: it sends once, and ends with exactly one `Finish` or with an exception. Closing
    it stops the generation on the server. `core.attempts` makes retries.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known about the model now."""

    def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates a reply. Sends when the iteration starts, so errors of sending are raised there."""

    async def render(self, request: Request) -> str:
        """The exact prompt that would be sent: text, or messages as JSON.

        Raises UsageError if the server does not support the request's constraint.
        """

    async def count(self, request: Request) -> TokenCount:
        """Tokens of this request's prompt, by the model's own tokenizer if possible."""

    async def can_continue(self) -> bool:
        """True if it can continue an unfinished answer: see `Request.continues`."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The last event of connecting, with the model."""

    backend: Backend


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: a request, and the model to send it to."""

    backend: Backend
    request: Request


class Connection(Protocol):
    """The way to a model: detects the API of a server, starts an engine, or does neither.

    Connects, starts and imports nothing before `connect` is iterated.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known so far, maybe only from the configuration."""

    def connect(self) -> AsyncGenerator[Event | Connected, None]:
        """Connects; yields progress, and finally the model. Does nothing if it is connected already.

        A server that does not report about itself is connected anyway: the request for a reply gets the
        right error. Raises what a request would raise.
        """

    def recoveries(self) -> Sequence[Recovery[Attempt]]:
        """New recoveries for the attempts of one reply, in the order to try them."""

    @property
    def unasked(self) -> Backend | None:
        """The model according to the configuration, without asking a server; None if it must be asked."""

    @property
    def is_guess(self) -> bool:
        """True if the API was never detected, neither in this run nor in an earlier one."""

    async def aclose(self) -> None:
        """Closes connections and processes. May be called twice."""


async def connected(connection: Connection) -> Backend:
    """Connects without showing progress, and returns the model."""
    async for event in connection.connect():
        if isinstance(event, Connected):
            return event.backend
    raise AssertionError("connecting ends with a model or an error")
