"""Reads what OpenAI-compatible servers list at /v1/models; must not ask them."""

from __future__ import annotations

from llmchat.backends.constraints.fields import TGI
from llmchat.backends.http.answer import find, number_at, text_at

MOST_NAMES = 8
"""Models that a hint names."""
_CONTEXT = (  # where an entry says what its model takes
    ("max_model_len",),  # vLLM, SGLang
    ("meta", "n_ctx"),  # llama.cpp
    ("context_length",),  # OpenRouter, Together
    ("context_window",),  # Groq
    ("max_context_length",),  # Mistral
)


def listed(models: object, name: str | None) -> object:
    """The entry of /v1/models with this id; the first where no id is asked for or there is only one."""
    entries = find(models, "data")
    if not isinstance(entries, list) or not entries:
        return None
    only = entries[0] if name is None or len(entries) == 1 else None
    return next((entry for entry in entries if find(entry, "id") == name), only)


def names_of(models: object) -> list[str]:
    """The ids that are listed."""
    entries = find(models, "data")
    return [text_at(entry, "id") for entry in entries] if isinstance(entries, list) else []


def others_of(models: object, name: str | None) -> str:
    """The models that are listed, in words, if this one is not; else ""."""
    names = names_of(models)
    if name in names:
        return ""
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *more])


def owner_of(entry: object) -> str:
    """Which server it is: what owns the model. On TGI a model owns itself (router/src/server.rs)."""
    owner = text_at(entry, "owned_by")
    return TGI if owner and owner == text_at(entry, "id") else owner


def context_of(entry: object) -> int | None:
    """Tokens that the model of this entry takes, prompt and reply together; None where it does not say."""
    return next((said for place in _CONTEXT if (said := number_at(entry, *place))), None)
