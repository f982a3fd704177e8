"""The `parameters` of a request to TGI (text-generation-inference 3.3.7)."""

from __future__ import annotations

from collections.abc import Sequence

from llmchat.core.constraint import Constraint, JsonSchema
from llmchat.core.generation import DEFAULT_MAX_TOKENS, Request


def parameters_for(request: Request, stops: Sequence[str]) -> dict[str, object]:
    """The `parameters` of a request, without null fields.

    TGI refuses temperature 0 and top_p 1, and samples only with `do_sample` (router/src/validation.rs).
    """
    wanted = request.settings
    samples = wanted.temperature is None or wanted.temperature > 0
    parameters: dict[str, object] = {
        "do_sample": samples,
        "max_new_tokens": wanted.max_tokens or DEFAULT_MAX_TOKENS,
        "temperature": wanted.temperature if samples else None,
        "top_p": wanted.top_p if wanted.top_p != 1 else None,
        "top_k": wanted.top_k,
        "repetition_penalty": wanted.repetition_penalty,
        "seed": wanted.seed,
        "stop": list(stops),
        "return_full_text": False,
        "details": True,
        "grammar": _grammar(request.constraint),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _grammar(constraint: Constraint | None) -> dict[str, object] | None:
    """TGI's documentation, "Guidance"."""
    match constraint:
        case None:
            return None
        case JsonSchema(schema):
            return {"type": "json", "value": schema}
    return {"type": "regex", "value": constraint.pattern}
