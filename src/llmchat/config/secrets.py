"""Which secrets the environment and the files of settings hold, so that none is shown; believes no file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from llmchat.config.dotenv import LONGEST
from llmchat.config.location import ConfigPath
from llmchat.scrub import secrets_in

_NO_KEYS = ("key_env", "key_command")  # which say where one is


def known_secrets(environ: Mapping[str, str], directory: Path) -> list[str]:
    """Those of the environment, of the .env in this directory, and of this user's config.toml."""
    files = (directory / ".env", ConfigPath.find(None, environ).path)
    return [*secrets_in(environ), *(secret for file in files for secret in _secrets_of(file))]


def _secrets_of(file: Path) -> Iterable[str]:
    """By the names in its lines, which may be broken: there may be an error just because of that."""
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
