"""The two wire formats, each with a backend that speaks it, and what its server says, byte by byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backends.asking import open_server
from llmchat.backends.http.endpoint import Endpoint
from llmchat.core.backend import Connection
from servers import openai, tgi
from servers.bytewise import Act, Step, as_json, chunked, head


def event(data: str) -> bytes:
    return f"data: {data}\n\n".encode()


@dataclass(frozen=True)
class Wire:
    """How one protocol says things. `about` answers what a client asks before it generates."""

    api: str
    path: str
    about: Mapping[str, Sequence[Step]]
    token: Callable[[str], bytes]
    """An event with this text."""
    end: bytes
    """The events of a natural end."""
    error: Callable[[str], bytes]
    """An event with an error."""
    whole: bytes
    """A reply in one piece, as JSON."""

    def reply(self, *texts: str) -> bytes:
        """All events of a reply."""
        return b"".join(map(self.token, texts)) + self.end

    def stream(self, *parts: bytes | Act, **headers: str) -> list[Step]:
        """An answer of these parts, a chunk each; it is whole unless an act comes in between."""
        steps: list[Step] = [head(Transfer_Encoding="chunked", **headers)]
        steps += [part if isinstance(part, Act) else chunked(part) for part in parts]
        return steps if any(isinstance(part, Act) for part in parts) else [*steps, chunked(b""), Act.KEEP]


TGI = Wire(
    "tgi",
    "/",
    {"/info": as_json(tgi.INFO)},
    token=lambda text: event(tgi.token(text)),
    end=event(tgi.final()),
    error=lambda text: event(json.dumps({"error": text, "error_type": "generation"})),
    whole=json.dumps([{"generated_text": "Hello", "details": None}]).encode(),
)
OPENAI = Wire(
    "openai",
    openai.CHAT,
    {"/v1/models": as_json({"data": [{"id": "m", "max_model_len": 4096}]})},
    token=lambda text: event(openai.chunk(text)),
    end=event(openai.chunk(finish="stop")) + event(openai.DONE),
    error=lambda text: event(json.dumps({"error": {"message": text, "type": "server_error"}})),
    whole=json.dumps({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}).encode(),
)


@dataclass(frozen=True)
class Way:
    """One way to reach a server: a protocol, known or asked for, over TCP or a Unix socket."""

    name: str
    wire: Wire
    asks: bool = False
    unix: bool = False

    def connection(self, endpoint: Endpoint, folder: Path) -> Connection:
        if self.unix:
            endpoint = replace(endpoint, url="http://localhost", unix_socket=folder / "s")
        return open_server(endpoint, None if self.asks else self.wire.api)


WAYS = [
    Way("tgi", TGI),
    Way("openai", OPENAI),
    Way("asked tgi", TGI, asks=True),
    Way("asked openai", OPENAI, asks=True),
    Way("the engine's socket", OPENAI, unix=True),
]
