"""Conversations as JSON, for export and import, without loss. Opens no database.

The format is defined by the JSON Schema interchange.schema.json, which every import is checked against.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from llmchat.core.conversation import Message, Role, Status
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.errors import InputError
from llmchat.store import ConversationExport, Record

VERSION = 1

_ABOUT = ("id", "title", "system", "created_at", "updated_at", "head")
_SHOWN = 160  # maximum length of a quote in an error


def to_json(conversations: Iterable[ConversationExport]) -> str:
    """The conversations with every branch, as ASCII."""
    record = {"llmchat": VERSION, "conversations": [_conversation_record(each) for each in conversations]}
    return json.dumps(record, indent=2) + "\n"


def message_record(record: Record) -> dict[str, object]:
    """A message as JSON, without its place in the tree."""
    shown: dict[str, object] = {
        "role": record.message.role,
        "text": record.message.text,
        "status": record.message.status,
        "created_at": record.created_at,
    }
    return shown | (asdict(record.provenance) if record.provenance else {})


def from_json(text: str, name: str) -> tuple[ConversationExport, ...]:
    """Parses what `to_json` wrote. `name` is the text's name in errors.

    Raises InputError for text that is not JSON, has a newer version, or does not match the schema.
    """
    try:
        file = json.loads(text, parse_float=_finite, parse_constant=_finite)
        version = file.get("llmchat") if isinstance(file, dict) else None
        if isinstance(version, int) and version > VERSION:
            raise InputError(f"{name} is from a newer llmchat", hint="upgrade llmchat; nothing was imported")
        _check(file)
        return tuple(_conversation(each, at) for at, each in enumerate(file["conversations"], 1))
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise InputError(
            f"{name} is not an llmchat export: {why}",
            hint="`llmchat history export --format json` makes one; nothing was imported",
        ) from error


def _conversation_record(export: ConversationExport) -> dict[str, object]:
    record: dict[str, object] = {name: getattr(export, name) for name in _ABOUT}
    return record | {
        "messages": [{"id": r.id, "parent": r.parent} | message_record(r) for r in export.records]
    }


def _check(file: object) -> None:
    """Raises ValueError for the first violation of the schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    schema = json.loads(Path(__file__).with_name("interchange.schema.json").read_text("utf-8"))
    whole = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    validator = extend(Draft202012Validator, type_checker=whole)(
        schema
    )  # for the schema 1.0 is an integer, too
    wrong = next(validator.iter_errors(file), None)  # there may be millions
    if wrong is not None:
        what = wrong.message if len(wrong.message) <= _SHOWN else f"... {wrong.message[-_SHOWN:]}"
        raise ValueError(f"{_place(wrong.absolute_path)}{what}")


def _place(path: Iterable[str | int]) -> str:
    """A place in the file, as `conversation 1, message 2, role: `; counted from 1."""
    steps: list[str] = []
    for step in path:
        if isinstance(step, int):
            steps[-1] = f"{steps[-1].removesuffix('s')} {step + 1}"
        else:
            steps.append(step)
    return f"{', '.join(steps)}: " if steps else ""


def _conversation(checked: object, at: int) -> ConversationExport:
    """Converts a valid conversation. Raises ValueError if its messages are not a tree."""
    given: Any = checked
    numbers: dict[int | None, int | None] = {None: None}
    records: list[Record] = []
    for number, each in enumerate(given["messages"], 1):
        place = f"conversation {at}, message {number}"
        parent = _number(each.get("parent"), numbers, f"{place}, parent")
        if each["id"] in numbers:
            raise ValueError(f"{place}, id: another message has the id {each['id']}, too")
        numbers[each["id"]] = number
        message = Message(Role(each["role"]), each["text"], Status(each["status"]))
        records.append(Record(number, parent, message, float(each["created_at"]), _provenance(each)))
    return ConversationExport(
        given["id"],
        given.get("title"),
        given["system"],
        float(given["created_at"]),
        float(given["updated_at"]),
        _number(given.get("head"), numbers, f"conversation {at}, head"),
        tuple(records),
    )


def _number(key: int | None, numbers: Mapping[int | None, int | None], place: str) -> int | None:
    """The number of the message with this id, which must come before."""
    if key not in numbers:
        raise ValueError(f"{place}: no message before it has the id {key}")
    return numbers[key]


def _provenance(checked: object) -> Provenance | None:
    given: Any = checked
    if "backend" not in given:
        return None
    chosen = {field.name: given["settings"].get(field.name) for field in fields(Settings)}
    usage = given["usage"]
    return Provenance(
        given["backend"],
        given["model"],
        Settings(**{**chosen, "stop": tuple(chosen["stop"] or ())}),
        FinishReason(given["reason"]) if given.get("reason") else None,
        Usage(usage.get("prompt_tokens"), usage.get("completion_tokens")),
        _seconds(given.get("first_token_s")),
        _seconds(given.get("total_s")),
    )


def _seconds(given: float | None) -> float | None:
    return None if given is None else float(given)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is not a number")
    return number
