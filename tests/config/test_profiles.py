"""What config.toml and its profiles change, on which layer, and where their keys go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from llmchat.config.file import parse
from llmchat.config.keys import ApiKey
from llmchat.config.resolve import Config, Layer, Value, resolve
from llmchat.core.generation import Settings
from llmchat.errors import ConfigError

Resolve = Callable[..., Config]

TOML = """\
temperature = 0.3
model = "echo"
url = "https://top.example"

[profiles.work]
url = "https://work.example/v1"
api = "openai"
auth = "basic"
seed = 7
key_env = "WORK_KEY"

[profiles.fast]
model = "mini"
temperature = 1
"""


@pytest.fixture
def configure(tmp_path: Path) -> Resolve:
    """The configuration of these flags, variables, config.toml and .env."""

    def build(
        flags: Mapping[str, object] | None = None, *, toml: str = TOML, dotenv: str = "", **environ: str
    ) -> Config:
        (tmp_path / ".env").write_text(dotenv)
        (tmp_path / ".env").chmod(0o600)
        file = parse(toml, Path("/me/config.toml"))
        return resolve(flags or {}, environ=environ, directory=tmp_path, file=file)

    return build


def test_the_file_is_between_the_environment_and_dotenv(configure: Resolve) -> None:
    name, dotenv = "temperature", "LLMCHAT_TEMPERATURE=0.9"
    assert configure(dotenv=dotenv).values[name] == Value(0.3, Layer.FILE, "config.toml:1")
    above = configure(dotenv=dotenv, LLMCHAT_TEMPERATURE="0.5").values[name]
    assert above == Value(0.5, Layer.ENVIRONMENT, "LLMCHAT_TEMPERATURE")
    assert configure(toml="", dotenv=dotenv).values[name].origin == ".env"


def test_an_empty_text_unsets_what_a_lower_layer_says(configure: Resolve) -> None:
    config = configure(toml='proxy = ""\nstop = ""\n', dotenv="LLMCHAT_PROXY=http://p\nLLMCHAT_STOP=x")
    assert config.values["proxy"] == Value(None, Layer.FILE, "config.toml:1")
    assert config.chosen() == Settings()


@pytest.mark.parametrize(
    ("flags", "environ", "layer", "source"),
    [
        ({"model": "work"}, {}, Layer.FLAG, "--model"),
        ({}, {"LLMCHAT_PROFILE": "work"}, Layer.PROFILE, "LLMCHAT_PROFILE"),
        ({}, {"LLMCHAT_MODEL": "work"}, Layer.PROFILE, "LLMCHAT_MODEL"),
        ({"model": "work"}, {"LLMCHAT_PROFILE": "fast"}, Layer.FLAG, "--model"),
        ({"model": "work"}, {"LLMCHAT_PROFILE": "no such"}, Layer.FLAG, "--model"),
        ({"model": "other"}, {"LLMCHAT_PROFILE": "work"}, Layer.PROFILE, "LLMCHAT_PROFILE"),
    ],
)
def test_a_profile_is_chosen_by_model_or_variable(
    configure: Resolve, flags: dict[str, object], environ: dict[str, str], layer: Layer, source: str
) -> None:
    config = configure(flags, **environ)
    assert config.values["profile"] == Value("work", layer, source)
    assert config.values["url"] == Value("https://work.example/v1", layer, "profile work (config.toml:6)")
    assert config.text("model") == ("other" if flags.get("model") == "other" else None)
    assert config.chosen() == Settings(temperature=0.3, seed=7)


def test_the_file_and_dotenv_may_choose_one_too(configure: Resolve) -> None:
    config = configure(toml=f'profile = "fast"\n{TOML}', dotenv="LLMCHAT_PROFILE=work")
    assert config.values["profile"] == Value("fast", Layer.PROFILE, "config.toml:1")
    assert (config.text("model"), config.text("url")) == ("mini", "https://top.example")
    config = configure(dotenv="LLMCHAT_PROFILE=work")
    assert config.values["profile"].value == "work"
    assert config.text("url") == "https://work.example/v1"


def test_a_profile_that_a_variable_chose_gives_way_to_variables(configure: Resolve) -> None:
    config = configure(LLMCHAT_PROFILE="work", LLMCHAT_URL="https://mine.example", LLMCHAT_SEED="8")
    assert (config.text("url"), config.number("seed")) == ("https://mine.example", 8)


def test_a_profile_that_was_named_on_the_command_line_does_not(configure: Resolve) -> None:
    said = {"LLMCHAT_URL": "https://mine.example", "LLMCHAT_SEED": "8", "LLMCHAT_MODEL": "gpt"}
    config = configure({"model": "work"}, **said)
    assert (config.text("url"), config.number("seed")) == ("https://work.example/v1", 7)
    assert config.text("model") is None  # LLMCHAT_MODEL is for the other server


def test_flags_win_over_the_profile_that_stands_beside_them(configure: Resolve) -> None:
    config = configure({"model": "work", "url": "https://flag.example", "seed": 1})
    assert (config.text("url"), config.number("seed")) == ("https://flag.example", 1)
    assert config.text("api") == "openai"


def test_a_profile_named_like_a_model_is_the_profile_and_may_name_that_model(configure: Resolve) -> None:
    config = configure({"model": "echo"}, toml='[profiles.echo]\nmodel = "echo"\nseed = 3\n')
    assert config.values["model"] == Value("echo", Layer.FLAG, "profile echo (config.toml:2)")
    assert config.number("seed") == 3


@pytest.mark.parametrize(
    ("environ", "dotenv", "message", "hint"),
    [
        ({"LLMCHAT_PROFILE": "wrok"}, "", "LLMCHAT_PROFILE is 'wrok'", "did you mean work ?"),
        ({"LLMCHAT_PROFILE": "zzz"}, "", "LLMCHAT_PROFILE is 'zzz'", "the profiles are work, fast"),
        ({}, "LLMCHAT_PROFILE=zzz", "LLMCHAT_PROFILE in .env is 'zzz'", "the profiles are work, fast"),
    ],
)
def test_a_profile_that_is_not_there_is_an_error(
    configure: Resolve, environ: dict[str, str], dotenv: str, message: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configure(dotenv=dotenv, **environ)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_another_profile_in_the_repl_takes_the_place_of_what_was_changed(configure: Resolve) -> None:
    config = configure({"url": "https://flag.example", "seed": 1}).changed("system", "Mine.")
    config = config.changed("prompt_format", "chatml").changed("model", "gpt").with_profile("work")
    assert config.text("url") == "https://work.example/v1"
    assert (config.number("seed"), config.text("model")) == (7, None)
    assert (config.text("prompt_format"), config.text("system")) == ("chatml", "Mine.")
    back = config.with_profile(None)
    assert (back.text("url"), back.number("seed")) == ("https://flag.example", 1)


# Unknown names


def test_unknown_variables_are_said_with_the_nearest_name_and_others_are_not(configure: Resolve) -> None:
    config = configure(
        toml="temprature = 1\n",
        dotenv="LLMCHAT_SEEED=1\nLLMCHAT_HOME=/x\nPATH=/x\n",
        LLMCHAT_TEMPRATURE="1",
        LLMCHAT_HOME="/x",
        LLMCHAT_CONFIG="x",
        LLMCHAT_TEST_WEIGHTS="x",
        LLMCHAT_KEY_COMMAND="evil",
        OTHER_TEMPRATURE="x",
    )
    assert config.notices == (
        "config.toml:1: there is no setting temprature; did you mean temperature ?",
        "there is no setting LLMCHAT_TEMPRATURE; did you mean LLMCHAT_TEMPERATURE ?",
        "there is no setting LLMCHAT_KEY_COMMAND",
        "there is no setting LLMCHAT_SEEED in .env; did you mean LLMCHAT_SEED ?",
    )
    assert config.own_key() is None


# Keys

WORK, TOP, ELSEWHERE = "https://work.example/v1", "https://top.example", "https://elsewhere.example"


def test_a_key_goes_to_the_url_of_its_profile_and_nowhere_else(configure: Resolve) -> None:
    config = configure({"model": "work"}, WORK_KEY=" k1 ")
    assert config.endpoint_key(WORK) == ApiKey("WORK_KEY", "k1")
    moved = configure({"model": "work", "url": ELSEWHERE}, WORK_KEY="k1")
    assert moved.endpoint_key(ELSEWHERE) is None
    said = f"the key in WORK_KEY belongs to {WORK}, so it is not sent to {ELSEWHERE}"
    assert moved.withheld_key(ELSEWHERE) == said
    assert config.withheld_key(WORK) is None
    for other in ("http://work.example/v1", "https://work.example:8443", "https://work.example.evil"):
        assert config.endpoint_key(other) is None


def test_a_variable_that_holds_no_key_is_named(configure: Resolve) -> None:
    for environ in ({}, {"WORK_KEY": " "}, {"LLMCHAT_API_KEY": "other"}):
        with pytest.raises(ConfigError, match="WORK_KEY is not set"):
            configure({"model": "work"}, **environ).endpoint_key(WORK)


def test_a_key_that_is_named_higher_up_wins(configure: Resolve) -> None:
    toml = TOML.replace('key_env = "WORK_KEY"', 'api_key = "of-work"')
    work = ApiKey("profile work (config.toml:10)", "of-work")
    assert configure({"model": "work"}, toml=toml, LLMCHAT_API_KEY="e").endpoint_key(WORK) == work
    chosen = configure(toml=toml, LLMCHAT_PROFILE="work", LLMCHAT_API_KEY="e")
    assert chosen.endpoint_key(WORK) == ApiKey("LLMCHAT_API_KEY", "e")
    assert configure(toml=toml, dotenv="LLMCHAT_API_KEY=d", LLMCHAT_PROFILE="work").endpoint_key(WORK) == work


def test_a_key_at_the_top_belongs_to_the_url_at_the_top(configure: Resolve) -> None:
    toml = f'api_key = "of-top"\n{TOML}'.replace('key_env = "WORK_KEY"\n', "")
    assert configure(toml=toml).endpoint_key(TOP) == ApiKey("config.toml:1", "of-top")
    assert configure({"model": "work"}, toml=toml).endpoint_key(WORK) is None
    assert configure({"model": "fast"}, toml=toml).endpoint_key(TOP) == ApiKey("config.toml:1", "of-top")
    alone = configure(toml='api_key = "k"\n')
    assert alone.endpoint_key(ELSEWHERE) == ApiKey("config.toml:1", "k")


def test_a_profile_without_a_url_has_its_key_for_the_url_at_the_top(configure: Resolve) -> None:
    toml = f'{TOML}api_key = "of-fast"\n'
    config = configure({"model": "fast"}, toml=toml)
    assert config.endpoint_key(TOP) == ApiKey("profile fast (config.toml:15)", "of-fast")
    assert config.endpoint_key(ELSEWHERE) is None


@pytest.mark.parametrize("place", ["environ", "dotenv"])
def test_a_key_belongs_to_the_url_that_stands_beside_it(configure: Resolve, place: str) -> None:
    both = {"LLMCHAT_URL": ELSEWHERE, "LLMCHAT_API_KEY": "k"}
    lines = "\n".join(f"{name}={value}" for name, value in both.items())
    said = {"dotenv": lines} if place == "dotenv" else both
    work = TOML.replace('key_env = "WORK_KEY"\n', "")
    assert configure({"model": "work"}, toml=work, **said).endpoint_key(WORK) is None
    assert configure(toml="", **said).endpoint_key(ELSEWHERE) == ApiKey("LLMCHAT_API_KEY", "k")


def test_the_courses_url_does_not_claim_llmchats_own_key(configure: Resolve) -> None:
    config = configure({"url": WORK}, toml="", HF_API_FALCOM_BASE=ELSEWHERE, LLMCHAT_API_KEY="k")
    assert config.endpoint_key(WORK) == ApiKey("LLMCHAT_API_KEY", "k")


def test_a_command_is_named_and_not_run(configure: Resolve) -> None:
    toml = f'[profiles.work]\nurl = "{WORK}"\nkey_command = "no-such-program x"\n'
    key = configure({"model": "work"}, toml=toml).endpoint_key(WORK)
    assert key == ApiKey("key_command no-such-program", None, ("no-such-program", "x"))


@pytest.mark.parametrize("line", ['api_key = "k"', 'key_command = "pass x"', 'key_env = "K"'])
def test_no_key_of_the_file_travels_in_the_clear(configure: Resolve, line: str) -> None:
    toml = f'[profiles.work]\nurl = "http://work.example"\n{line}\n'
    with pytest.raises(ConfigError, match="sent unencrypted"):
        configure({"model": "work"}, toml=toml, K="k").endpoint_key("http://work.example")
    allowed = configure({"model": "work"}, toml=f"{toml}allow_insecure_http = true\n", K="k")
    assert allowed.endpoint_key("http://work.example")


@pytest.mark.parametrize("line", ['api_key = "topsecret"', 'key_command = "pass x"', 'key_env = "K"'])
def test_a_url_from_dotenv_never_gets_a_key_of_the_file(configure: Resolve, line: str) -> None:
    dotenv = f"LLMCHAT_URL={ELSEWHERE}\n"
    with pytest.raises(ConfigError, match=r"LLMCHAT_URL in \.env would decide") as caught:
        configure(toml=f"{line}\n", dotenv=dotenv, K="topsecret").endpoint_key(ELSEWHERE)
    hint = f'if you trust it, add at the top of /me/config.toml: url = "{ELSEWHERE}"'
    assert caught.value.hint == hint
    assert "topsecret" not in caught.value.message
    _, _, added = hint.partition("config.toml: ")
    trusted = configure(toml=f"{line}\n{added}\n", dotenv=dotenv, K="topsecret")
    assert trusted.endpoint_key(ELSEWHERE) is not None


def test_what_is_to_be_added_to_trust_dotenv_shows_no_password(configure: Resolve) -> None:
    dotenv = "LLMCHAT_PROXY=http://me:topsecret@proxy.example:3128\nLLMCHAT_CA_FILE=a b.pem\n"
    with pytest.raises(ConfigError) as caught:
        configure({"url": WORK}, toml="", dotenv=dotenv, LLMCHAT_API_KEY="k").endpoint_key(WORK)
    assert caught.value.hint == (
        'if you trust it, add at the top of /me/config.toml: proxy = "http://proxy.example:3128"; '
        f'on a line of its own, ca_file = "{Path("a b.pem").absolute()}"'
    )


def test_a_profile_that_dotenv_chose_keeps_its_own_url_and_key(configure: Resolve) -> None:
    config = configure(dotenv=f"LLMCHAT_PROFILE=work\nLLMCHAT_URL={ELSEWHERE}\n", WORK_KEY="k")
    assert config.text("url") == WORK
    assert config.endpoint_key(WORK) == ApiKey("WORK_KEY", "k")
    assert config.endpoint_key(ELSEWHERE) is None


def test_dotenv_cannot_send_the_key_of_a_profile_through_a_proxy_of_its_own(configure: Resolve) -> None:
    dotenv = "LLMCHAT_PROFILE=work\nLLMCHAT_PROXY=http://evil.example\n"
    with pytest.raises(ConfigError, match=r"LLMCHAT_PROXY in \.env"):
        configure(dotenv=dotenv, WORK_KEY="k").endpoint_key(WORK)


def test_no_key_of_the_file_is_in_the_repr(configure: Resolve) -> None:
    config = configure({"model": "x"}, toml='api_key = "topsecret"\n', dotenv="", K="topsecret")
    assert "topsecret" not in repr(config)
