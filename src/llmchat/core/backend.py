"""A connected model, and the way to one: the two plug points of llmchat, and what is known of a model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from llmchat.core.attempts import Recovery
from llmchat.core.generation import Event, Request, Settings
from llmchat.core.prompt_format import PromptFormat


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens a model can take: prompt and reply together, and the prompt alone if bounded apart."""

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
    """A cautious guess where no tokenizer can be asked: three UTF-8 bytes a token."""
    return TokenCount(-(-len(text.encode("utf-8", "surrogatepass")) // 3), exact=False)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model. Its name is foreign text, "" while it is not known.

    `prompt_format` renders its prompts as raw text; None where messages are sent as they are. `defaults` and
    `system` are what the model's card recommends, standing until the person sets something else.
    """

    backend: str  # which API answers: tgi, openai, local, echo, canned
    model: str = ""
    limits: Limits | None = None  # None while the model has not been asked
    prompt_format: PromptFormat | None = None
    defaults: Settings = Settings()
    system: str | None = None


class Backend(Protocol):
    """A connected model. Every method raises errors of llmchat.errors only.

    A stream is one attempt: it sends once, and ends with exactly one `Finish` or with an exception; closing
    it stops the generation at its source. Second attempts are made by `core.attempts`.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known of the model now."""

    def stream(self, request: Request) -> AsyncGenerator[Event, None]:
        """Generates. Sends inside the iteration, so that sending fails there too."""

    async def render(self, request: Request) -> str:
        """Exactly the prompt that would be sent: text, or messages as JSON.

        Raises UsageError where the model cannot be held to the request's constraint.
        """

    async def count(self, request: Request) -> TokenCount:
        """Tokens of the prompt of this request, by the model's own tokenizer where it can be asked."""

    async def can_continue(self) -> bool:
        """Whether it can go on with an unfinished answer: see `Request.continues`."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The last thing that connecting yields."""

    backend: Backend


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: what is sent, and to which model."""

    backend: Backend
    request: Request


class Connection(Protocol):
    """The way to a model: a server that is asked what it is, an engine that is started, or neither.

    Nothing is connected, started or imported before `connect` is iterated.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known so far, if only from the configuration."""

    def connect(self) -> AsyncGenerator[Event | Connected, None]:
        """Tells what is going on, and at last gives the model. Costs nothing while it is connected.

        A server that only fails to tell about itself is connected all the same: the request for a reply gets
        the right error. Raises what a request would raise.
        """

    def recoveries(self) -> Sequence[Recovery[Attempt]]:
        """How a failed attempt may be made again, in the order they are tried; new ones each time."""

    @property
    def unasked(self) -> Backend | None:
        """What answers as far as the configuration says, without asking a server; None where it must be."""

    @property
    def is_guess(self) -> bool:
        """Whether it was never asked which API it speaks, in this run or an earlier one."""

    async def aclose(self) -> None:
        """Frees connections and processes. May be called twice."""


async def connected(connection: Connection) -> Backend:
    """The model, with nothing told meanwhile."""
    async for event in connection.connect():
        if isinstance(event, Connected):
            return event.backend
    raise AssertionError("connecting ends with a model or an error")
