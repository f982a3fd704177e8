"""Asks a model as a turn does: connects, attempts, and recovers as its connection knows how."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from llmchat.backends.http.endpoint import Endpoint
from llmchat.backends.server import ServerConnection
from llmchat.core.attempts import attempts
from llmchat.core.backend import Attempt, Connection, Limits, connected
from llmchat.core.generation import Event, Request
from llmchat.core.prompt_format import FORMATS


def open_server(endpoint: Endpoint, api: str | None = None, *, model: str | None = None) -> ServerConnection:
    """A server of this API, or one that is asked which it speaks; raw-text prompts are transcripts."""
    return ServerConnection(endpoint, prompt_format=FORMATS["transcript"], api=api, model=model)


async def stream(connection: Connection, request: Request) -> AsyncGenerator[Event]:
    """The events of one request, all its attempts together."""
    backend = await connected(connection)
    first = Attempt(backend, request)

    def run(attempt: Attempt) -> AsyncGenerator[Event, None]:
        return attempt.backend.stream(attempt.request)

    async with aclosing(attempts(first, run, connection.recoveries())) as events:
        async for event in events:
            yield event


async def generate(connection: Connection, request: Request) -> list[Event]:
    async with aclosing(stream(connection, request)) as events:
        return [event async for event in events]


async def limits_of(connection: Connection) -> Limits | None:
    return (await connected(connection)).info.limits
