"""Maps what goes wrong between a server and us to llmchat's errors, for every HTTP backend; does no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from llmchat.backends.http.answer import Answer, find, number_at, text_at
from llmchat.errors import (
    BrokenReply,
    ConfigError,
    ContextOverflow,
    DeniedError,
    InputError,
    LLMChatError,
    TryLaterError,
    UnavailableError,
)
from llmchat.scrub import scrub

BUSY_STATUSES = frozenset({429, 502, 503, 504})
"""Statuses of a server that may answer when it is asked again."""
_LONGEST_SAID = 64 << 10
"""Characters of a server's words that are looked at."""

# As TGI, vLLM, OpenAI and llama.cpp say it.
_LIMIT = re.compile(r"(?:must be <= |maximum context length (?:is|of) |context size \()(\d{1,9})")
_PROMPT_LIMIT = re.compile(r"must have less than (\d{1,9}) tokens")
_PROMPT_TOKENS = re.compile(
    r"Given: (\d{1,9})|(\d{1,9}) (?:tokens )?(?:in|from) the (?:messages|prompt|input)|(\d{1,9}) input tokens"
)
_OVERFLOW = re.compile(
    r"context[ _]?(?:length|size|window)|exceed_context|`inputs` tokens \+|must have less than \d+ tokens"
    r"|(?:prompt|inputs?|messages|request)\b.{0,40}\btoo (?:long|many tokens)|too many (?:input )?tokens",
    re.IGNORECASE,
)


class Unreached(UnavailableError):  # noqa: N818 - what happened, as the rest of the error tree
    """No server answered; one may if it is asked again."""


class NotThere(ConfigError):  # noqa: N818 - what happened
    """404, 405: the server has nothing at this URL, or not under this name."""


class WrongProtocol(BrokenReply):
    """A stream of events that are not of the API that was asked."""


