"""What a key of config.toml takes, whatever TOML has in its place."""

from __future__ import annotations

import datetime as dt
import tomllib

import pytest

from llmchat.config.setting import to_toml
from llmchat.config.settings import SETTINGS


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("temperature", 1, 1.0),
        ("temperature", 0.5, 0.5),
        ("max_tokens", 7, 7),
        ("offline", True, True),
        ("api", "tgi", "tgi"),
        ("system", "", ""),
        ("url", "", None),
        ("stop", "END", ("END",)),
        ("stop", ["a", "b"], ("a", "b")),
        ("key_command", "pass show 'a b'", ("pass", "show", "a b")),
        ("key_command", ["pass", "show x"], ("pass", "show x")),
        ("key_command", "", None),
    ],
)
def test_toml_becomes_a_value_of_the_settings_kind(name: str, given: object, value: object) -> None:
    read = SETTINGS[name].from_toml(given)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "given", "takes"),
    [
        ("temperature", "0.5", "a number"),
        ("temperature", True, "a number"),
        ("temperature", float("nan"), "0 to 2"),
        ("temperature", 10**400, "0 to 2"),
        ("max_tokens", 1.5, "a whole number"),
        ("max_tokens", False, "a whole number"),
        ("max_tokens", 0, "1 to 10000000"),
        ("offline", "yes", "true or false"),
        ("offline", 1, "true or false"),
        ("api", "soap", "auto, tgi, openai"),
        ("api", "", "auto, tgi, openai"),
        ("model", 7, "text in quotes"),
        ("model", "a\0b", "text in quotes"),
        ("url", dt.date(2025, 1, 1), "text in quotes"),
        ("stop", [], "a list of texts"),
        ("stop", [""], "not empty"),
        ("stop", [1], "a list of texts"),
        ("key_command", "pass 'show", "quote"),
        ("key_command", {"a": 1}, "a list of texts"),
    ],
)
def test_what_a_setting_does_not_take_is_told(name: str, given: object, takes: str) -> None:
    with pytest.raises(ValueError, match=takes):
        SETTINGS[name].from_toml(given)


@pytest.mark.parametrize("value", ['a "quote" \\ \x7f \n é', True, 0.7, 10_000_000, ("a", 'b"')])
def test_what_is_written_as_toml_is_read_as_it_was(value: str | bool | float | tuple[str, ...]) -> None:
    read = tomllib.loads(f"x = {to_toml(value)}")["x"]
    assert (tuple(read) if isinstance(read, list) else read) == value
