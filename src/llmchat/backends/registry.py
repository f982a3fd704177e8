"""The table of HTTP APIs: names, and how each is opened. A new API is a folder and one line here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llmchat.backends.http.backend import HttpBackend, ServerOptions

Open = Callable[["ServerOptions"], "HttpBackend"]


@dataclass(frozen=True, slots=True)
class Api:
    """An API: its name in settings, its title in messages, how it is opened, which URLs certainly have it."""

    name: str
    title: str
    open: Open
    claims: Callable[[str], bool] = lambda _: False


def _tgi(options: ServerOptions) -> HttpBackend:
    from llmchat.backends.tgi.backend import TgiBackend

    return TgiBackend(options)


def _openai(options: ServerOptions) -> HttpBackend:
    from llmchat.backends.openai.backend import OpenAIBackend

    return OpenAIBackend(options)


def _has_version(url: str) -> bool:
    from llmchat.backends.openai.backend import api_base

    return url.startswith(api_base(url))


APIS: Sequence[Api] = (
    Api("tgi", "TGI", _tgi),
    Api("openai", "OpenAI's API", _openai, claims=_has_version),
)
"""In the order of detection: TGI also lists models, so it comes before OpenAI."""


def candidates(url: str) -> list[Api]:
    """The possible APIs of this URL, the most likely one first."""
    claimed = [api for api in APIS if api.claims(url)]
    return claimed or list(APIS)


def others(api: Api) -> list[Api]:
    """The possible APIs of a server that does not have this one."""
    return [other for other in APIS if other is not api]


def by_name(name: str | None) -> Api | None:
    """The API with this name."""
    return next((api for api in APIS if api.name == name), None)
