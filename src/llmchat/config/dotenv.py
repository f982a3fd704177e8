"""Reads `.env`, for names llmchat knows and only if nobody else could have written it. Never walks up."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from llmchat.config.settings import SETTINGS
from llmchat.errors import ConfigError, DeniedError, InputError

KNOWN = frozenset(
    {
        *(setting.variable for setting in SETTINGS.values()),
        *(alias for setting in SETTINGS.values() for alias in setting.aliases),
        *("HF_API_KEY", "HF_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    }
)
"""The variables that a .env may set."""


def read_dotenv(path: Path) -> Mapping[str, str]:
    """The known variables of this file; none if there is no such file.

    Raises DeniedError if it belongs to someone else or others may write to it, InputError if it is
    not UTF-8 text, ConfigError for a line that is no assignment.
    """
    try:
        state = path.stat()
    except OSError:
        return {}
    if not stat.S_ISREG(state.st_mode):
        return {}
    _check_trust(path, state)
    from dotenv.parser import parse_stream

    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read: {error}", hint="mend or remove it") from error
    broken = next((each.original.line for each in bindings if each.error), None)
    if broken is not None:
        raise ConfigError(f"line {broken} of {path.name} cannot be read", hint="it takes NAME=value")
    return {each.key: each.value for each in bindings if each.key in KNOWN and each.value is not None}


def _check_trust(path: Path, state: os.stat_result) -> None:
    if os.name != "posix":
        return
    if state.st_uid != os.geteuid():
        raise DeniedError(
            f"{path.name} here belongs to somebody else", hint="remove it, or work in another folder"
        )
    by_group = state.st_mode & stat.S_IWGRP and state.st_gid != os.getegid()
    if state.st_mode & stat.S_IWOTH or by_group:
        raise DeniedError(f"others can write to {path.name} here", hint=f"chmod 600 {path.name}")
