"""Which URLs are accepted, and whose key goes where."""

from __future__ import annotations

import pytest

from llmchat.config.urls import check_proxy, check_url, is_loopback, origin, without_password
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
        ("http://me:topsecret/x@host", "is invalid"),
        ("http://host?key=topsecret", "query or fragment"),
        ("http://host/?", "query or fragment"),
        ("http://host#topsecret", "query or fragment"),
        ("me:topsecret@host:80", "no scheme"),
        ("ftp://host", "ftp://"),
        ("file:///etc/passwd", "file://"),
        ("http://", "no host"),
        ("http://:80", "no host"),
        ("http://host:port", "is invalid"),
        ("http://host:65536", "is invalid"),
        ("http://[::1", "is invalid"),
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


@pytest.mark.parametrize(
    "proxy",
    ["http://proxy:3128", "http://proxy.example/", "https://me:topsecret@proxy:1", "http://me@[::1]:1"],
)
def test_a_proxy_may_hold_a_user_name_and_a_password(proxy: str) -> None:
    assert check_proxy(proxy) == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        "proxy:3128",
        "me:topsecret@proxy:3128",
        "socks5://me:topsecret@proxy:1",
        "http://me:top/secret@proxy:1",
        "http://me:topsecret@proxy:port",
        "http://me:topsecret@proxy:1/path",
        "http://me:topsecret@proxy:1?x",
        "http://me:top#secret@proxy:1",
        "http://me:topsecret@",
        "http://me:top secret@proxy",
        "http://[me:topsecret@proxy",
    ],
)
def test_any_other_proxy_is_refused_without_its_password(proxy: str) -> None:
    with pytest.raises(ConfigError, match="the proxy's URL is ") as caught:
        check_proxy(proxy)
    assert "secret" not in f"{caught.value.message}{caught.value.hint}"


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:topsecret@proxy.example:3128/x", "http://proxy.example:3128/x"),
        ("http://proxy.example", "http://proxy.example"),
        ("https://h/path@x", "https://h/path@x"),
        ("me@example", "me@example"),
    ],
)
def test_a_password_in_a_url_can_be_left_out(text: str, shown: str) -> None:
    assert without_password(text) == shown
