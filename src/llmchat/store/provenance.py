"""Provenance of an answer as columns and back; runs no query."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance

COLUMNS = (
    "backend",
    "model",
    "settings",
    "seed",
    "finish_reason",
    "prompt_tokens",
    "completion_tokens",
    "first_token_s",
    "total_s",
)

Column = str | int | float | None


def to_columns(provenance: Provenance | None) -> tuple[Column, ...]:
    """One value for each of COLUMNS."""
    if provenance is None:
        return (None,) * len(COLUMNS)
    return (
        provenance.backend,
        storable(provenance.model),
        json.dumps(asdict(provenance.settings)),  # ASCII: escapes what UTF-8 cannot hold
        provenance.settings.seed,
        provenance.reason,
        _figure(provenance.usage.prompt_tokens),
        _figure(provenance.usage.completion_tokens),
        provenance.first_token_s,
        provenance.total_s,
    )


def from_columns(values: tuple[Column, ...]) -> Provenance | None:
    """What `to_columns` took; None for a message without.

    Raises ValueError, TypeError or UsageError where another program changed them.
    """
    row = dict(zip(COLUMNS, values, strict=True))
    if row["backend"] is None:
        return None
    return Provenance(
        backend=str(row["backend"]),
        model=str(row["model"]),
        settings=_settings(str(row["settings"])),
        reason=None if row["finish_reason"] is None else FinishReason(str(row["finish_reason"])),
        usage=Usage(_int(row["prompt_tokens"]), _int(row["completion_tokens"])),
        first_token_s=_float(row["first_token_s"]),
        total_s=_float(row["total_s"]),
    )


def storable(text: str) -> str:
    """The text as SQLite can keep it: UTF-8 has no place for half a surrogate pair, which becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _settings(text: str) -> Settings:
    known = {field.name for field in fields(Settings)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    return Settings(**{**values, "stop": tuple(values.get("stop", ()))})


def _figure(count: int | None) -> int | None:
    """A server may claim any number; SQLite's integers have 64 bits."""
    return count if count is not None and abs(count) < 2**63 else None


def _int(value: Column) -> int | None:
    return None if value is None else int(value)


def _float(value: Column) -> float | None:
    return None if value is None else float(value)
