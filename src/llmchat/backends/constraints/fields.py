"""How each OpenAI-compatible server is asked to hold an answer to a constraint; sends nothing.

vLLM: its "Structured Outputs"; versions before 0.12 know `guided_regex`, those from 0.10.2 on
`structured_outputs`, and all of them pass over fields they do not know. SGLang: its "Structured Outputs".
llama.cpp: its tools/server/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmchat.backends.constraints.llama_cpp import to_gbnf
from llmchat.core.constraint import Constraint, JsonSchema
from llmchat.errors import UsageError

LLAMA_CPP, VLLM, SGLANG = "llamacpp", "vllm", "sglang"
"""What these servers say in `owned_by` of a model in /v1/models."""
TGI = "tgi"
"""TGI's Messages API, where a model owns itself; GrammarType in router/src/lib.rs has `type` and `value`."""

_STRICT = frozenset(
    {"$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum"}
    | {"items", "properties", "required", "title", "type"}
)
"""Keywords that OpenAI has always taken in a schema that is to be strict."""


def fields_for(constraint: Constraint | None, server: str, *, raw: bool) -> dict[str, object]:
    """The fields of a request for it; `server` is what owns the model, `raw` a completion without roles.

    Raises UsageError where such a server has none.
    """
    match constraint:
        case None:
            return {}
        case JsonSchema(schema) if server == TGI and not raw:
            return {"response_format": {"type": "json_object", "value": schema}}
        case JsonSchema(schema) if not raw or server == VLLM:
            return {"response_format": {"type": "json_schema", "json_schema": _named(schema)}}
        case JsonSchema(schema) if server == LLAMA_CPP:
            return {"json_schema": schema}
        case JsonSchema(schema) if server == SGLANG:
            return {"json_schema": json.dumps(schema)}
        case JsonSchema():
            raise _impossible("a completion to a schema", hint="leave out --raw-prompt")
    pattern = constraint.pattern
    if server == LLAMA_CPP:
        return {"grammar": to_gbnf(pattern)}
    if server == VLLM:
        return {"structured_outputs": {"regex": pattern}, "guided_regex": pattern}
    if server == SGLANG:
        return {"regex": pattern}
    if server == TGI and not raw:
        return {"response_format": {"type": "regex", "value": pattern}}
    raise _impossible(
        "an answer to a pattern", hint="give a JSON Schema with --schema; it may hold a pattern"
    )


def _impossible(what: str, *, hint: str) -> UsageError:
    known = "TGI, vLLM, SGLang and llama.cpp can, and this server does not say that it is one of them"
    return UsageError(f"this server cannot be asked to hold {what}: {known}", hint=hint)


def _named(schema: Mapping[str, object]) -> dict[str, object]:
    """Strict where OpenAI takes it so: it refuses most schemas then, but holds to others only loosely."""
    strict = {"strict": True} if schema.get("type") == "object" and _is_strict(schema) else {}
    return {"name": "answer", "schema": schema, **strict}


def _is_strict(schema: object) -> bool:
    """OpenAI's "Structured Outputs", "Supported schemas": closed objects with nothing optional in them."""
    if not isinstance(schema, dict) or not schema.keys() <= _STRICT:
        return False
    if "$ref" in schema:
        return len(schema) == 1
    if "type" not in schema and "anyOf" not in schema:
        return False
    properties = schema.get("properties", {})
    if "object" in str(schema.get("type")) or "properties" in schema:
        closed = schema.get("additionalProperties") is False
        if not closed or set(schema.get("required", ())) != properties.keys():
            return False
    inner = [*properties.values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    return all(map(_is_strict, [*inner, *([schema["items"]] if "items" in schema else ())]))
