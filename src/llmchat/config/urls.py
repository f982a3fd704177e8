"""Which URLs are accepted, and which key may go to which. Connects to nothing."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from llmchat.errors import ConfigError

OPENAI_URL = "https://api.openai.com"
HUGGING_FACE = "huggingface.co"  # with its subdomains; endpoints and spaces of anyone live on other domains


def check_url(text: str) -> str:
    """The URL without a trailing slash. Raises ConfigError for anything but http(s)://host[:port][/path]."""
    hint = "it looks like http://host:port or https://host/path"
    if not text.isprintable() or " " in text:
        raise ConfigError("the URL holds spaces or unprintable characters", hint=hint)
    if "://" not in text:
        raise ConfigError(
            f"the URL {_shown(text)} has no scheme", hint=f"did you mean http://{_shown(text)} ?"
        )
    parts = _split(text)
    if parts.scheme not in ("http", "https"):
        raise ConfigError(f"a URL cannot begin with {parts.scheme}://", hint=hint)
    if parts.username is not None or parts.password is not None:
        raise ConfigError("a URL must not hold a user name or password", hint="set LLMCHAT_API_KEY instead")
    if "?" in text or "#" in text:
        raise ConfigError("a URL must not have a query or fragment", hint=hint)
    if not parts.hostname:
        raise ConfigError("the URL names no host", hint=hint)
    return text.rstrip("/")


def _shown(text: str) -> str:
    return text.rpartition("@")[2]  # a key in the user part is no one's business


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is no number
    except ValueError:  # its text may quote a password
        raise ConfigError(f"the URL {_shown(text)} cannot be read", hint="check its host and port") from None
    return parts


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what a key belongs to."""
    parts = _split(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_loopback(url: str) -> bool:
    """Whether it names this machine."""
    host = origin(url)[1]
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Key:
    """A key and the name of what it came from."""

    origin: str
    secret: str

    def __repr__(self) -> str:
        return f"Key({self.origin})"


def clean_key(name: str, text: str) -> str | None:
    """The key without the space around it, None if nothing is left. ConfigError names no part of it."""
    key = text.strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"the key in {name} holds characters no key can have",
            hint="copy it again, without quotes or line breaks",
        )
    return key


def key_for(url: str, read: Callable[[str], str | None]) -> Key | None:
    """The key that may go to this URL, if any: llmchat's own, else one that belongs to the URL's host.

    `read` gives the value of an environment variable. HF_API_KEY and HF_TOKEN go to HF_API_FALCOM_BASE
    and to Hugging Face, OPENAI_API_KEY to OPENAI_BASE_URL or to OpenAI, and nowhere else.
    """

    def same_origin(other: str | None) -> bool:
        try:
            return other is not None and origin(url) == origin(check_url(other))
        except ConfigError:  # a variable that no key can belong to
            return False

    scheme, host, _ = origin(url)
    hugging_face = scheme == "https" and (host == HUGGING_FACE or host.endswith(f".{HUGGING_FACE}"))
    names = ["LLMCHAT_API_KEY"]
    if hugging_face or same_origin(read("HF_API_FALCOM_BASE")):
        names += ["HF_API_KEY", "HF_TOKEN"]
    if same_origin(read("OPENAI_BASE_URL") or OPENAI_URL):
        names += ["OPENAI_API_KEY"]
    for name in names:
        if secret := clean_key(name, read(name) or ""):
            return Key(name, secret)
    return None
