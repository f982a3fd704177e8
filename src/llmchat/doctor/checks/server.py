"""Checks whether the server can be reached, and what it reports about itself. Requests no reply."""

from __future__ import annotations

import asyncio

from llmchat.backends.http.errors import NotThere
from llmchat.backends.server import ServerConnection
from llmchat.doctor.checks.answering import ask, connect, context_of
from llmchat.doctor.finding import Finding, Verdict, good, warning
from llmchat.doctor.subject import Subject
from llmchat.errors import LLMChatError, TryLaterError

_WAIT_S = 15.0


async def check_server(subject: Subject) -> Finding | None:
    """Asks the server about itself. Raises UnavailableError if unreachable, DeniedError, ConfigError.

    If it does not report its API, the check of the answer decides; with --no-ask this raises the error of
    the server's response.
    """
    if subject.target.url is None:
        return None
    info = (await connect(subject)).info
    connection = await subject.connection()
    assert isinstance(connection, ServerConnection), "it is a server"
    if connection.refusal is not None and not subject.asks:
        raise connection.refusal  # else the check of the answer reports that
    if connection.is_recognised:
        model = info.model or "not named"
        return good(f"reached; API: {connection.api.title}, model: {model}; {context_of(info)}")
    return await (_asked(subject, connection.api.title) if subject.asks else _not_asked(connection))


async def _asked(subject: Subject, api: str) -> Finding:
    """A warning, unless the check of the answer reports more."""
    try:
        subject.answer = await ask(subject)
    except LLMChatError as error:
        subject.answer = error
        return good("reached; does not report its API")
    return warning(
        f"reached, but does not report its API; assuming {api}", "set it with --api tgi or --api openai"
    )


async def _not_asked(connection: ServerConnection) -> Finding:
    """Raises the error of its responses. A 404 proves nothing: some proxies forward only chat requests."""
    try:
        async with asyncio.timeout(_WAIT_S):
            await connection.about()
    except NotThere:
        pass
    except TimeoutError as error:
        said = f"it did not answer within {_WAIT_S:g} s"
        raise TryLaterError(said, hint="try again, or without --no-ask") from error
    said = "reached, but does not report its API; only a request for a reply shows whether it works"
    code = NotThere.exit_code  # the most likely one, if it does not work
    return Finding(Verdict.WARN, said, "run without --no-ask", code)
