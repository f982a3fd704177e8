"""Complete HTTP responses, and safe lookups in JSON of any shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from llmchat.errors import BrokenReply

JSON = "application/json"
Body = Mapping[str, object]
"""A JSON object to send."""


def not_a_model(server: str, content_type: str) -> BrokenReply:
    kind = {"text/html": "a web page", "": "content without a type"}.get(content_type, content_type)
    return BrokenReply(
        f"{server} answered with {kind}, not like a language model",
        hint="check the URL; a proxy or a login page may be in the way",
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP response with its decoded body; `server` is the server's host and port."""

    server: str
    status: int
    content_type: str
    body: str = field(repr=False)
    retry_after: str | None = None
    location: str | None = None
    date: str | None = None  # the server's Date

    def json(self) -> object:
        """The body as JSON. Raises BrokenReply if it is not JSON."""
        if not self.body.strip():
            raise BrokenReply(
                f"{self.server} gave an empty answer", hint="is this the address of a language model?"
            )
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise not_a_model(self.server, self.content_type) from error


def find(value: object, *path: str | int) -> object:
    """The value at this path in JSON; None if there is no such path."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def text_at(value: object, *path: str | int) -> str:
    """The text at this path in JSON, valid UTF-8; "" if there is none."""
    found = value.get(path[0]) if len(path) == 1 and isinstance(value, dict) else find(value, *path)
    if not isinstance(found, str):
        return ""
    if found.isascii():
        return found
    # JSON can contain lone surrogates, which cannot be printed or stored.
    return found.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def number_at(value: object, *path: str | int) -> int | None:
    """The non-negative integer at this path in JSON, else None."""
    found = find(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


_read_json = json.JSONDecoder().raw_decode


def parse_event(data: str) -> dict[str, object]:
    """The data of an event as a JSON object. Raises BrokenReply if it is not one."""
    try:
        value, end = _read_json(data, 0)
        if end != len(data):
            value = json.loads(data)  # white space after it, or an error
    except (ValueError, RecursionError) as error:
        raise BrokenReply(
            "the server sent an event that is not JSON", hint="check the API: --api tgi or --api openai"
        ) from error
    if not isinstance(value, dict):
        raise BrokenReply(
            "the server sent an event that is not an object", hint="check the API: --api tgi or --api openai"
        )
    return value
