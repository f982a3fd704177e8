"""Finds out which API a server speaks, by asking it; must not remember the answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, runtime_checkable

from llmchat.backends.openai.backend import api_base
from llmchat.core.generation import Backend


class Api(StrEnum):
    """The protocols that llmchat speaks over HTTP."""

    TGI = "tgi"
    OPENAI = "openai"


@runtime_checkable
class HttpBackend(Backend, Protocol):
    """A backend that can tell whether the server speaks as it does."""

    async def recognises(self) -> bool:
        """Asks the server what it is, unless it has said. Raises what a request may."""

    async def about(self) -> object:
        """The JSON that the server tells about itself, asked now. Raises what any other answer means."""


def guess(url: str) -> Api:
    """What the URL itself says: OpenAI's where it ends in a version, as /v1; else TGI."""
    return Api.OPENAI if url.startswith(api_base(url)) else Api.TGI


def apis_of(url: str) -> list[Api]:
    """Those that may be spoken there, the likelier one first."""
    return [Api.OPENAI] if guess(url) is Api.OPENAI else [Api.TGI, Api.OPENAI]


async def detect(
    url: str, speakers: Mapping[Api, HttpBackend], *, remembered: Api | None = None
) -> Api | None:
    """The API of a server: TGI where /info names a model, OpenAI's where /v1/models lists some.

    TGI also lists models, so it is asked first, unless another answer is remembered; a URL that ends in
    /v1 asks for OpenAI's. None where neither route says anything: some proxies let only the generating
    one through. Raises DeniedError for a 401 or 403, and what every request may.
    """
    candidates = apis_of(url)
    if remembered in candidates:
        candidates.sort(key=lambda api: api is not remembered)
    for api in candidates:
        if await speakers[api].recognises():
            return api
    return None
