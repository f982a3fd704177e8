"""What an answer has to be, JSON of a schema or a match of a pattern, and whether a text is that. No I/O.

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
"""Seconds for one comparison with a pattern."""


@dataclass(frozen=True, slots=True)
class JsonSchema:
    """The answer is JSON that this schema allows: a draft of json-schema.org, the newest unless it says."""

    schema: Mapping[str, object]

    @classmethod
    def parse(cls, text: str, name: str) -> Self:
        """The schema in this text. `name` is what the text is called in errors.

        Raises InputError for what is no JSON or no schema, and for a reference to something outside of it.
        """
        hint = "a JSON Schema is a JSON object; see json-schema.org"
        try:
            schema = _read_json(text)
        except ValueError as error:
            raise InputError(f"{name} is not JSON: {error}", hint=hint) from error
        if not isinstance(schema, dict):
            raise InputError(f"{name} is not a JSON Schema: it is no object", hint=hint)
        if wrong := _wrong_with_schema(schema):
            raise InputError(f"{name} is not a JSON Schema that can be used: {wrong}", hint=hint)
        return cls(schema)

    def wrong_with(self, text: str) -> str | None:
        """Why this text is no answer, and where in it; None where it is one."""
        from jsonschema.exceptions import best_match

        try:
            value = _read_json(text)
        except ValueError as error:
            return f"the answer is not JSON: {error}"
        try:
            found = best_match(_validator(self.schema).iter_errors(value))
        except (RecursionError, ArithmeticError):
            return "the answer is too deep, or holds too large a number, to be compared with the schema"
        except TimeoutError:
            return "the answer takes too long to be compared with a pattern of the schema"
        if found is None:
            return None
        return f"the answer does not match the schema at {found.json_path}: {_shorten(found.message)}"


@dataclass(frozen=True, slots=True)
class Regex:
    """The whole answer matches this pattern, as Python's `re` reads it."""

    pattern: str

    @classmethod
    def parse(cls, pattern: str) -> Self:
        """Raises UsageError for what is no pattern."""
        if not pattern:
            raise UsageError("the pattern is empty", hint="give one, as '[0-9]+'")
        try:
            _compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"the pattern cannot be read: {error}", hint="it is a Python regex") from error
        return cls(pattern)

    def wrong_with(self, text: str) -> str | None:
        """Why this text is no answer; None where it is one."""
        try:
            if _match(self.pattern, text, whole=True):
                return None
        except TimeoutError:
            return f"the answer takes too long to be compared with the pattern {_shorten(self.pattern)}"
        return f"the answer does not match the pattern {_shorten(self.pattern)}"


Constraint = JsonSchema | Regex


def stops_outside(constraint: Constraint | None, stops: Iterable[str]) -> tuple[str, ...]:
    """Those stop texts of a prompt format that cannot be inside such an answer.

    A line end is never inside of JSON's strings, and where it is outside of them no word follows; a
    control token may be quoted in a string. A pattern may allow any text.
    """
    match constraint:
        case None:
            return tuple(stops)
        case JsonSchema():
            return tuple(stop for stop in stops if re.match(r"\n[A-Z]", stop))
        case Regex():
            return ()


def _read_json(text: str) -> object:
    """Raises ValueError for what is no JSON, also for what only Python takes for it."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


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
            return f"it refers to {_shorten(lost)}, which is no schema in it; none is fetched"
        validator.is_valid(None)
    except SchemaError as error:
        return f"at {error.json_path}: {_shorten(error.message)}"
    except RecursionError:
        return "it is nested too deeply, or refers to itself without end"
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
    """JSON Schema Validation, 6.3.3, under a deadline."""
    from jsonschema.exceptions import ValidationError

    if isinstance(value, str) and not _match(pattern, value, whole=False):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _check_pattern_properties(
    validator: Validator, patterns: Mapping[str, Mapping[str, object]], value: object, _: object
) -> Iterator[ValidationError]:
    """JSON Schema, 10.3.2.2, under a deadline."""
    if not isinstance(value, dict):
        return
    for pattern, below in patterns.items():
        for name, each in value.items():
            if _match(pattern, name, whole=False):
                yield from validator.descend(each, below, path=name, schema_path=pattern)


def _lost_reference(schema: Mapping[str, object], validator: Validator) -> str | None:
    """One that leads to no schema: validating would meet it only in the answer that needs it."""
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
            if id(found.contents) not in seen:  # it may be where no schema is looked for
                seen.add(id(found.contents))
                validator.check_schema(found.contents)
                pending.append((draft.create_resource(found.contents), found.resolver))
        pending += [(each, resolver.in_subresource(each)) for each in part.subresources()]
    return None


def _match(pattern: str, text: str, *, whole: bool) -> bool:
    """Whether the pattern matches all of the text, or somewhere in it.

    Raises TimeoutError where that takes too long: patterns can backtrack for years.
    """
    import regex

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in `_compile`
        compiled = regex.compile(pattern)
    match = compiled.fullmatch if whole else compiled.search
    return match(text, timeout=PATIENCE_S) is not None


def _compile(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a pattern may mean one day
        return re.compile(pattern)


def _shorten(text: str) -> str:
    """One line of it: where it is long its two ends, because the reason is at the second."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:80]} ... {line[-115:]}"
