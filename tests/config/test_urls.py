"""Which URLs are accepted, and whose key goes where."""

from __future__ import annotations

import pytest

from llmchat.config.urls import Key, check_url, clean_key, is_loopback, key_for, origin
from llmchat.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://host.example/", "https://host.example"),
        ("https://host.example/a/b//", "https://host.example/a/b"),
        ("http://[::1]:80/v1", "http://[::1]:80/v1"),
        ("HTTP://Host", "HTTP://Host"),
        ("https://host/@me", "https://host/@me"),
    ],
)
def test_a_url_loses_only_its_trailing_slashes(given: str, kept: str) -> None:
    assert check_url(given) == kept


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://me:topsecret@host", "user name or password"),
        ("http://topsecret@host", "user name or password"),
        ("http://me:topsecret/x@host", "cannot be read"),
        ("http://host?key=topsecret", "query or fragment"),
        ("http://host/?", "query or fragment"),
        ("http://host#topsecret", "query or fragment"),
        ("me:topsecret@host:80", "no scheme"),
        ("ftp://host", "ftp://"),
        ("file:///etc/passwd", "file://"),
        ("http://", "no host"),
        ("http://:80", "no host"),
        ("http://host:port", "cannot be read"),
        ("http://host:65536", "cannot be read"),
        ("http://[::1", "cannot be read"),
        ("http://a host", "spaces"),
        (" http://host", "spaces"),
        ("http://host\n", "spaces"),
        ("http://ho\x1bst", "unprintable"),
        ("", "no scheme"),
    ],
)
def test_a_url_of_any_other_shape_is_refused_without_what_may_be_a_key(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        check_url(given)
    assert caught.value.hint
    assert "topsecret" not in caught.value.message + caught.value.hint


def test_a_bare_host_gets_a_hint() -> None:
    with pytest.raises(ConfigError) as caught:
        check_url("localhost:8080")
    assert caught.value.hint == "did you mean http://localhost:8080 ?"


def test_an_origin_has_its_default_port_and_a_lower_case_host() -> None:
    assert origin("HTTPS://Host/x") == origin("https://host:443") == ("https", "host", 443)
    assert origin("http://[::1]/v1") == ("http", "::1", 80)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost", True),
        ("http://api.localhost:80", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9:1", True),
        ("http://[::1]", True),
        ("http://0.0.0.0", False),
        ("http://192.168.0.1", False),
        ("http://localhost.example", False),
        ("http://127.0.0.1.example", False),
    ],
)
def test_loopback_is_told_by_the_host_alone(url: str, here: bool) -> None:
    assert is_loopback(url) is here


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
    key = key_for(url, EVERY_KEY.get)
    assert (key.origin if key else None) == expected


def test_llmchats_own_key_goes_first() -> None:
    own = {**EVERY_KEY, "LLMCHAT_API_KEY": "own"}
    assert key_for("https://huggingface.co", own.get) == Key("LLMCHAT_API_KEY", "own")
    assert key_for("http://localhost", own.get) == Key("LLMCHAT_API_KEY", "own")


def test_the_token_stands_in_for_the_key() -> None:
    only_token = {"HF_TOKEN": "hf_token", "HF_API_KEY": "  "}
    assert key_for("https://huggingface.co", only_token.get) == Key("HF_TOKEN", "hf_token")


def test_the_openai_key_follows_its_base_url() -> None:
    moved = {"OPENAI_API_KEY": "openai", "OPENAI_BASE_URL": "http://localhost:8000/v1"}
    assert key_for("http://localhost:8000", moved.get) == Key("OPENAI_API_KEY", "openai")
    assert key_for("https://api.openai.com", moved.get) is None


def test_a_base_url_that_cannot_be_read_belongs_to_no_key_and_stops_nothing() -> None:
    odd = {"OPENAI_BASE_URL": "localhost:11434", "OPENAI_API_KEY": "k", "LLMCHAT_API_KEY": "own"}
    assert key_for("http://localhost:11434", odd.get) == Key("LLMCHAT_API_KEY", "own")


def test_a_key_is_stripped_and_never_shown() -> None:
    assert clean_key("X", "  abc\r\n") == "abc"
    assert clean_key("X", " \n") is None
    assert repr(Key("HF_API_KEY", "topsecret")) == "Key(HF_API_KEY)"


@pytest.mark.parametrize(
    "key", ["topsecret\nX-Header: 1", "topsecret\u2026", "top\x00secret", "topsecret\x7f"]
)
def test_a_key_that_no_header_can_hold_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(ConfigError, match="the key in HF_TOKEN") as caught:
        clean_key("HF_TOKEN", key)
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"
