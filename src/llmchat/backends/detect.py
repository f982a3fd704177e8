"""Asks a server which API it speaks; must not remember the answer."""

from __future__ import annotations

from enum import StrEnum

from llmchat.backends.answer import Answer, find, text_at
from llmchat.backends.http import HttpSession
from llmchat.backends.openai import api_base
from llmchat.backends.tgi import info_base
from llmchat.errors import LLMChatError


class Api(StrEnum):
    """The protocols that llmchat speaks over HTTP."""

    TGI = "tgi"
    OPENAI = "openai"


def guess(url: str) -> Api:
    """What the URL itself says: OpenAI's where it ends in a version, as /v1; else TGI."""
    return Api.OPENAI if url.startswith(api_base(url)) else Api.TGI


async def detect(session: HttpSession) -> Api:
    """The API of a server: TGI where /info names a model, OpenAI's where /v1/models lists some.

    TGI also lists models, so it is asked first; a URL that ends in /v1 asks for OpenAI's. Some proxies
    let only the generating route through: where neither route exists the URL itself decides, and what
    it then answers says the rest. Raises DeniedError for a 401 or 403, and what every request may.
    """
    url = session.endpoint.url
    if guess(url) is Api.TGI:
        answer = await session.ask("GET", f"{info_base(url)}/info", patient=True)
        if text_at(_read(session, answer), "model_id"):
            return Api.TGI
    answer = await session.ask("GET", f"{api_base(url)}/models", patient=True)
    if isinstance(find(_read(session, answer), "data"), list):
        return Api.OPENAI
    return guess(url)


def _read(session: HttpSession, answer: Answer) -> object:
    """The JSON of an answer; None where it holds none. Raises DeniedError."""
    if answer.status in (401, 403):
        session.checked(answer)
    try:
        return answer.json() if answer.status == 200 else None
    except LLMChatError:
        return None
