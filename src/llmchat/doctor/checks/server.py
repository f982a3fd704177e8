"""Whether there is a server that answers as one of a language model does; asks it no question of its own."""

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
    """Asks the server what it is. Raises UnavailableError where there is none, DeniedError, ConfigError.

    Where it does not say, the answer to a question tells; if none may be asked, this raises what the server
    did say means.
    """
    if subject.target.url is None:
        return None
    info = (await connect(subject)).info
    connection = await subject.connection()
    assert isinstance(connection, ServerConnection), "it is a server"
    if connection.refusal is not None and not subject.asks:
        raise connection.refusal  # else the question itself will say so
    if connection.is_recognised:
        model = info.model or "a model without a name"
        return good(f"reached; speaks {connection.api.title}, has {model}; {context_of(info)}")
    return await (_asked(subject, connection.api.title) if subject.asks else _not_asked(connection))


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


async def _not_asked(connection: ServerConnection) -> Finding:
    """Raises what its answers mean. Nothing there means little: some proxies let only questions through."""
    try:
        async with asyncio.timeout(_WAIT_S):
            await connection.about()
    except NotThere:
        pass
    except TimeoutError as error:
        said = f"it did not answer within {_WAIT_S:g} s"
        raise TryLaterError(said, hint="try again, or without --no-ask") from error
    said = "reached, but does not say what it is; only asking can tell whether it answers"
    code = NotThere.exit_code  # with which a chat most likely ends if it does not work
    return Finding(Verdict.WARN, said, "leave out --no-ask", code)
