"""A text-generation-inference endpoint on loopback: router/src/server.rs of TGI 3.3.7, without the model."""

from __future__ import annotations

import json
from collections.abc import Sequence

from servers import Fault, LoopbackServer, Recorded, Reply, json_reply

INFO = {"model_id": "tiiuae/falcon-180B-chat", "max_input_tokens": 1000, "max_total_tokens": 2000}


def token(text: str, *, special: bool = False, **more: object) -> str:
    """One event of a stream."""
    event = {"index": 1, "token": {"id": 1, "text": text, "logprob": -0.1, "special": special}}
    return json.dumps({**event, "generated_text": None, "details": None, **more}, ensure_ascii=False)


def final(text: str = "", *, reason: str = "eos_token", special: bool = True, **details: object) -> str:
    """The last event of a stream, with its own token: the end-of-text token unless another is given."""
    told = {"finish_reason": reason, "generated_tokens": 3, "seed": None, **details}
    return token(text or "<|endoftext|>", special=special, generated_text="whole", details=told)


def error(message: str, error_type: str) -> str:
    """A fault inside a stream."""
    return json.dumps({"error": message, "error_type": error_type})


def stream(*texts: str | Fault) -> Reply:
    """A whole reply of these texts."""
    return Reply([*(text if isinstance(text, Fault) else token(text) for text in texts), final()])


class TgiServer(LoopbackServer):
    """Answers every prompt with " Hello there", has /info, and counts a token for each word."""

    def __init__(self, texts: Sequence[str] = (" Hello", " there")) -> None:
        super().__init__()
        self._texts = texts
        self.always("/info", json_reply(INFO))
        self.always("/", stream(*texts))

    def reply_to(self, request: Recorded) -> Reply:
        scripted = super().reply_to(request)
        if request.path == "/tokenize" and scripted.status == 404:
            words = str(request.json["inputs"]).split()
            return json_reply([{"id": 1, "text": word, "start": 0, "stop": 1} for word in words])
        if request.path == "/" and scripted == stream(*self._texts) and not request.json["stream"]:
            details = {"finish_reason": "eos_token", "generated_tokens": 3}
            return json_reply([{"generated_text": "".join(self._texts), "details": details}])
        return scripted
