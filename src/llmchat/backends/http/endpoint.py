"""A server's address, key, deadlines, proxy and certificates, as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from llmchat.core.backend import Limits

ASSUMED_CONTEXT = 2048
"""A context window in tokens that every model has."""


class Auth(StrEnum):
    """The scheme of the Authorization header that carries the key."""

    BEARER = "bearer"
    BASIC = "basic"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines in seconds; a whole reply has none. `wait` limits the time between retries."""

    connect: float = 10
    header: float = 120
    first_token: float = 120
    idle: float = 60
    wait: float = 120


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and how to connect to it. `unix_socket` replaces the host and port of the URL."""

    url: str
    key: str | None = field(default=None, repr=False)
    read_key: Callable[[], Awaitable[str]] | None = None  # run before the first request, in place of `key`
    key_from: str = ""  # where the key came from
    auth: Auth = Auth.BEARER
    timeouts: Timeouts = Timeouts()
    unix_socket: Path | None = None
    offline: bool = False  # --offline: every request is refused
    ca_file: Path | None = None
    proxy: str | None = field(default=None, repr=False)  # may contain a password
    context: int | None = None  # LLMCHAT_CONTEXT, used if the server does not report its context window

    @property
    def unsaid(self) -> Limits:
        """The limits to assume if the server does not report its context window."""
        return Limits(self.context) if self.context else Limits(ASSUMED_CONTEXT, assumed=True)

    @property
    def server(self) -> str:
        """The server's name in messages: host and port."""
        if self.unix_socket is not None:
            return "the local engine"
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def authorization(self) -> str | None:
        """The Authorization header: the scheme and the key."""
        return f"{self.auth.capitalize()} {self.key}" if self.key else None
