"""A server and how it is reached, as values; must not connect to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from llmchat.core.backend import Limits

ASSUMED_CONTEXT = 2048
"""Tokens of prompt and reply that every model takes."""


class Auth(StrEnum):
    """The scheme of the Authorization header that carries the key."""

    BEARER = "bearer"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines in seconds; there is none on a whole reply. `wait` bounds the waiting between tries."""

    connect: float = 10
    header: float = 120
    first_token: float = 120
    idle: float = 60
    wait: float = 120


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and how it is reached. `unix_socket` replaces the host and port of the URL."""

    url: str
    key: str | None = field(default=None, repr=False)
    read_key: Callable[[], Awaitable[str]] | None = None  # before the first request, in place of `key`
    key_from: str = ""  # the name of what it came from
    auth: Auth = Auth.BEARER
    timeouts: Timeouts = Timeouts()
    unix_socket: Path | None = None
    offline: bool = False  # the person wants no network: whatever would be sent is refused
    ca_file: Path | None = None
    proxy: str | None = field(default=None, repr=False)  # may hold a password
    context: int | None = None  # tokens the person says it takes, where the server says nothing

    @property
    def unsaid(self) -> Limits:
        """What the model can take where the server does not say it."""
        return Limits(self.context) if self.context else Limits(ASSUMED_CONTEXT, assumed=True)

    @property
    def server(self) -> str:
        """The server's name in messages: host and port."""
        if self.unix_socket is not None:
            return "the local engine"
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def authorization(self) -> str | None:
        """The Authorization header: the key as it is, behind its scheme."""
        return f"{self.auth.capitalize()} {self.key}" if self.key else None
