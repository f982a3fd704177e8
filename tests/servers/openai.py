"""An OpenAI-compatible server on loopback, as vLLM and llama.cpp speak it, without the model."""

from __future__ import annotations

import json
from collections.abc import Sequence

from servers import Fault, LoopbackServer, Recorded, Reply, json_reply

CHAT = "/v1/chat/completions"
DONE = "[DONE]"


def chunk(text: str | None = None, *, finish: str | None = None, **more: object) -> str:
    """One event of a streamed chat completion."""
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return json.dumps({"object": "chat.completion.chunk", "model": "m", "choices": [choice], **more})


def thought(text: str) -> str:
    """One event of what a model thinks."""
    return json.dumps(
        {"choices": [{"index": 0, "delta": {"reasoning_content": text}, "finish_reason": None}]}
    )


def usage(prompt: int, completion: int) -> str:
    """The event behind the last one, which has no choices."""
    counted = {"prompt_tokens": prompt, "completion_tokens": completion}
    return json.dumps({"choices": [], "usage": counted})


def stream(*texts: str | Fault, finish: str = "stop") -> Reply:
    """A whole reply of these texts."""
    pieces = [text if isinstance(text, Fault) else chunk(text) for text in texts]
    return Reply([chunk(), *pieces, chunk(finish=finish), usage(7, 2), DONE])


def whole(text: str, *, finish: str = "stop") -> Reply:
    """A whole reply in one piece."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    counted = {"prompt_tokens": 7, "completion_tokens": 2}
    return json_reply({"object": "chat.completion", "model": "m", "choices": [choice], "usage": counted})


class OpenAIServer(LoopbackServer):
    """Answers every chat with "Hello there" and lists one model with room for 4096 tokens."""

    def __init__(self, texts: Sequence[str] = ("Hello", " there")) -> None:
        super().__init__()
        self._texts = texts
        self.always("/v1/models", json_reply({"data": [{"id": "served-model", "max_model_len": 4096}]}))
        self.always(CHAT, stream(*texts))

    def reply_to(self, request: Recorded) -> Reply:
        scripted = super().reply_to(request)
        if request.path == CHAT and scripted == stream(*self._texts) and not request.json["stream"]:
            return whole("".join(self._texts))
        return scripted
