"""What is taken out of errors, logs and tracebacks, and what is left alone."""

from __future__ import annotations

import base64
import html
import json
import time
import urllib.parse

import pytest

from llmchat.scrub import scrub, secrets_in, without_secrets

KEY = "tk-topSECRET/0123+abcdefgh=="


@pytest.mark.parametrize(
    "echoed",
    [
        KEY,
        KEY.lower(),
        "\n".join(KEY),
        f"{KEY[:9]}\r\n\t{KEY[9:]}",
        f"{KEY[:9]}\u200b{KEY[9:]}",
        f"{KEY[:9]}\x00\x1b{KEY[9:]}",
        urllib.parse.quote(KEY, safe=""),
        urllib.parse.quote(urllib.parse.quote(KEY, safe=""), safe=""),
        "".join(f"%{ord(character):02X}" for character in KEY),
        "".join(f"\\u{ord(character):04x}" for character in KEY),
        "".join(f"\\x{ord(character):02x}" for character in KEY),
        "".join(f"&#{ord(character)};" for character in KEY),
        "".join(f"&#x{ord(character):x};" for character in KEY),
        json.dumps(KEY).replace("/", "\\/"),
        html.escape(KEY),
        KEY[: len(KEY) // 2],
        KEY[len(KEY) // 2 :],
    ],
)
def test_a_secret_is_found_in_every_disguise(echoed: str) -> None:
    said = scrub(f"before {echoed} after", [KEY])
    assert "[key]" in said
    assert said.startswith("before ")
    assert said.endswith(" after")
    assert "topsecret" not in said.lower()
    assert "abcdefgh" not in said.lower()


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "@", "@@"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_in_base64_is_found_whatever_stands_around_it(before: str, after: str, encode) -> None:  # type: ignore[no-untyped-def]
    encoded = encode(f"{before}{KEY}{after}".encode()).decode()
    left = scrub(f"x {encoded} y", [KEY]).removeprefix("x ").removesuffix(" y")
    assert "[key]" in left
    assert len(left.replace("[key]", "")) <= 8  # of what stood before it


def test_the_password_inside_a_key_that_is_sent_as_basic_is_a_secret_too() -> None:
    key = base64.b64encode(b"me:hunter2").decode()
    assert scrub(f"{key}: no hunter2 for me:hunter2", [key]) == "[key]: no [key] for [key]"


def test_a_short_secret_is_found_only_where_it_stands_alone() -> None:
    assert scrub("a key k, not a knock", ["k"]) == "a key [key], not a knock"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", "[key]"),
        ("(sk-abcdefghijkl0123456789)", "([key])"),
        ("sk-proj-abc_def-0123456789abcdef0123", "[key]"),
        ("Bearer abcdef0123456789", "Bearer [key]"),
        ("bearer  eyJhbGciOi.eyJzdWIi.x-y_z", "bearer  [key]"),
        ("Basic dXNlcjpwYXNzd29yZA==", "Basic [key]"),
        ("Authorization: Bearer abc", "Authorization: Bearer [key]"),
        ("{'authorization': 'Basic dTpw'}", "{'authorization': 'Basic [key]'}"),
        ('{"Authorization": "Token 12ab"}', '{"Authorization": "Token [key]"}'),
        ("Authorization: 0123456789abcdef", "Authorization: [key]"),
        ("Proxy-Authorization: Basic dTpw", "Proxy-Authorization: Basic [key]"),
        ("x-api-key: 0123456789abcdef", "x-api-key: [key]"),
        ("http://me:word@proxy:3128/", "http://[key]@proxy:3128/"),
    ],
)
def test_what_has_the_shape_of_a_key_goes_though_nobody_said_that_it_is_one(said: str, left: str) -> None:
    assert scrub(said) == left


@pytest.mark.parametrize(
    "said",
    [
        "install sk-learn or sk-learn-contrib-estimators-2",
        "sk-internationalization",
        "hf_hub, hf_hub_download_with_progress, hf:owner/repo/file.gguf",
        "a Bearer token is missing: Bearer authentication is required",
        "Basic authentication, Basic English, Basic instructions",
        "Authorization: required",
        "Authorization header is missing",
        "set LLMCHAT_API_KEY, check the API key: it is wrong",
        "http://host/@me and me@host.example",
        'File "/home/me/llmchat/backends/http.py", line 212, in send',
        "SHA-256 is 3ed5a1b0c5d1a9e1c9a2b7f7f2c4d6e8",
    ],
)
def test_ordinary_text_is_left_alone(said: str) -> None:
    assert scrub(said) == said
    assert scrub(said, [KEY]) == said


@pytest.mark.parametrize(
    "hostile",
    ["sk-", "Bearer ", "\\", "%25", "% ", "://", "://a", "authorization ", "t", "t ", "hf_", "&#0", "a-"],
)
def test_no_text_takes_long(hostile: str) -> None:
    text = hostile * ((64 << 10) // len(hostile))
    began = time.process_time()
    scrub(text, [KEY, "\\" * 30, "t" * 30, base64.b64encode(b"me:%%%%%%%%%%%%").decode()])
    assert time.process_time() - began < 2


def test_secrets_are_told_by_the_names_of_variables_and_the_passwords_in_urls() -> None:
    variables = {
        "HF_TOKEN": " short ",
        "WORK_API_KEY": "0123456789",
        "DB_PASSWORD": "too-secret",
        "SSH_KEY": "/home/me/.ssh/id",
        "TOKEN_COUNT": "12",
        "LESSKEYIN": "not a secret",
        "LLMCHAT_PROXY": "http://me:word@proxy:1",
        "REPOSITORY": "ssh://git@host.example",
        "HOME": "/home/me",
        "OPENAI_API_KEY": "",
    }
    assert sorted(secrets_in(variables)) == ["0123456789", "me:word", "short", "too-secret", "word"]


def test_a_child_that_needs_no_secret_gets_none() -> None:
    environ = {"PATH": "/bin", "LLMCHAT_API_KEY": "k", "WORK_TOKEN": "k", "https_proxy": "p", "LESSKEY": "l"}
    assert without_secrets(environ) == {"PATH": "/bin", "LESSKEY": "l"}
