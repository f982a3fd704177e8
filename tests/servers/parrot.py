"""An OpenAI-compatible server that answers with the question, and knows how many it answers at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

from aiohttp import web

from servers import Fault, Recorded, Reply
from servers.openai import CHAT, OpenAIServer, stream, whole


class Parrot(OpenAIServer):
    """Questions in `gated` wait for `open_gate`; those in `instead` get another reply.

    `full` is set while it answers `capacity` chats at once; `most` is how many it ever did.
    """

    def __init__(self, *, gated: Iterable[str] = (), capacity: int = 1) -> None:
        super().__init__()
        self.gated = set(gated)
        self.instead: dict[str, Reply] = {}
        self.full = asyncio.Event()
        self.most = 0
        self._capacity = capacity
        self._answering = 0

    @property
    def asked_for(self) -> Counter[str]:
        """How often each question was asked."""
        return Counter(_question(body) for body in self.bodies(CHAT))

    def reply_to(self, request: Recorded) -> Reply:
        if request.path != CHAT:
            return super().reply_to(request)
        question = _question(request.json)
        if question in self.instead:
            return self.instead[question]
        if not request.json["stream"]:
            return whole(question)
        return stream(*([Fault.GATE] if question in self.gated else []), question)

    async def _send(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if request.path != CHAT:
            return await super()._send(request, reply)
        self._answering += 1
        self.most = max(self.most, self._answering)
        if self._answering == self._capacity:
            self.full.set()
        try:
            return await super()._send(request, reply)
        finally:
            self._answering -= 1


def _question(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    return str(messages[-1]["content"])
