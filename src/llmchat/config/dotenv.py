"""Reads `.env` in the working directory: known variables only, and only if no other user can write to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from llmchat.config.settings import SETTINGS
from llmchat.errors import ConfigError
from llmchat.private import open_owned

KNOWN = frozenset(
    {
        *(variable for setting in SETTINGS.values() for variable in setting.variables),
        *("HF_API_KEY", "HF_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    }
)
"""The variables that are read from a .env."""

LONGEST = 64 << 10
"""Maximum size in bytes."""


@dataclass(frozen=True, slots=True)
class Dotenv:
    """The known variables of a `.env`, and the names of all others."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)  # contains keys
    others: tuple[str, ...] = ()


def read_dotenv(path: Path) -> Dotenv:
    """The variables of this file; none if there is no such file.

    Raises DeniedError if it belongs to another user or others can write to it, ConfigError if it is too
    large, is not UTF-8, or has a line that is not an assignment.
    """
    text = _read(path)
    if not text:
        return Dotenv()
    from dotenv.parser import parse_stream

    bindings = list(parse_stream(StringIO(text)))
    broken = next((each.original.line for each in bindings if each.error), None)
    if broken is not None:
        raise ConfigError(f"line {broken} of {path.name} is invalid", hint="it takes NAME=value")
    said = {each.key: each.value for each in bindings if each.key is not None and each.value is not None}
    known = {name: value for name, value in said.items() if name in KNOWN}
    return Dotenv(known, tuple(name for name in said if name not in KNOWN))


def _read(path: Path) -> str | None:
    try:
        file = open_owned(path)
        if file is None:
            return None
        with file:
            content = file.read(LONGEST + 1)
    except OSError as error:
        raise ConfigError(f"{path.name} cannot be read: {error.strerror}", hint="fix or remove it") from error
    if len(content) > LONGEST:
        raise ConfigError(f"{path.name} is over {LONGEST >> 10} KiB", hint="is it the right file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8", hint="convert it, or remove it") from error
