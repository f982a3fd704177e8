"""The request fields for --schema and --regex on each OpenAI-compatible server.

vLLM: its "Structured Outputs"; versions before 0.12 know `guided_regex`, those from 0.10.2 on
`structured_outputs`, and all versions ignore unknown fields. SGLang: its "Structured Outputs".
llama.cpp: its tools/server/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from llmchat.backends.constraints.llama_cpp import to_gbnf
from llmchat.core.constraint import Constraint, JsonSchema
from llmchat.errors import UsageError

LLAMA_CPP, VLLM, SGLANG = "llamacpp", "vllm", "sglang"
"""The `owned_by` of these servers' models in /v1/models."""
TGI = "tgi"
"""TGI's Messages API, where `owned_by` is the model; GrammarType in router/src/lib.rs: `type`, `value`."""

_STRICT = frozenset(
    {"$defs", "$ref", "additionalProperties", "anyOf", "const", "description", "enum"}
    | {"items", "properties", "required", "title", "type"}
)
"""The keywords that OpenAI has always supported in a strict schema."""


def fields_for(constraint: Constraint | None, server: str, *, raw: bool) -> dict[str, object]:
    """The request fields for a constraint; `server` is the model's `owned_by`, `raw` a plain completion.

    Raises UsageError if the server does not support it.
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
    raise _impossible("an answer to a pattern", hint="use --schema; a JSON Schema can contain a pattern")


def _impossible(what: str, *, hint: str) -> UsageError:
    known = "only TGI, vLLM, SGLang and llama.cpp can, and this server does not report to be one of them"
    return UsageError(f"this server cannot constrain {what}: {known}", hint=hint)


def _named(schema: Mapping[str, object]) -> dict[str, object]:
    """The schema for `response_format`; strict if OpenAI supports that, as it follows others only loosely."""
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
