"""Which key goes where, and what a key is."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmchat.config.keys import ApiKey, clean_key, find_key, known_secrets
from llmchat.errors import ConfigError

EVERY_KEY = {
    "HF_API_KEY": "hf_api",
    "HF_TOKEN": "hf_token",
    "OPENAI_API_KEY": "openai",
    "HF_API_FALCOM_BASE": "https://falcon.example:8443/models",
}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://huggingface.co/x", "HF_API_KEY"),
        ("https://api-inference.huggingface.co", "HF_API_KEY"),
        ("http://huggingface.co", None),
        ("https://evilhuggingface.co", None),
        ("https://huggingface.co.example", None),
        ("https://me.hf.space", None),
        ("https://falcon.example:8443", "HF_API_KEY"),
        ("https://falcon.example", None),
        ("http://falcon.example:8443", None),
        ("https://api.openai.com/v1", "OPENAI_API_KEY"),
        ("http://api.openai.com/v1", None),
        ("https://api.openai.com.example", None),
        ("http://localhost:11434", None),
    ],
)
def test_each_key_goes_only_to_its_own_hosts(url: str, expected: str | None) -> None:
    key = find_key(url, (), EVERY_KEY.get)
    assert (key.origin if key else None) == expected


def test_the_token_stands_in_for_the_key() -> None:
    only_token = {"HF_TOKEN": "hf_token", "HF_API_KEY": "  "}
    assert find_key("https://huggingface.co", (), only_token.get) == ApiKey("HF_TOKEN", "hf_token")


def test_the_openai_key_follows_its_base_url() -> None:
    moved = {"OPENAI_API_KEY": "openai", "OPENAI_BASE_URL": "http://localhost:8000/v1"}
    assert find_key("http://localhost:8000", (), moved.get) == ApiKey("OPENAI_API_KEY", "openai")
    assert find_key("https://api.openai.com", (), moved.get) is None


def test_a_base_url_that_cannot_be_read_belongs_to_no_key_and_stops_nothing() -> None:
    odd = {"OPENAI_BASE_URL": "localhost:11434", "OPENAI_API_KEY": "k"}
    assert find_key("http://localhost:11434", (), odd.get) is None


def test_a_key_is_stripped_and_never_shown() -> None:
    assert clean_key("X", "  abc\r\n") == "abc"
    assert clean_key("X", " \n") is None
    assert repr(ApiKey("HF_API_KEY", "topsecret")) == "ApiKey(HF_API_KEY)"


@pytest.mark.parametrize(
    "key", ["topsecret\nX-Header: 1", "topsecret\u2026", "top\x00secret", "topsecret\x7f"]
)
def test_a_key_that_no_header_can_hold_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(ConfigError, match="the key in HF_TOKEN") as caught:
        clean_key("HF_TOKEN", key)
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"


def test_secrets_of_the_environment_of_dotenv_and_of_config_toml_are_known(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "export HF_TOKEN='one'\nLLMCHAT_SEED=7\n=\n\nbroken (\nWORK_KEY = \"number-two\"\n"
    )
    (tmp_path / ".env").chmod(0o666)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(
        '[profiles.x\nurl = "http://x"\napi_key = "number-three"\n'
    )
    environ = {"LLMCHAT_HOME": str(tmp_path), "LLMCHAT_API_KEY": "zero", "LLMCHAT_MODEL": "m"}
    assert known_secrets(environ, tmp_path) == ["zero", "one", "number-two", "number-three"]


def test_without_files_there_is_nothing_to_hide(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("/dev/zero")
    assert known_secrets({"LLMCHAT_HOME": str(tmp_path)}, tmp_path) == []