class ClosedEarly(Unreached):
    """The server closed the connection before it answered.

    An `aged` one was used before, and may just have been idle for longer than the server keeps it.
    """

    aged = False


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds a server asks to wait, and whether it only guesses."""

    seconds: float
    guess: bool = False


class ServerDown(UnavailableError):  # noqa: N818 - what happened
    """502, 503, 504: starting, loading a model, or behind a gateway that cannot reach it.

    `starting` is a 503, `loading` one that says that it is about a model.
    """

    delay: Delay | None = None
    starting = False
    loading = False


class ServerBusy(TryLaterError):  # noqa: N818 - what happened
    """429, or overloaded."""

    delay: Delay | None = None


NOT_TOLD = (ServerDown, ServerBusy, DeniedError)
"""Why a server tells nothing of itself: left to the request for a reply, which has the right error."""


def quote(text: str, *, key: str | None, limit: int = 200) -> str:
    """A server's words on one line, without our key, which some servers echo, and not too many of them."""
    words = " ".join(scrub(text[:_LONGEST_SAID], [key] if key else []).split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def error_text(payload: object) -> str:
    """The server's own words in a JSON error: `error`, `error.message`, `message` or `detail`; else "".

    FastAPI's `detail`, which Mistral has below `message`, says apart which field it is about.
    """
    places = (("error",), ("error", "message"), ("message",), ("detail",))
    if said := next((text for place in places if (text := text_at(payload, *place))), ""):
        field = text_at(payload, "error", "param")
        return said if field in said else f"{field}: {said}"
    for place in (("detail", 0), ("message", "detail", 0)):
        if said := text_at(payload, *place, "msg"):
            where = find(payload, *place, "loc")
            field = ".".join(map(str, where if isinstance(where, list) else ()))
            return f"{field}: {said}" if field else said
    return ""


def error_kind(payload: object) -> str:
    """What a server calls its error: TGI's `error_type`, OpenAI's `error.type` and `error.code`."""
    places = (("error_type",), ("error", "type"), ("error", "code"), ("type",))
    return " ".join(text for place in places if (text := text_at(payload, *place)))


def refusal(
    answer: Answer, *, key: str | None, key_from: str = "", now: Callable[[], datetime]
) -> LLMChatError:
    """The error of an answer whose status is not 200 (contract: exit codes)."""
    try:
        payload: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        payload = None
    said = quote(error_text(payload), key=key, limit=500)
    if (
        not said
        and payload is None
        and "html" not in answer.content_type
        and not answer.body.lstrip().startswith("<")
    ):
        said = quote(answer.body, key=key)
    if 300 <= answer.status < 400:
        return _redirected(answer, key)
    with_key = (key_from or "the request") if key else None
    error = by_status(answer.status, said, server=answer.server, payload=payload, key_from=with_key)
    if isinstance(error, ServerDown | ServerBusy):
        error.delay = _delay(answer.retry_after, payload, now)
    return error


def by_status(
    status: int, said: str, *, server: str, payload: object = None, key_from: str | None = None
) -> LLMChatError:
    """The error of this HTTP status, also where it came inside a stream.

    `said` are the server's words, already quoted; `payload` is the JSON that they are from; `key_from` names
    what the key came from, if one was sent.
    """
    tail = f": {said}" if said else ""
    told = f"{server} answered {status}{tail}"
    match status:
        case 400 | 413 | 422:
            return rejected(said or f"status {status}", kind=error_kind(payload), payload=payload)
        case 401 | 403:
            hint = "set LLMCHAT_API_KEY and LLMCHAT_URL together, or a profile with this URL and its key"
            if key_from:
                hint = f"check the key in {key_from}, and LLMCHAT_AUTH (bearer or basic)"
            return DeniedError(f"{server} denied access ({status}){tail}", hint=hint)
        case 402:
            return DeniedError(told, hint="the account behind the key cannot pay for this")
        case 404 | 405:
            return NotThere(told, hint="check the URL, the model name and --api")
        case 408:
            return TryLaterError(told, hint="ask again")
        case 429:
            return ServerBusy(
                f"{server} is busy or limits the rate{tail}", hint="wait a little, then ask again"
            )
        case 502 | 503 | 504:
            down = ServerDown(
                f"{server} is not ready ({status}){tail}", hint="it may be starting: ask again soon"
            )
            down.starting = status == 503
            down.loading = down.starting and "loading" in said.lower()
            return down
        case _ if status == 424 or status >= 500:
            return UnavailableError(told, hint="the fault is on the server: look at its log, or ask again")
        case _ if status >= 400:
            return InputError(told, hint="the server does not accept such a request")
    return BrokenReply(told, hint="is this the address of a language model?")


def rejected(said: str, *, kind: str = "", payload: object = None) -> InputError:
    """The server read the request and refuses it: ContextOverflow where it says the prompt is too long.

    llama.cpp puts its numbers beside its words, in the `payload`.
    """
    message = f"the server rejected the request: {said}"
    if not (_OVERFLOW.search(said) or _OVERFLOW.search(kind)):
        return InputError(message, hint="change what the server names, then ask again")
    prompt_limit = _number(_PROMPT_LIMIT, said)
    limit = number_at(payload, "error", "n_ctx") or _number(_LIMIT, said)
    tokens = number_at(payload, "error", "n_prompt_tokens") or _number(_PROMPT_TOKENS, said)
    if limit and tokens and str(limit) not in said:
        message += f" ({tokens} tokens, and it takes {limit})"
    return ContextOverflow(
        message,
        hint="shorten the question, or ask for fewer tokens with --max-tokens",
        limit=limit,
        prompt_limit=prompt_limit - 1 if prompt_limit else None,
        prompt_tokens=tokens,
    )


def _number(pattern: re.Pattern[str], said: str) -> int | None:
    """The number that this pattern finds in a server's words."""
    found = pattern.search(said)
    return int(next(filter(None, found.groups()))) if found else None


def _redirected(answer: Answer, key: str | None) -> ConfigError:
    try:
        host = urlsplit(answer.location or "").netloc.rpartition("@")[2] or "the same host"
    except ValueError:
        host = "an address that cannot be read"
    return ConfigError(
        f"{answer.server} redirects to {quote(host, key=key)} ({answer.status}); redirects are not followed",
        hint="if you trust that address, give it as the URL",
    )


def _delay(retry_after: str | None, payload: object, now: Callable[[], datetime]) -> Delay | None:
    """Retry-After, seconds or a date (RFC 9110, 10.2.3), else the `estimated_time` of a loading model."""
    header = (retry_after or "").strip()
    if header.isascii() and header.isdecimal():
        return Delay(float(header[:9]))
    if header:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        return Delay(max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - now()).total_seconds()))
    estimate = find(payload, "estimated_time")
    if isinstance(estimate, int | float) and estimate >= 0:
        return Delay(float(estimate), guess=True)
    return None
