"""Checks URLs, and compares their origins. Opens no connection."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from llmchat.errors import ConfigError


def check_url(text: str) -> str:
    """The URL without a trailing slash. Raises ConfigError for anything but http(s)://host[:port][/path]."""
    hint = "it looks like http://host:port or https://host/path"
    if not text.isprintable() or " " in text:
        raise ConfigError("the URL has spaces or unprintable characters", hint=hint)
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
        raise ConfigError("the URL has no host", hint=hint)
    return text.rstrip("/")


def check_proxy(text: str) -> str:
    """Checks the URL of a proxy. It may contain a password, so no error quotes any of it."""
    hint = "it looks like http://host:port; with user:password@ before the host if needed"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigError("the proxy's URL is invalid", hint=hint) from None
    is_plain = text.isprintable() and " " not in text and parts.path in ("", "/") and "?" not in text
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not is_plain
        or "#" in text
        or port == 0
    ):
        raise ConfigError("the proxy's URL is not supported", hint=hint)
    return text


def _shown(text: str) -> str:
    return text.rpartition("@")[2]  # the user part may be a key, and must not be shown


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises if it is not a number
    except ValueError:  # its text may quote a password
        raise ConfigError(f"the URL {_shown(text)} is invalid", hint="check its host and port") from None
    return parts


def origin(url: str) -> tuple[str, str, int]:
    """The origin of a URL: scheme, host and port. A key belongs to an origin."""
    parts = _split(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def is_loopback(url: str) -> bool:
    """True if its host is this machine."""
    host = origin(url)[1]
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_password(text: str) -> str:
    """A URL without user name and password; any other text as it is."""
    scheme, found, rest = text.partition("://")
    if not found:
        return text
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{_shown(authority)}{slash}{path}"
