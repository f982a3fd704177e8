"""Whether there is a server that answers as one of a language model does; asks it no question of its own."""

from __future__ import annotations

import asyncio

from llmchat.backends.http.errors import NotThere, ServerBusy, ServerDown
from llmchat.backends.registry import HttpBackend
from llmchat.doctor.checks.answering import ask, context_of, prepare
from llmchat.doctor.finding import Finding, good, unknown, warning
from llmchat.doctor.subject import Subject
from llmchat.errors import DeniedError, LLMChatError, TryLaterError

_PATIENCE_S = 15.0
_APIS = {"tgi": "TGI", "openai": "OpenAI's API"}


async def check_server(subject: Subject) -> Finding | None:
    """Asks the server what it is. Raises UnavailableError where there is none, DeniedError, ConfigError.

    Where it does not say, the answer to a question tells; if none may be asked, this raises what the server
    did say means.
    """
    if subject.target.url is None:
        return None
    limits = await prepare(subject)
    backend = await subject.backend()
    assert isinstance(backend, HttpBackend), "it is a server"
    api = _APIS.get(backend.name, backend.name)
    if await _recognised(backend, subject):
        model = backend.model or "a model without a name"
        return good(f"reached; speaks {api}, has {model}; {context_of(limits)}")
    return await (_asked(subject, api) if subject.asks else _not_asked(backend))


async def _recognised(backend: HttpBackend, subject: Subject) -> bool:
    try:
        return await backend.recognises()
    except (ServerDown, ServerBusy, DeniedError):
        if not subject.asks:
            raise
        return False  # the question itself will say so


async def _asked(subject: Subject, api: str) -> Finding:
    """A warning, unless the check of the answer has more to say."""
    try:
        subject.answer = await ask(subject)
    except LLMChatError as error:
        subject.answer = error
        return good("reached; does not say what it is")
    return warning(
        f"reached, but does not say what it is; taken for {api}", "--api tgi or --api openai says it"
    )


async def _not_asked(backend: HttpBackend) -> Finding:
    """Raises what its answers mean. Nothing there means little: some proxies let only questions through."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await backend.about()
    except NotThere:
        pass
    except TimeoutError as error:
        said = f"it did not answer within {_PATIENCE_S:g} s"
        raise TryLaterError(said, hint="try again, or without --no-ask") from error
    return unknown(
        "reached, but does not say what it is; only asking can tell whether it answers",
        hint="leave out --no-ask",
        code=NotThere.exit_code,
    )
