"""Reads /v1/models of OpenAI-compatible servers: names, owner, context window."""

from __future__ import annotations

from llmchat.backends.constraints.fields import TGI
from llmchat.backends.http.answer import find, number_at, text_at

MOST_NAMES = 8
"""The most models to name in a hint."""
_CONTEXT = (  # the fields with the context window
    ("max_model_len",),  # vLLM, SGLang
    ("meta", "n_ctx"),  # llama.cpp
    ("context_length",),  # OpenRouter, Together
    ("context_window",),  # Groq
    ("max_context_length",),  # Mistral
)


def listed(models: object, name: str | None) -> object:
    """The entry with this id; the first entry if no id is given or if there is only one."""
    entries = find(models, "data")
    if not isinstance(entries, list) or not entries:
        return None
    only = entries[0] if name is None or len(entries) == 1 else None
    return next((entry for entry in entries if find(entry, "id") == name), only)


def names_of(models: object) -> list[str]:
    """The listed ids."""
    entries = find(models, "data")
    return [text_at(entry, "id") for entry in entries] if isinstance(entries, list) else []


def others_of(models: object, name: str | None) -> str:
    """The listed models, in words, if this one is not listed; else ""."""
    names = names_of(models)
    if name in names:
        return ""
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *more])


def owner_of(entry: object) -> str:
    """The model's `owned_by`, which identifies the server. On TGI it is the model (router/src/server.rs)."""
    owner = text_at(entry, "owned_by")
    return TGI if owner and owner == text_at(entry, "id") else owner


def context_of(entry: object) -> int | None:
    """The context window of this entry in tokens; None if it is not reported."""
    return next((said for place in _CONTEXT if (said := number_at(entry, *place))), None)
