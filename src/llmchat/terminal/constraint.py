"""What the answer of a run has to be, as --schema and --regex say it; asks no model."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from llmchat.core.constraint import Constraint, JsonSchema, Regex
from llmchat.errors import UsageError
from llmchat.terminal.device.streams import Streams, check_text
from llmchat.terminal.question import read_file


def read_constraint(schema: str | None, regex: str | None, streams: Streams) -> Constraint | None:
    """The schema in this file, `-` being standard input, or the pattern.

    Raises MissingError for a file, InputError for what is no JSON Schema, UsageError for what is no pattern.
    """
    if schema is not None:
        return JsonSchema.parse(read_file(schema, streams), "standard input" if schema == "-" else schema)
    return None if regex is None else Regex.parse(check_text(regex, "the pattern"))


def constraint_record(constraint: Constraint | None) -> dict[str, object] | None:
    """It as JSON: what `--dry-run --json` prints."""
    match constraint:
        case None:
            return None
        case JsonSchema(schema):
            return {"type": "json_schema", "value": schema}
    return {"type": "regex", "value": constraint.pattern}


def without_schema(schema: str | None, names: Collection[str], streams: Streams) -> Streams:
    """The streams that a question may come through: not standard input where the schema does.

    Raises UsageError where one of the names of its parts is `-` too.
    """
    if schema != "-":
        return streams
    if "-" in names:
        raise UsageError("standard input is read once", hint="put the schema or the text into a file")
    return replace(streams, stdin=None)
