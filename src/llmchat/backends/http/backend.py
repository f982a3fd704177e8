"""What an HTTP API implements, and what it is opened with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from llmchat.backends.http.client import HttpClient
from llmchat.backends.http.probe import ServerProbe
from llmchat.core.backend import Backend
from llmchat.core.generation import Notice, Request
from llmchat.core.prompt_format import PromptFormat
from llmchat.errors import InputError


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What a backend is opened with: a server, the model to ask for, the format of raw-text prompts."""

    client: HttpClient
    probe: ServerProbe
    prompt_format: PromptFormat
    model: str | None = None


class HttpBackend(Backend, Protocol):
    """A backend of the registry. Nothing is sent before `learn`; its `stream` sends once."""

    async def learn(self) -> None:
        """Asks the server about itself, unless it has told. Raises what a request may."""

    @property
    def is_recognised(self) -> bool:
        """Whether what it told shows that it speaks this API."""

    @property
    def has_answered(self) -> bool:
        """Whether an answer in this API has come."""

    def notices(self) -> list[Notice]:
        """What the person should know about the server once it was asked."""

    async def about(self) -> object:
        """The JSON that the server tells about itself, asked now. Raises what any other answer means."""

    def leave_out(self, request: Request, error: InputError) -> bool:
        """Whether the server refuses something that nobody chose: then it is left out from now on."""
