"""Converts a regular expression to a GBNF grammar of llama.cpp (its grammars/README.md).

The grammar allows nothing that the pattern does not match as a whole. It may allow less: \\w, \\d and \\s
stand for ASCII characters, and \\W leaves out what is not ASCII.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from re import _parser  # type: ignore[attr-defined] # typeshed knows it by its name of old, sre_parse
from types import MappingProxyType

from llmchat.errors import UsageError

Item = tuple[object, object]
"""A node of `re`'s parse tree: its kind, as a named constant, and its arguments."""

Ranges = tuple[tuple[int, int], ...]
"""A set of characters: inclusive ranges of code points, in order, not overlapping."""

LAST = 0x10FFFF
_UNENDING = int(_parser.MAXREPEAT)
_ENDS = MappingProxyType({"AT_BEGINNING": 0, "AT_BEGINNING_STRING": 0, "AT_END": 1, "AT_END_STRING": 1})
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ASSERT": "lookahead or lookbehind",
        "ASSERT_NOT": "negative lookahead or lookbehind",
        "GROUPREF": "a back reference",
        "GROUPREF_EXISTS": "a condition on a group",
        "ATOMIC_GROUP": "an atomic group",
        "POSSESSIVE_REPEAT": "a possessive repeat",
        "AT_BOUNDARY": r"a word boundary \b",
        "AT_NON_BOUNDARY": r"\B",
        "AT_BEGINNING": "an anchor ^ that is not at the beginning",
        "AT_BEGINNING_STRING": r"an anchor \A that is not at the beginning",
        "AT_END": "an anchor $ that is not at the end",
        "AT_END_STRING": r"an anchor \Z that is not at the end",
        "FAILURE": "an empty negative lookahead",
    }
)
"""What GBNF cannot express, or not in reasonable size."""
_CATEGORIES = MappingProxyType({"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"})


def to_gbnf(pattern: str) -> str:
    """The grammar for a valid pattern. Raises UsageError for parts that GBNF cannot express."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = _parser.parse(pattern)
        return f"root ::= {_sequence(parsed, parsed.state.flags, at_ends=(True, True))}\n"
    except RecursionError as error:
        raise _impossible("groups nested this deeply") from error


def _sequence(part: object, flags: int, *, at_ends: tuple[bool, bool]) -> str:
    """`at_ends`: True if the first item is at the start of the answer, and the last at its end."""
    assert isinstance(part, _parser.SubPattern)
    items: list[Item] = list(part)
    if flags & re.IGNORECASE:
        raise _impossible("(?i)")
    parts, last = [], len(items) - 1
    while last >= 0 and _is_anchor(items[last], 1):
        last -= 1
    first = 0
    while first < len(items) and _is_anchor(items[first], 0):
        first += 1
    for number, item in enumerate(items):
        ends = (at_ends[0] and number <= first, at_ends[1] and number >= last)
        parts.append(_item(item, flags, at_ends=ends))
    return " ".join(part for part in parts if part) or '""'


def _is_anchor(item: Item, end: int) -> bool:
    kind, value = item
    return str(kind) == "AT" and _ENDS.get(str(value)) == end


def _item(item: Item, flags: int, *, at_ends: tuple[bool, bool]) -> str:
    match str(item[0]), item[1]:
        case "AT", where:
            end = _ENDS.get(str(where))
            if end is None or not at_ends[end]:
                raise _impossible(_NAMES[str(where)])
            return ""
        case "BRANCH", (_, [*branches]):
            return "(" + " | ".join(_sequence(each, flags, at_ends=at_ends) for each in branches) + ")"
        case "SUBPATTERN", (_, int(added), int(removed), inner):
            return f"({_sequence(inner, flags & ~removed | added, at_ends=at_ends)})"
        case "MAX_REPEAT" | "MIN_REPEAT", (int(least), int(most), inner):
            return _repeat(inner, flags, least, most)
        case "ANY", _:
            return _class(((0, LAST),) if flags & re.DOTALL else _complement(((10, 10),)))
        case kind, value if (found := _characters(kind, value)) is not None:
            return _class(found)
        case kind, _:
            raise _impossible(_NAMES.get(kind, kind))


def _repeat(inner: object, flags: int, least: int, most: int) -> str:
    assert isinstance(inner, _parser.SubPattern)
    if most == _UNENDING and inner.getwidth()[0] == 0:  # llama.cpp calls it a left recursion
        raise _impossible("an unbounded repeat of something that can be empty, such as (a*)*")
    body = _sequence(inner, flags, at_ends=(False, False))
    return f"({body}){{{least},{'' if most == _UNENDING else most}}}"


def _characters(kind: str, value: object, *, most: bool = False) -> Ranges | None:
    """The characters that an item can match; with `most`, a superset of them."""
    match kind, value:
        case "LITERAL", int():
            return ((value, value),)
        case "NOT_LITERAL", int():
            return _complement(((value, value),))
        case "RANGE", (int(low), int(high)):
            return ((low, high),)
        case "CATEGORY", _:
            name = str(value).removeprefix("CATEGORY_")
            if name.startswith("NOT_"):
                return _complement(_category(name.removeprefix("NOT_"), most=not most))
            return _category(name, most=most)
        case "IN", list(items):
            return _any_of(items, most=most)
    return None


def _any_of(items: Sequence[Item], *, most: bool) -> Ranges:
    """A class in brackets."""
    negated = str(items[0][0]) == "NEGATE"
    parts = [_characters(str(kind), value, most=most != negated) for kind, value in items[negated:]]
    together = _union(each for part in parts for each in part or ())
    return _complement(together) if negated else together


@cache
def _category(name: str, *, most: bool) -> Ranges:
    """The ASCII characters of a category; with `most`, a superset of all its characters."""
    in_ascii = _union(
        (each, each) for each in range(0x80) if re.match(_CATEGORIES[name], chr(each), re.ASCII)
    )
    if not most:
        return in_ascii
    if name == "WORD":  # hundreds of ranges, which every token would be compared with
        return (*in_ascii, (0x80, LAST))
    test = str.isdecimal if name == "DIGIT" else str.isspace
    return _union((each, each) for each in range(LAST + 1) if test(chr(each)))


def _union(ranges: Iterable[tuple[int, int]]) -> Ranges:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _complement(ranges: Ranges) -> Ranges:
    def gaps() -> Iterator[tuple[int, int]]:
        start = 0
        for low, high in ranges:
            if start < low:
                yield start, low - 1
            start = high + 1
        if start <= LAST:
            yield start, LAST

    return tuple(gaps())


def _class(ranges: Ranges) -> str:
    """The class in GBNF, negated if that is shorter."""
    if not ranges:
        raise _impossible("an empty character class")
    if ranges == ((0, LAST),):
        return "."
    negated = ranges[-1][1] == LAST
    shown = _complement(ranges) if negated else ranges
    inside = "".join(_escape(low) + (f"-{_escape(high)}" if low < high else "") for low, high in shown)
    return f"[{'^' if negated else ''}{inside}]"


def _escape(point: int) -> str:
    return chr(point) if chr(point).isascii() and chr(point).isalnum() else f"\\U{point:08X}"


def _impossible(what: str) -> UsageError:
    return UsageError(
        f"llama.cpp does not support a pattern with {what}",
        hint="supported are literals, classes, groups, alternatives and repeats",
    )
