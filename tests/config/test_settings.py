"""The table of settings: what each takes, from whatever it is read."""

from __future__ import annotations

import pytest

from llmchat.config.resolve import defaults
from llmchat.config.settings import COURSE_SYSTEM, SETTINGS
from llmchat.core.generation import Settings


def test_the_defaults_are_the_promised_ones() -> None:
    assert defaults() == Settings(temperature=0.7, max_tokens=1024)
    assert {name: SETTINGS[name].default for name in ("api", "auth", "prompt_format")} == {
        "api": "auto",
        "auth": "bearer",
        "prompt_format": "transcript",
    }
    assert COURSE_SYSTEM == (
        "A conversation between a user and an LLM-based AI assistant. "
        "The assistant gives helpful and honest answers."
    )


def test_every_sampling_setting_is_a_live_one() -> None:
    assert {name for name, setting in SETTINGS.items() if setting.live} == set(Settings.__slots__)


def test_no_spelling_of_an_option_is_used_twice_and_no_option_takes_a_key() -> None:
    flags = [flag for setting in SETTINGS.values() for flag in setting.flags]
    assert len(flags) == len(set(flags))
    assert not SETTINGS["api_key"].flags


@pytest.mark.parametrize("name", SETTINGS)
def test_a_default_is_something_the_setting_takes(name: str) -> None:
    setting = SETTINGS[name]
    if setting.default is not None:
        assert setting.check(setting.default) == setting.default


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0", 0.0),
        ("temperature", " 1.5 ", 1.5),
        ("max_tokens", "7", 7),
        ("stop", "a\n\nb c", ("a", "b c")),
        ("offline", "1", True),
        ("offline", " Yes ", True),
        ("offline", "off", False),
        ("offline", "", False),
        ("api", "tgi", "tgi"),
        ("system", " as it is ", " as it is "),
    ],
)
def test_text_becomes_a_value_of_the_settings_kind(name: str, text: str, value: object) -> None:
    parsed = SETTINGS[name].parse(text)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "takes"),
    [
        ("temperature", "2.1", "0 to 2"),
        ("temperature", "nan", "0 to 2"),
        ("temperature", "warm", "a number"),
        ("max_tokens", "1.5", "a whole number"),
        ("max_tokens", "0", "1 to 10000000"),
        ("top_p", "0", "above 0, at most 1"),
        ("offline", "perhaps", "on or off"),
        ("api", "soap", "auto, tgi, openai"),
        ("idle_timeout", "0", "above 0"),
    ],
)
def test_what_a_setting_does_not_take_is_refused_with_what_it_takes(name: str, text: str, takes: str) -> None:
    with pytest.raises(ValueError, match=f"it takes {takes}"):
        SETTINGS[name].parse(text)


@pytest.mark.parametrize(
    ("name", "words"),
    [("temperature", "0 to 2"), ("api", "auto | tgi | openai"), ("plain", "on | off"), ("stop", "text")],
)
def test_what_it_takes_can_be_said_in_words(name: str, words: str) -> None:
    assert SETTINGS[name].takes() == words
