"""Finds the API keys, and decides which key may be sent to which URL. Sends none, runs no key_command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from llmchat.config.dotenv import LONGEST
from llmchat.config.file import KEYS
from llmchat.config.layers import Layer, Source, Value
from llmchat.config.location import ConfigPath
from llmchat.config.settings import SETTINGS
from llmchat.config.urls import check_url, origin
from llmchat.errors import ConfigError
from llmchat.scrub import secrets_in

OPENAI_URL = "https://api.openai.com"
_NO_KEYS = ("key_env", "key_command")  # they name where a key is, and contain none
KEYS_OF_BASE: Mapping[str, Sequence[str]] = MappingProxyType(
    {"HF_API_FALCOM_BASE": ("HF_API_KEY", "HF_TOKEN"), "OPENAI_BASE_URL": ("OPENAI_API_KEY",)}
)
"""The variables with the URLs that HF_API_KEY and OPENAI_API_KEY belong to."""
HUGGING_FACE = "huggingface.co"  # with subdomains; endpoints and spaces of other people have other domains

Read = Callable[[str], str | None]
"""Looks up a variable."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and where it came from; or, without a secret, the command that prints it.

    It has neither if key_env names a variable that is not set.
    """

    origin: str
    secret: str | None = None
    command: tuple[str, ...] = ()
    place: str = field(default="", compare=False)  # the setting that contains or names the key

    def __repr__(self) -> str:
        return f"ApiKey({self.origin})"


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key that was set for llmchat, and the URL that was set at the same place."""

    key: ApiKey
    layer: Layer
    beside: str | None

    def may_go_to(self, url: str) -> bool:
        """True if the URL has the origin of the URL beside the key, or if there is none beside it."""
        return self.beside is None or same_origin(url, self.beside)


def own_keys(sources: Iterable[Source], environ: Mapping[str, str]) -> Iterable[OwnKey]:
    """The keys of these sources, in order. Raises ConfigError for a key that cannot be an HTTP header."""
    for source in sources:
        for name in KEYS:
            value = source.read(SETTINGS[name])
            if value is None or not value.value:
                continue
            if (key := _key(name, value, environ)) is not None:
                yield OwnKey(key, source.layer, _beside(source))


def _key(name: str, value: Value, environ: Mapping[str, str]) -> ApiKey | None:
    if isinstance(value.value, tuple):
        return ApiKey(f"key_command {value.value[0]}", command=value.value, place=value.origin)
    text = str(value.value)
    if name == "key_env":
        return ApiKey(text, clean_key(text, environ.get(text, "")), place=value.origin)
    secret = clean_key(value.source, text)
    return ApiKey(value.source, secret, place=value.origin) if secret else None


def _beside(source: Source) -> str | None:
    url = source.read(SETTINGS["url"])
    if url is None and source.below is not None:
        url = source.below.read(SETTINGS["url"])
    if url is None or url.source in SETTINGS["url"].aliases:  # which has a key of its own
        return None
    return str(url.value) if url.value else None


def find_key(url: str, keys: Iterable[OwnKey], read: Read) -> ApiKey | None:
    """The key that may be sent to this URL, if any: llmchat's own, else one that belongs to the host.

    HF_API_KEY and HF_TOKEN go to HF_API_FALCOM_BASE and to Hugging Face, OPENAI_API_KEY to
    OPENAI_BASE_URL or to OpenAI, and nowhere else.
    """
    if own := next((each.key for each in keys if each.may_go_to(url)), None):
        return own
    scheme, host, _ = origin(url)
    hugging_face = scheme == "https" and (host == HUGGING_FACE or host.endswith(f".{HUGGING_FACE}"))
    names = []
    if hugging_face or same_origin(url, read("HF_API_FALCOM_BASE")):
        names += ["HF_API_KEY", "HF_TOKEN"]
    if same_origin(url, read("OPENAI_BASE_URL") or OPENAI_URL):
        names += ["OPENAI_API_KEY"]
    for name in names:
        if secret := clean_key(name, read(name) or ""):
            return ApiKey(name, secret)
    return None


def same_origin(url: str, other: str | None) -> bool:
    """True if scheme, host and port are the same; False for anything that is not a URL."""
    try:
        return other is not None and origin(url) == origin(check_url(other))
    except ConfigError:
        return False


def clean_key(name: str, text: str) -> str | None:
    """The key without surrounding white space, None if empty. Its ConfigError quotes no part of it."""
    key = text.strip()
    if not key:
        return None
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"the key in {name} has characters that a key cannot have",
            hint="copy it again, without quotes or line breaks",
        )
    return key


def known_secrets(environ: Mapping[str, str], directory: Path) -> list[str]:
    """The secrets in the environment, in the .env of this directory, and in this user's config.toml."""
    files = (directory / ".env", ConfigPath.find(None, environ).path)
    return [*secrets_in(environ), *(secret for file in files for secret in _secrets_of(file))]


def _secrets_of(file: Path) -> Iterable[str]:
    """Finds secrets by the names in the lines, as the file may be invalid: that may be the error to scrub."""
    try:
        if not file.is_file():
            return
        with file.open("rb") as opened:
            text = opened.read(LONGEST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip() and name.strip() not in _NO_KEYS:
            yield from secrets_in({name.split()[-1]: value.strip("'\" \t")})
