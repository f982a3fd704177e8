"""What config.toml may say, and what is said of the rest."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from llmchat.config.file import Entry, TomlLines, parse
from llmchat.errors import ConfigError

PATH = Path("/home/me/config.toml")


def test_settings_and_profiles_are_read_with_their_lines() -> None:
    file = parse('model = "echo"\n\n[profiles.work]\nurl = "http://x/"\nmodel = "m"\nseed = 7\n', PATH)
    assert file.top == {"model": Entry("echo", 1)}
    assert file.profiles == {
        "work": {"url": Entry("http://x", 4), "model": Entry("m", 5), "seed": Entry(7, 6)}
    }
    assert file.notices == ()


def test_a_profile_with_a_url_and_no_model_leaves_the_model_to_the_server() -> None:
    file = parse('[profiles.a]\nurl = "http://x"\n[profiles.b]\nseed = 1\n', PATH)
    assert file.profiles["a"]["model"] == Entry(None, 2)
    assert "model" not in file.profiles["b"]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("seed = 1\ntemperature = 3\n", ":2: temperature is 3", "0 to 2"),
        ('\ntemperature = "hot"\n', ':2: temperature is "hot"', "a number"),
        ("[profiles.work]\nseed = true\n", ":2: seed is true", "a whole number"),
        ('[profiles]\nwork = { api = "soap" }\n', ':2: api is "soap"', "auto, tgi, openai"),
        ("api = []\n", ":1: api is not usable", "auto, tgi, openai"),
        ("top_k = 0x" + "f" * 5000, ":1: top_k is not usable", "1 to 1000000"),
        ('\nproxy = "::"\n', ":2: the proxy's URL is not supported", "http://host:port"),
        ('url = "localhost:80"\n', ":1: the URL localhost:80 has no scheme", "http://localhost:80"),
        ("profiles = 1\n", ":1: profiles is 1", "[profiles.NAME]"),
        ("[profiles]\nwork = 1\n", ":2: profiles.work is not a profile", "[profiles.work]"),
        ("[profile.work]\n", ":1: profile is not usable", "[profiles.NAME]"),
        ('profile = "wrok"\n[profiles.work]\n', ':1: profile is "wrok"', "did you mean work ?"),
        ('profile = "x"\n', ':1: profile is "x"', "no profiles"),
        ('api_key = "k"\nkey_env = "K"\n', ":2: key_env and api_key both set a key", "one of them"),
        ("a = 1\nb = \n", ":2: invalid value", '"quotes"'),
        ('a = "x\n', ":1: ", '"quotes"'),
        ("a = [\n\n", ":1: ", '"quotes"'),
        ("a = " + "1" * 5000, " is not valid TOML", "llmchat config edit"),
        ("a = " + "[" * 5000, " is not valid TOML", "llmchat config edit"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, PATH)
    assert caught.value.message.startswith(f"{PATH}{message}")
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "text",
    [
        "api_key = 123456789\n",
        'api_key = ["topsecret-123456789"]\n',
        'key_env = "topsecret-123456789"\n',
        'key_env = "hf_topsecret123456789"\n',
        'key_command = "echo \'topsecret-123456789"\n',
        "api_key = topsecret-123456789\n",
        'url = "http://me:topsecret-123456789@host"\n',
    ],
)
def test_a_key_in_the_wrong_place_is_not_quoted(text: str) -> None:
    with pytest.raises(ConfigError, match=":1: ") as caught:
        parse(text, PATH)
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"
    assert "123456789" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("\ntemprature = 1\n", "config.toml:2: there is no setting temprature; did you mean temperature ?"),
        ("zzz = 1\n", "config.toml:1: there is no setting zzz"),
        (
            "[profiles.work]\nmax-tokens = 1\n",
            "config.toml:2: there is no setting max-tokens of profile work; did you mean max_tokens ?",
        ),
        ('[profiles.work]\nprofile = "a"\n', "config.toml:2: there is no setting profile of profile work"),
        (
            "[work]\nseed = 1\n",
            "config.toml:1: there is no setting work; a profile is written [profiles.work]",
        ),
    ],
)
def test_an_unknown_key_is_a_notice_with_the_nearest_name(text: str, notice: str) -> None:
    (said,) = parse(text, PATH).notices
    assert said.startswith(notice)


def test_no_key_is_in_the_repr() -> None:
    file = parse('api_key = "topsecret"\n[profiles.work]\napi_key = "topsecret"\n', PATH)
    assert "topsecret" not in repr(file)


TEXT = '''\
# url = "in a comment"
url = "http://x" # and = behind one
system = """
temperature = 1
[profiles.no]
a quote: \\""" and two more"""""
"quoted key" = 1
stop = [
  "seed = 1",
  'top_k = 2',
]
profiles.dotted.seed = 3

[ profiles . "my work" ] # spaced
url = 'http://y'
literal = \'\'\'
api = 1
\'\'\'
api = "tgi"

[others]
inline = { url = "http://z", seed = 4 }
'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("url",), 2),
        (("system",), 3),
        (("quoted key",), 7),
        (("stop",), 8),
        (("profiles", "dotted", "seed"), 12),
        (("profiles", "my work"), 14),
        (("profiles", "my work", "url"), 15),
        (("profiles", "my work", "api"), 19),
        (("others", "inline"), 22),
        (("others", "inline", "seed"), 22),
        (("nowhere",), 1),
    ],
)
def test_a_key_is_found_on_its_line(keys: tuple[str, ...], line: int) -> None:
    tomllib.loads(TEXT)  # it is TOML
    assert TomlLines(TEXT).line(*keys) == line
