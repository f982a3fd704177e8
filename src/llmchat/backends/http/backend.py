"""The protocol that an HTTP API implements, and the options that it is opened with."""

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
    """The options of a backend: the server, the model's name, the format of raw-text prompts."""

    client: HttpClient
    probe: ServerProbe
    prompt_format: PromptFormat
    model: str | None = None


class HttpBackend(Backend, Protocol):
    """A backend for one HTTP API. Sends nothing before `learn`; its `stream` sends once."""

    async def learn(self) -> None:
        """Asks the server for its model and limits, unless known. Raises what a request raises."""

    @property
    def is_recognised(self) -> bool:
        """True if the server's answer shows that it has this API."""

    @property
    def has_answered(self) -> bool:
        """True if the server has answered a request in this API."""

    def notices(self) -> list[Notice]:
        """Notices about the server, once it was asked."""

    async def about(self) -> object:
        """The server's JSON about itself, requested now. Raises the error of any other response."""

    def leave_out(self, request: Request, error: InputError) -> bool:
        """True if the error is about a field that the person did not set: it is left out from now on."""
