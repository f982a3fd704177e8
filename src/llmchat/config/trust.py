"""Whether somebody else could have written a file that llmchat is to believe. Reads none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from llmchat.errors import DeniedError


def check_trust(state: os.stat_result, name: str, *, owners: Iterable[int] = (), hint: str) -> None:
    """Raises DeniedError for a file of another user than this one or `owners`, or that others can write to.

    `name` is the file's in messages, `hint` what to do about one that belongs to somebody else.
    """
    if os.name != "posix" or stat.S_ISCHR(state.st_mode):  # /dev/null
        return
    if state.st_uid not in (os.geteuid(), *owners):
        raise DeniedError(f"{name} belongs to somebody else", hint=hint)
    by_group = state.st_mode & stat.S_IWGRP and state.st_gid != os.getegid()
    if state.st_mode & stat.S_IWOTH or by_group:
        raise DeniedError(f"others can write to {name}", hint=f"chmod 600 {name.removesuffix(' here')}")
