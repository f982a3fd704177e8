"""Whole conversations as JSON and back: what leaves one machine comes back the same. No file, no database.

    {"llmchat": 1, "conversations": [{"id", "title", "system", "created_at", "updated_at", "head",
        "messages": [{"id", "parent", "role", "text", "status", "created_at", and of answers "backend",
            "model", "settings", "reason", "usage", "first_token_s", "total_s"}]}]}

Times are seconds since the epoch, UTC. `parent` is the message above, null for a first one; `head` is the
newest message of the current branch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import InputError, UsageError
from llmchat.store import ConversationExport, Record

VERSION = 1

_LATEST = 2.0**35  # seconds; about the year 3058, which every calendar still has


def to_json(conversations: Iterable[ConversationExport]) -> str:
    """The conversations with every branch, as ASCII."""
    record = {"llmchat": VERSION, "conversations": [_conversation_record(each) for each in conversations]}
    return json.dumps(record, indent=2) + "\n"


def message_record(record: Record) -> dict[str, object]:
    """What is known of a message, less its place in the tree."""
    shown: dict[str, object] = {
        "role": record.message.role,
        "text": record.message.text,
        "status": record.message.status,
        "created_at": record.created_at,
    }
    return shown | (asdict(record.provenance) if record.provenance else {})


def from_json(text: str, name: str) -> tuple[ConversationExport, ...]:
    """What `to_json` made. `name` is what the text is called in errors.

    Raises InputError for anything else: no JSON, of a newer version, or with something missing or wrong.
    """
    try:
        file = _object(json.loads(text, parse_float=_finite, parse_constant=_finite))
        version = file.get("llmchat")
        if isinstance(version, int) and version > VERSION:
            raise InputError(f"{name} is from a newer llmchat", hint="upgrade llmchat; nothing was imported")
        if version != VERSION:
            raise ValueError("it does not say so")
        return tuple(_conversation(each) for each in _list(file, "conversations"))
    except (ValueError, TypeError, OverflowError, RecursionError, UsageError) as error:
        raise InputError(
            f"{name} is no export of llmchat: {error}",
            hint="`llmchat history export --format json` makes one; nothing was imported",
        ) from error


def _conversation_record(export: ConversationExport) -> dict[str, object]:
    return {
        "id": export.id,
        "title": export.title,
        "system": export.system,
        "created_at": export.created_at,
        "updated_at": export.updated_at,
        "head": export.head,
        "messages": [{"id": r.id, "parent": r.parent} | message_record(r) for r in export.records],
    }


def _conversation(value: object) -> ConversationExport:
    given = _object(value)
    numbers: dict[object, int] = {}
    records: list[Record] = []
    for number, each in enumerate(_list(given, "messages"), 1):
        record = _object(each)
        records.append(_message(record, number, _place(record, "parent", numbers)))
        numbers[_whole_number(record, "id")] = number
    if len(numbers) != len(records) or not records:
        raise ValueError("a conversation without messages, or with two of the same id")
    return ConversationExport(
        _text(given, "id"),
        None if given.get("title") is None else _text(given, "title"),
        _text(given, "system"),
        _time(given, "created_at"),
        _time(given, "updated_at"),
        _place(given, "head", numbers),
        tuple(records),
    )


def _message(given: Mapping[str, object], number: int, parent: int | None) -> Record:
    role, status = Role(_text(given, "role")), Status(_text(given, "status"))
    message = Message(role, _text(given, "text"), status)
    return Record(number, parent, message, _time(given, "created_at"), _provenance(given))


def _provenance(given: Mapping[str, object]) -> Provenance | None:
    if "backend" not in given:
        return None
    usage = _object(given.get("usage"))
    return Provenance(
        _text(given, "backend"),
        _text(given, "model"),
        _settings(_object(given.get("settings"))),
        None if given.get("reason") is None else FinishReason(_text(given, "reason")),
        Usage(_count(usage, "prompt_tokens"), _count(usage, "completion_tokens")),
        _seconds(given, "first_token_s"),
        _seconds(given, "total_s"),
    )


def _settings(given: Mapping[str, object]) -> Settings:
    """Those that are known. Raises TypeError or UsageError for one that cannot be."""
    known = {field.name for field in fields(Settings)}
    values: dict[str, Any] = {name: value for name, value in given.items() if name in known}
    return Settings(**{**values, "stop": tuple(values.get("stop", ()))})


def _count(given: Mapping[str, object], name: str) -> int | None:
    tokens = _figure(given, name)
    return None if tokens is None else int(tokens)


def _seconds(given: Mapping[str, object], name: str) -> float | None:
    seconds = _figure(given, name)
    return None if seconds is None else float(seconds)


def _place(given: Mapping[str, object], name: str, numbers: Mapping[object, int]) -> int | None:
    """The number of the message that is named here; it has to come before."""
    if given.get(name) is None:
        return None
    key = _whole_number(given, name)
    if key not in numbers:
        raise ValueError(f"{name} {key} is no message before")
    return numbers[key]


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("something that has to be an object is none")
    return value


def _list(given: Mapping[str, object], name: str) -> list[object]:
    value = given.get(name)
    if not isinstance(value, list):
        raise TypeError(f"{name} is no list")
    return value


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _whole_number(given: Mapping[str, object], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} is no whole number")
    return value


def _figure(given: Mapping[str, object], name: str) -> int | float | None:
    value = given.get(name)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise TypeError(f"{name} is no number")
    return value


def _time(given: Mapping[str, object], name: str) -> float:
    seconds = _figure(given, name)
    if seconds is None or not 0 <= seconds < _LATEST:
        raise ValueError(f"{name} is no time")
    return float(seconds)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is no number")
    return number
