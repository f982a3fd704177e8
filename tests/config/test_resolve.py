"""Which value counts and where it came from, and which key follows from that."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from llmchat.config.keys import ApiKey
from llmchat.config.resolve import Config, Layer, Value, resolve
from llmchat.core.generation import Settings
from llmchat.errors import ConfigError, UsageError

Resolve = Callable[..., Config]
URL = "http://127.0.0.1:8080"


@pytest.fixture
def configure(tmp_path: Path) -> Resolve:
    """The configuration of these flags, variables and lines of .env."""

    def build(flags: Mapping[str, object] | None = None, dotenv: str | None = None, **environ: str) -> Config:
        if dotenv is not None:
            (tmp_path / ".env").write_text(dotenv)
            (tmp_path / ".env").chmod(0o600)
        return resolve(flags or {}, environ=environ, directory=tmp_path)

    return build


def test_the_highest_layer_wins_and_is_remembered(configure: Resolve) -> None:
    layers: list[tuple[dict[str, object], str | None, dict[str, str]]] = [
        ({"temperature": 0.1}, "LLMCHAT_TEMPERATURE=0.3", {"LLMCHAT_TEMPERATURE": "0.2"}),
        ({}, "LLMCHAT_TEMPERATURE=0.3", {"LLMCHAT_TEMPERATURE": "0.2"}),
        ({}, "LLMCHAT_TEMPERATURE=0.3", {}),
        ({}, "", {}),
    ]
    assert [configure(flags, dotenv, **env).values["temperature"] for flags, dotenv, env in layers] == [
        Value(0.1, Layer.FLAG, "--temperature"),
        Value(0.2, Layer.ENVIRONMENT, "LLMCHAT_TEMPERATURE"),
        Value(0.3, Layer.DOTENV, "LLMCHAT_TEMPERATURE"),
        Value(0.7, Layer.DEFAULT, "default"),
    ]


def test_only_what_was_set_counts_as_chosen(configure: Resolve) -> None:
    assert configure().chosen() == Settings()
    chosen = configure({"stop": ["a", "b"]}, LLMCHAT_SEED="7", LLMCHAT_MAX_TOKENS="1024").chosen()
    assert chosen == Settings(stop=("a", "b"), seed=7, max_tokens=1024)


def test_the_courses_variable_is_another_name_for_the_url(configure: Resolve) -> None:
    assert configure(HF_API_FALCOM_BASE=f"{URL}/").values["url"] == Value(
        URL, Layer.ENVIRONMENT, "HF_API_FALCOM_BASE"
    )
    both = configure(HF_API_FALCOM_BASE=URL, LLMCHAT_URL="http://other")
    assert both.text("url") == "http://other"


def test_an_empty_variable_is_an_unset_one_but_an_empty_system_message_is_a_choice(
    configure: Resolve,
) -> None:
    config = configure(LLMCHAT_URL="", LLMCHAT_TEMPERATURE="", LLMCHAT_OFFLINE="", LLMCHAT_SYSTEM="")
    assert (config.text("url"), config.number("temperature"), config.switch("offline")) == (None, 0.7, False)
    assert config.values["system"] == Value("", Layer.ENVIRONMENT, "LLMCHAT_SYSTEM")
    assert configure({"system": ""}).values["system"] == Value("", Layer.FLAG, "--system")


def test_an_empty_flag_is_refused(configure: Resolve) -> None:
    with pytest.raises(UsageError, match="--url is empty"):
        configure({"url": ""})


@pytest.mark.parametrize(
    ("name", "value", "message", "takes"),
    [
        ("temperature", 2.5, "--temperature 2.5 is out of range", "0 to 2"),
        ("max_tokens", 0, "--max-tokens 0 is out of range", "1 to 10000000"),
        ("api", "soap", "--api soap", "auto, tgi, openai"),
    ],
)
def test_a_flag_out_of_range_is_a_usage_error(
    configure: Resolve, name: str, value: object, message: str, takes: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        configure({name: value})
    assert caught.value.hint == f"it takes {takes}"


def test_a_variable_out_of_range_is_a_configuration_error_that_names_it(configure: Resolve) -> None:
    with pytest.raises(ConfigError, match=r"^LLMCHAT_TOP_P is '3'$") as caught:
        configure(LLMCHAT_TOP_P="3")
    assert caught.value.hint == "it takes above 0, at most 1"
    with pytest.raises(ConfigError, match=r"^LLMCHAT_TOP_P in \.env is 'x'$"):
        configure({}, "LLMCHAT_TOP_P=x")


def test_a_layer_that_is_overruled_is_not_judged(configure: Resolve) -> None:
    assert configure({"top_p": 0.5}, LLMCHAT_TOP_P="3").number("top_p") == 0.5


@pytest.mark.parametrize("flags", [{"url": "localhost:8080"}, {}])
def test_a_url_is_checked_wherever_it_comes_from(configure: Resolve, flags: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="no scheme") as caught:
        configure(flags, LLMCHAT_URL="localhost:8080")
    assert "http://localhost:8080" in (caught.value.hint or "")


# Keys


def test_a_key_from_the_environment_goes_to_a_url_of_flag_or_environment(configure: Resolve) -> None:
    expected = ApiKey("LLMCHAT_API_KEY", "k1")
    assert configure({"url": URL}, LLMCHAT_API_KEY="k1").endpoint_key(URL) == expected
    assert configure(LLMCHAT_URL=URL, LLMCHAT_API_KEY="k1").endpoint_key(URL) == expected
    assert configure({"url": URL}, "LLMCHAT_API_KEY=k1").endpoint_key(URL) == expected


def test_a_url_needs_no_key(configure: Resolve) -> None:
    assert configure(LLMCHAT_URL=URL).endpoint_key(URL) is None
    assert configure({}, f"LLMCHAT_URL={URL}").endpoint_key(URL) is None
    assert configure(LLMCHAT_URL=URL, HF_API_KEY="k", OPENAI_API_KEY="k").endpoint_key(URL) is None


def test_a_url_from_dotenv_gets_the_key_from_dotenv(configure: Resolve) -> None:
    config = configure({}, f"HF_API_FALCOM_BASE={URL}\nHF_API_KEY=inside", HF_API_KEY="outside")
    assert config.endpoint_key(URL) == ApiKey("HF_API_KEY", "inside")


@pytest.mark.parametrize(
    ("dotenv", "variable"),
    [
        ("LLMCHAT_URL={url}", "LLMCHAT_API_KEY"),
        ("HF_API_FALCOM_BASE={url}", "LLMCHAT_API_KEY"),
        ("HF_API_FALCOM_BASE={url}", "HF_API_KEY"),
        ("HF_API_FALCOM_BASE={url}", "HF_TOKEN"),
        ("LLMCHAT_URL={url}\nOPENAI_BASE_URL={url}", "OPENAI_API_KEY"),
    ],
)
def test_a_url_from_dotenv_never_gets_a_key_from_elsewhere(
    configure: Resolve, dotenv: str, variable: str
) -> None:
    config = configure({}, dotenv.format(url=URL), **{variable: "topsecret"})
    with pytest.raises(ConfigError, match=rf"in \.env .*{variable}") as caught:
        config.endpoint_key(URL)
    sources = [line.partition("=")[0] for line in dotenv.splitlines()]
    key_env = "" if variable.startswith("LLMCHAT_") else f'; on a line of its own, key_env = "{variable}"'
    assert caught.value.hint == f'if you trust it, add at the top of config.toml: url = "{URL}"{key_env}'
    assert "topsecret" not in caught.value.message
    trust = dict.fromkeys(sources, URL)
    trusted = configure({}, dotenv.format(url=URL), **{variable: "topsecret"}, **trust)
    assert trusted.endpoint_key(URL) == ApiKey(variable, "topsecret")


@pytest.mark.parametrize(
    ("base", "variable"),
    [
        ("HF_API_FALCOM_BASE", "HF_API_KEY"),
        ("HF_API_FALCOM_BASE", "HF_TOKEN"),
        ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
    ],
)
def test_dotenv_does_not_say_where_a_key_from_elsewhere_belongs(
    configure: Resolve, base: str, variable: str
) -> None:
    said = f"{base}={URL}"
    with pytest.raises(ConfigError, match=rf"^{base} in \.env .*{variable}") as caught:
        configure({"url": URL}, said, **{variable: "topsecret"}).endpoint_key(URL)
    lines = f'url = "{URL}"; on a line of its own, key_env = "{variable}"'
    hint = f"if you trust it, add at the top of config.toml: {lines}"
    assert caught.value.hint == hint
    other = "http://127.0.0.1:9"
    assert configure({"url": other}, said, **{variable: "topsecret"}).endpoint_key(other) is None
    beside = configure({"url": URL}, f"{said}\n{variable}=inside")
    assert beside.endpoint_key(URL) == ApiKey(variable, "inside")
    trusted = configure({"url": URL}, "", **{base: URL, variable: "topsecret"})
    assert trusted.endpoint_key(URL) == ApiKey(variable, "topsecret")


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("LLMCHAT_PROXY=http://proxy.example", "https://llm.example"),
        ("LLMCHAT_CA_FILE=ca.pem", "https://llm.example"),
        ("LLMCHAT_ALLOW_INSECURE_HTTP=1", "http://llm.example"),
    ],
)
def test_neither_the_way_to_a_url_may_come_from_dotenv_if_the_key_does_not(
    configure: Resolve, line: str, url: str
) -> None:
    config = configure({"url": url}, line, LLMCHAT_API_KEY="topsecret")
    with pytest.raises(ConfigError, match=line.partition("=")[0]):
        config.endpoint_key(url)
    assert configure({"url": url}, line).endpoint_key(url) is None
    assert configure({"url": url}, f"{line}\nLLMCHAT_API_KEY=k").endpoint_key(url)


@pytest.mark.parametrize("url", ["http://llm.example", "HTTP://llm.example", "http://10.0.0.1:80"])
def test_a_key_travels_over_http_only_to_this_machine(configure: Resolve, url: str) -> None:
    config = configure({"url": url}, LLMCHAT_API_KEY="topsecret")
    with pytest.raises(ConfigError, match="sent unencrypted") as caught:
        config.endpoint_key(url)
    assert "topsecret" not in caught.value.message
    allowed = configure({"url": url}, LLMCHAT_API_KEY="k", LLMCHAT_ALLOW_INSECURE_HTTP="1")
    assert allowed.endpoint_key(url) == ApiKey("LLMCHAT_API_KEY", "k")


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://[::1]:1", "http://127.1.2.3", "https://x.example"]
)
def test_a_key_goes_to_this_machine_and_over_tls(configure: Resolve, url: str) -> None:
    assert configure({"url": url}, LLMCHAT_API_KEY="k").endpoint_key(url)


def test_no_key_is_in_the_configurations_repr(configure: Resolve) -> None:
    config = configure({}, "HF_API_KEY=topsecret", LLMCHAT_API_KEY="topsecret")
    assert "topsecret" not in repr(config)


@pytest.mark.parametrize(
    ("where", "flags", "dotenv", "environ"),
    [
        ("LLMCHAT_URL", {}, None, {"LLMCHAT_URL": "::"}),
        ("HF_API_FALCOM_BASE", {}, None, {"HF_API_FALCOM_BASE": "::"}),
        ("LLMCHAT_URL in .env", {}, "LLMCHAT_URL=::", {}),
        ("--url", {"url": "::"}, None, {}),
        ("LLMCHAT_PROXY", {}, None, {"LLMCHAT_PROXY": "::"}),
        ("LLMCHAT_PROXY in .env", {}, "LLMCHAT_PROXY=::", {}),
    ],
)
def test_what_is_no_url_is_named_by_where_it_came_from(
    configure: Resolve, where: str, flags: dict[str, object], dotenv: str | None, environ: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(where)}: the "):
        configure(flags, dotenv, **environ)
