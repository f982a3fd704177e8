"""What an answer has to be: which schemas and patterns can be used, and which texts keep them."""

from __future__ import annotations

import json
import socket

import pytest

from llmchat.core.constraint import JsonSchema, Regex, stops_outside
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import InputError, UsageError

PERSON = JsonSchema.parse(
    json.dumps(
        {
            "type": "object",
            "properties": {"mood": {"enum": ["happy", "sad"]}, "ages": {"items": {"$ref": "#/$defs/age"}}},
            "required": ["mood"],
            "$defs": {"age": {"type": "integer", "minimum": 0}},
        }
    ),
    "person.json",
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "s.json is not JSON: .* line 1 column 2"),
        ('{"minimum": NaN}', "is not JSON: NaN"),
        ("[" * 100_000, "nested too deeply"),
        ("[1]", "not an object"),
        ("true", "not an object"),
        ('{"properties": {"a": {"type": "objekt"}}}', r"at \$.properties.a.type: 'objekt'"),
        ('{"properties": {"a": {"pattern": "("}}}', r"at \$.properties.a.pattern: "),
        ('{"$schema": "urn:mine"}', "'urn:mine' is unknown"),
        ('{"$schema": 3}', "3 is unknown"),
        ('{"items": {"$ref": "#/$defs/lost"}}', r"refers to #/\$defs/lost"),
        ('{"items": {"$ref": "#anchor"}}', "refers to #anchor"),
        ('{"$ref": "#/enum/0", "enum": [1]}', "refers to #/enum/0"),
        ('{"$ref": "#/there", "there": {"type": "objekt"}}', "'objekt'"),
        ('{"$ref": "#/there", "there": {"items": {"$ref": "#/lost"}}}', "refers to #/lost"),
        ('{"$ref": "http://[::1"}', "refers to http"),
        ('{"$ref": "#"}', "itself endlessly"),
    ],
)
def test_what_is_no_schema_that_can_be_used_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as refused:
        JsonSchema.parse(text, "s.json")
    assert refused.value.message.startswith("s.json is not ")


@pytest.mark.parametrize(
    "schema",
    [
        {"$schema": "http://json-schema.org/draft-07/schema#", "$ref": "#/d/a", "d": {"a": {}}},
        {"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://h/s", "items": {"$ref": "#"}},
        {"$id": "http://h/root", "$defs": {"a": {"$id": "a"}}, "items": {"$ref": "a"}},
        {"$defs": {"n": {"$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}}}, "$ref": "#/$defs/n"},
        {"properties": {"$ref": {"type": "string"}}, "enum": [{"$ref": "no reference"}]},
        {},
    ],
)
def test_a_schema_of_any_draft_may_refer_to_itself(schema: dict[str, object]) -> None:
    assert JsonSchema.parse(json.dumps(schema), "s.json").schema == schema


def test_a_remote_reference_is_never_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that would answer is listening: it must not even be connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/s.json"
        with pytest.raises(InputError, match="references are never downloaded"):
            JsonSchema.parse(json.dumps({"items": {"$ref": url}}), "s.json")
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "text", ['{"mood": "sad"}', ' {"mood":"happy","ages":[1,2]}\n', '{"mood": "sad", "x": 1}']
)
def test_json_that_the_schema_allows_is_an_answer(text: str) -> None:
    assert PERSON.wrong_with(text) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the answer is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('{"mood": "sad"} and so on', "the answer is not JSON: Extra data: line 1 column 17 (char 16)"),
        ('{"mood": NaN}', "the answer is not JSON: NaN is not a number"),
        ("[" * 100_000, "the answer is not JSON: it is nested too deeply"),
        ("{}", "the answer does not match the schema at $: 'mood' is a required property"),
        (
            '{"mood": "sad", "ages": [1, -2]}',
            "the answer does not match the schema at $.ages[1]: -2 is less than the minimum of 0",
        ),
    ],
)
def test_what_is_wrong_with_an_answer_is_said_with_its_place(text: str, why: str) -> None:
    assert PERSON.wrong_with(text) == why


def test_a_long_reason_keeps_its_end() -> None:
    why = JsonSchema({"type": "integer"}).wrong_with(json.dumps("word " * 1000))
    assert why is not None
    assert len(why) < 300
    assert why.endswith("' is not of type 'integer'")


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"multipleOf": 0.1}, "1" + "0" * 400),
        ({"properties": {"a": {"$ref": "#/properties/a"}}}, '{"a": 1}'),
    ],
    ids=["a number", "a circle"],
)
def test_what_cannot_be_compared_is_no_answer_and_no_bug(schema: dict[str, object], text: str) -> None:
    why = JsonSchema(schema).wrong_with(text)
    assert why is not None
    assert "to be checked" in why


def test_the_whole_answer_has_to_match_a_pattern() -> None:
    date = Regex.parse(r"\d{4}-\d{2}")
    assert date.wrong_with("2024-05") is None
    for text in ("2024-05\n", " 2024-05", "2024-051", ""):
        assert date.wrong_with(text) == r"the answer does not match the pattern \d{4}-\d{2}"


@pytest.mark.parametrize("pattern", ["", "(", "[z-a]", "a{99999999999}", "(" * 100_000])
def test_what_is_no_pattern_is_a_wrong_argument(pattern: str) -> None:
    with pytest.raises(UsageError, match="the pattern"):
        Regex.parse(pattern)


def test_a_pattern_that_python_has_doubts_about_is_taken_in_silence() -> None:
    assert Regex.parse("[[a]").wrong_with("[") is None


def test_no_stop_text_of_a_format_is_in_an_answer_that_is_held_to_something() -> None:
    transcript, chatml = FORMATS["transcript"].stop, FORMATS["chatml"].stop
    assert stops_outside(None, transcript) == transcript
    assert stops_outside(PERSON, transcript) == ("\nUser:", "\nSystem:", "\nAssistant:")
    assert stops_outside(PERSON, chatml) == ()
    assert stops_outside(Regex("(?s).*"), transcript) == ()


SLOW, LONG = "(a|aa)+$", "a" * 60 + "!"


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (Regex(SLOW), LONG),
        (JsonSchema({"properties": {"a": {"type": "string", "pattern": f"^{SLOW}"}}}), f'{{"a": "{LONG}"}}'),
        (JsonSchema({"patternProperties": {f"^{SLOW}": {"type": "null"}}}), f'{{"{LONG}": 1}}'),
    ],
    ids=["pattern", "schema", "property"],
)
def test_a_pattern_that_backtracks_for_years_is_given_up(
    constraint: JsonSchema | Regex, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmchat.core.constraint.PATIENCE_S", 0.05)
    assert "takes too long" in (constraint.wrong_with(text) or "")


def test_patterns_that_only_look_slow_are_compared() -> None:
    assert Regex("(a+)+b").wrong_with("a" * 60) is not None
    assert Regex("(a+)+b").wrong_with("a" * 60 + "b") is None
