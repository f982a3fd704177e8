"""The constraints of --schema and --regex: parses them, and checks answers against them. No I/O.

The home of jsonschema and regex, which are imported when they are needed. No reference is ever fetched.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Self

from llmchat.errors import InputError, UsageError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

PATIENCE_S = 2.0
"""Time limit of one match, in seconds."""


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """The answer is JSON that matches this schema; the draft is in its $schema, by default the newest."""

    schema: Mapping[str, object]

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """Parses a schema. `name` is the text's name in errors.

        Raises InputError for invalid JSON, an invalid schema, or a reference outside of it.
        """
        hint = "a JSON Schema is a JSON object; see json-schema.org"
        try:
            schema = _read_json(text)
        except ValueError as error:
            raise InputError(f"{name} is not JSON: {error}", hint=hint) from error
        if not isinstance(schema, dict):
            raise InputError(f"{name} is not a JSON Schema: it is not an object", hint=hint)
        if wrong := _wrong_with_schema(schema):
            raise InputError(f"{name} is not a usable JSON Schema: {wrong}", hint=hint)
        return cls(schema)

    def wrong_with(self, text: str) -> str | None:
        """Why and where the text does not match; None if it matches."""
        from jsonschema.exceptions import best_match

        try:
            value = _read_json(text)
        except ValueError as error:
            return f"the answer is not JSON: {error}"
        try:
            found = best_match(_validator(self.schema).iter_errors(value))
        except (RecursionError, ArithmeticError):
            return (
                "the answer is nested too deeply, or has too large a number, to be checked against the schema"
            )
        except TimeoutError:
            return "checking the answer against a pattern of the schema takes too long"
        if found is None:
            return None
        return f"the answer does not match the schema at {found.json_path}: {_shorten(found.message)}"


@dataclass(frozen=True, slots=True)
class Regex:
    """The whole answer matches this pattern, in the syntax of Python's `re`."""

    pattern: str

    @classmethod
    def parse(cls, pattern: str) -> Self:
        """Parses a pattern. Raises UsageError if it is invalid."""
        if not pattern:
            raise UsageError("the pattern is empty", hint="give one, such as '[0-9]+'")
        try:
            _compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(
                f"the pattern is invalid: {error}", hint="use the syntax of Python's re"
            ) from error
        return cls(pattern)

    def wrong_with(self, text: str) -> str | None:
        """Why the text does not match; None if it matches."""
        try:
            if _match(self.pattern, text, whole=True):
                return None
        except TimeoutError:
            return f"checking the answer takes too long with the pattern {_shorten(self.pattern)}"
        return f"the answer does not match the pattern {_shorten(self.pattern)}"


Constraint = JsonSchema | Regex


def stops_outside(constraint: Constraint | None, stops: Iterable[str]) -> tuple[str, ...]:
    """The stop texts of a prompt format that cannot be part of such an answer.

    JSON strings contain no newline, and outside of them no word follows a newline; but a control token can
    be part of a string. A pattern can allow any text.
    """
    match constraint:
        case None:
            return tuple(stops)
        case JsonSchema():
            return tuple(stop for stop in stops if re.match(r"\n[A-Z]", stop))
        case Regex():
            return ()


def _read_json(text: str) -> object:
    """Parses JSON. Raises ValueError if it is invalid, also for Python's extensions such as NaN."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


def _wrong_with_schema(schema: Mapping[str, object]) -> str | None:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    draft = schema.get("$schema")
    if draft is not None and (not isinstance(draft, str) or validator_for(schema, default=None) is None):
        return f"its $schema {_shorten(repr(draft))} is unknown"
    try:
        validator = _validator(schema)
        validator.check_schema(schema)
        if lost := _lost_reference(schema, validator):
            return f"it refers to {_shorten(lost)}, which is not in it; references are never downloaded"
        validator.is_valid(None)
    except SchemaError as error:
        return f"at {error.json_path}: {_shorten(error.message)}"
    except RecursionError:
        return "it is nested too deeply, or refers to itself endlessly"
    return None


def _validator(schema: Mapping[str, object]) -> Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend, validator_for
    from referencing import Registry

    draft = validator_for(schema, default=Draft202012Validator)
    bounded = extend(draft, {"pattern": _check_pattern, "patternProperties": _check_pattern_properties})
    return bounded(schema, registry=Registry())


def _check_pattern(
    _: Validator, pattern: str, value: object, _schema: Mapping[str, object]
) -> Iterator[ValidationError]:
    """`pattern` (JSON Schema Validation, 6.3.3), with a time limit."""
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str) and not _match(pattern, value, whole=False):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _check_pattern_properties(
    validator: Validator, patterns: Mapping[str, Mapping[str, object]], value: object, _: object
) -> Iterator[ValidationError]:
    """`patternProperties` (JSON Schema, 10.3.2.2), with a time limit."""
    if not isinstance(value, dict):
        return
    for pattern, below in patterns.items():
        for name, each in value.items():
            if _match(pattern, name, whole=False):
                yield from validator.descend(each, below, path=name, schema_path=pattern)


def _lost_reference(schema: Mapping[str, object], validator: Validator) -> str | None:
    """A reference to nothing, which validation would find only with an answer that needs it."""
    from referencing import Registry
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, specification_with

    draft = specification_with(str(schema.get("$schema", "")), default=DRAFT202012)
    root = draft.create_resource(schema)
    pending, seen = [(root, Registry().resolver_with_root(root))], {id(schema)}
    while pending:
        part, resolver = pending.pop()
        contents = part.contents if isinstance(part.contents, Mapping) else {}
        for reference in (contents.get("$ref"), contents.get("$dynamicRef")):
            if not isinstance(reference, str):
                continue
            try:
                found = resolver.lookup(reference)
            except (Unresolvable, ValueError):
                return reference
            if not isinstance(found.contents, Mapping | bool):
                return reference
            if id(found.contents) not in seen:  # it may be in a place without schemas
                seen.add(id(found.contents))
                validator.check_schema(found.contents)
                pending.append((draft.create_resource(found.contents), found.resolver))
        pending += [(each, resolver.in_subresource(each)) for each in part.subresources()]
    return None


def _match(pattern: str, text: str, *, whole: bool) -> bool:
    """True if the pattern matches the whole text, or somewhere in it.

    Raises TimeoutError after the time limit, as patterns can backtrack for years.
    """
    import regex

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `_compile`
        compiled = regex.compile(pattern)
    match = compiled.fullmatch if whole else compiled.search
    return match(text, timeout=PATIENCE_S) is not None


def _compile(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings about future changes of the syntax
        return re.compile(pattern)


def _shorten(text: str) -> str:
    """The text on one line; a long one is cut in the middle, because the reason is at its end."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:80]} ... {line[-115:]}"
