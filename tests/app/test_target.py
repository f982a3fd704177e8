"""What answers, and as which backend it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmchat import weights
from llmchat.app.target import DEFAULT_MODEL, Target, choose, open_connection
from llmchat.backends.echo import EchoBackend
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config, resolve
from llmchat.core.backend import Connection
from llmchat.errors import ConfigError, InputError, MissingError, UsageError

URL = "http://127.0.0.1:9"


@contextmanager
def nothing_is_fetched(model: weights.Model) -> Iterator[weights.Progress]:
    pytest.fail(f"{model.name} was to be fetched")
    yield lambda _done, _total: None


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Config]:
    def build(flags: dict[str, object] | None = None, **environ: str) -> Config:
        return resolve(flags or {}, environ=environ, directory=tmp_path)

    return build


Configure = Callable[..., Config]


def opened(config: Config, tmp_path: Path) -> Connection:
    folders = Folders.find({"LLMCHAT_HOME": str(tmp_path)})
    return open_connection(choose(config), config, folders, fetching=nothing_is_fetched)


@pytest.mark.parametrize(
    ("flags", "environ", "target"),
    [
        ({}, {}, Target(DEFAULT_MODEL)),
        ({"model": "echo"}, {}, Target("echo")),
        ({}, {"LLMCHAT_MODEL": "a.gguf"}, Target("a.gguf")),
        ({"url": URL}, {}, Target(None, URL)),
        ({"url": URL, "model": "gpt"}, {}, Target("gpt", URL)),
        ({"url": URL, "model": "echo"}, {}, Target("echo", URL)),
        ({"model": "gpt"}, {"LLMCHAT_URL": URL}, Target("gpt", URL)),
        ({"model": "echo"}, {"LLMCHAT_URL": URL}, Target("echo")),
        ({"model": "smollm2"}, {"HF_API_FALCOM_BASE": URL}, Target("smollm2")),
        ({"model": "m.gguf"}, {"LLMCHAT_URL": URL}, Target("m.gguf")),
        ({"model": "hf:a/b/c.gguf"}, {"LLMCHAT_URL": URL}, Target("hf:a/b/c.gguf")),
        ({"url": URL}, {"LLMCHAT_MODEL": "echo"}, Target("echo", URL)),
        ({}, {"LLMCHAT_MODEL": "echo", "LLMCHAT_URL": URL}, Target("echo", URL)),
    ],
)
def test_a_model_of_this_machine_replaces_only_a_url_from_a_lower_layer(
    configure: Configure, flags: dict[str, object], environ: dict[str, str], target: Target
) -> None:
    assert choose(configure(flags, **environ)) == target


@pytest.mark.parametrize("name", ["echo", "canned"])
def test_a_built_in_is_opened_by_its_name(configure: Configure, tmp_path: Path, name: str) -> None:
    connection = opened(configure({"model": name}), tmp_path)
    assert isinstance(connection, EchoBackend)
    assert (connection.info.backend, connection.info.model) == (name, name)


@pytest.mark.parametrize(
    ("flags", "environ", "api", "is_guess"),
    [
        ({"url": URL, "api": "tgi"}, {}, "tgi", False),
        ({"url": URL, "api": "openai"}, {}, "openai", False),
        ({"url": URL}, {}, "tgi", True),
        ({}, {"HF_API_FALCOM_BASE": URL}, "tgi", False),
        ({"api": "openai"}, {"HF_API_FALCOM_BASE": URL}, "openai", False),
    ],
)
async def test_a_url_is_opened_without_connecting_to_it(
    configure: Configure,
    tmp_path: Path,
    flags: dict[str, object],
    environ: dict[str, str],
    api: str,
    *,
    is_guess: bool,
) -> None:
    connection = opened(configure(flags, **environ), tmp_path)
    assert (connection.info.backend, connection.is_guess) == (api, is_guess)
    await connection.aclose()


def test_a_url_is_not_opened_with_a_key_that_may_not_go_there(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sent unencrypted"):
        opened(configure({"url": "http://llm.example"}, LLMCHAT_API_KEY="k"), tmp_path)


def test_the_named_prompt_format_is_spoken(configure: Configure, tmp_path: Path) -> None:
    connection = opened(configure({"url": URL, "api": "tgi", "prompt_format": "gemma"}), tmp_path)
    assert connection.info.prompt_format is not None
    assert connection.info.prompt_format.name == "gemma"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("gpt-4", UsageError),
        ("hf:only/two", InputError),
        ("~nobody-of-this-name/m.gguf", MissingError),
        ("missing.gguf", MissingError),
    ],
)
def test_a_model_that_is_not_there_is_an_error(
    configure: Configure, tmp_path: Path, model: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        opened(configure({"model": model}), tmp_path)


def test_an_unknown_model_is_told_which_there_are(configure: Configure, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gpt-4") as caught:
        opened(configure({"model": "gpt-4"}), tmp_path)
    assert "smollm2, qwen, echo, canned" in (caught.value.hint or "")


def test_a_file_that_is_no_model_is_not_given_to_the_engine(configure: Configure, tmp_path: Path) -> None:
    (tmp_path / "fake.gguf").write_text("not a model")
    with pytest.raises(InputError):
        opened(configure({"model": str(tmp_path / "fake.gguf")}), tmp_path)


def test_offline_nothing_is_fetched(configure: Configure, tmp_path: Path) -> None:
    @contextmanager
    def silently(_: weights.Model) -> Iterator[weights.Progress]:
        yield lambda _done, _total: None

    config = configure({"offline": True})
    with pytest.raises(MissingError, match="not on this machine"):
        open_connection(
            choose(config), config, Folders.find({"LLMCHAT_HOME": str(tmp_path)}), fetching=silently
        )
