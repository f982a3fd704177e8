"""Maps HTTP statuses and error responses to llmchat's errors. No I/O."""

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
"""Statuses after which a retry can succeed."""
_LONGEST_SAID = 64 << 10
"""Maximum length of a server's error text that is read."""

# The wordings of TGI, vLLM, OpenAI and llama.cpp.
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
    """No response; a retry can succeed."""


class NotThere(ConfigError):  # noqa: N818 - what happened
    """404, 405: unknown URL or model."""


class WrongProtocol(BrokenReply):
    """The events of a stream are not those of the expected API."""


class ClosedEarly(Unreached):
    """The server closed the connection before it responded.

    An `aged` connection was used before, and may have been idle for too long.
    """

    aged = False


@dataclass(frozen=True, slots=True)
class Delay:
    """The delay in seconds that a server asks for, and whether it is only an estimate."""

    seconds: float
    guess: bool = False


class ServerDown(UnavailableError):  # noqa: N818 - what happened
    """502, 503, 504: starting, loading a model, or not reachable for its gateway.

    `starting` is True for a 503, `loading` for a 503 whose text mentions a model.
    """

    delay: Delay | None = None
    starting = False
    loading = False


class ServerBusy(TryLaterError):  # noqa: N818 - what happened
    """429, or overloaded."""

    delay: Delay | None = None


NOT_TOLD = (ServerDown, ServerBusy, DeniedError)
"""Errors of questions about a server that are ignored: the request for a reply raises the right error."""


def quote(text: str, *, key: str | None, limit: int = 200) -> str:
    """A server's text on one line, shortened, and without the key, which some servers echo."""
    words = " ".join(scrub(text[:_LONGEST_SAID], [key] if key else []).split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


def error_text(payload: object) -> str:
    """The text of a JSON error: `error`, `error.message`, `message` or `detail`; else "".

    FastAPI's `detail`, which Mistral has below `message`, has the field's name apart.
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
    """The kind of a JSON error: TGI's `error_type`, OpenAI's `error.type` and `error.code`."""
    places = (("error_type",), ("error", "type"), ("error", "code"), ("type",))
    return " ".join(text for place in places if (text := text_at(payload, *place)))


def refusal(
    answer: Answer, *, key: str | None, key_from: str = "", now: Callable[[], datetime]
) -> LLMChatError:
    """The error of a response whose status is not 200."""
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
    """The error for this HTTP status, which may also come inside a stream.

    `said` is the server's text, already quoted; `payload` is its JSON; `key_from` is where the key came from,
    if one was sent.
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
            return DeniedError(told, hint="the account of this key has no credit for this")
        case 404 | 405:
            return NotThere(told, hint="check the URL, the model name and --api")
        case 408:
            return TryLaterError(told, hint="ask again")
        case 429:
            return ServerBusy(
                f"{server} is busy, or a rate limit is reached{tail}", hint="wait a little, then ask again"
            )
        case 502 | 503 | 504:
            down = ServerDown(
                f"{server} is not ready ({status}){tail}", hint="it may be starting: ask again soon"
            )
            down.starting = status == 503
            down.loading = down.starting and "loading" in said.lower()
            return down
        case _ if status == 424 or status >= 500:
            return UnavailableError(told, hint="the error is on the server: check its log, or ask again")
        case _ if status >= 400:
            return InputError(told, hint="the server does not accept this request")
    return BrokenReply(told, hint="is this the address of a language model?")


def rejected(said: str, *, kind: str = "", payload: object = None) -> InputError:
    """The error for a request that the server rejects: ContextOverflow if the prompt is too long.

    llama.cpp has the numbers in the `payload`.
    """
    message = f"the server rejected the request: {said}"
    if not (_OVERFLOW.search(said) or _OVERFLOW.search(kind)):
        return InputError(message, hint="correct what the server names, then ask again")
    prompt_limit = _number(_PROMPT_LIMIT, said)
    limit = number_at(payload, "error", "n_ctx") or _number(_LIMIT, said)
    tokens = number_at(payload, "error", "n_prompt_tokens") or _number(_PROMPT_TOKENS, said)
    if limit and tokens and str(limit) not in said:
        message += f" ({tokens} tokens; the limit is {limit})"
    return ContextOverflow(
        message,
        hint="shorten the question, or ask for fewer tokens with --max-tokens",
        limit=limit,
        prompt_limit=prompt_limit - 1 if prompt_limit else None,
        prompt_tokens=tokens,
    )


def _number(pattern: re.Pattern[str], said: str) -> int | None:
    """The number that this pattern finds in a server's text."""
    found = pattern.search(said)
    return int(next(filter(None, found.groups()))) if found else None


def _redirected(answer: Answer, key: str | None) -> ConfigError:
    try:
        host = urlsplit(answer.location or "").netloc.rpartition("@")[2] or "the same host"
    except ValueError:
        host = "an invalid address"
    return ConfigError(
        f"{answer.server} redirects to {quote(host, key=key)} ({answer.status}); redirects are not followed",
        hint="if you trust that address, use it as the URL",
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
