"""Reads a small file that only its user may have written; must not know what it says."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from llmchat.config.trust import check_trust
from llmchat.errors import ConfigError, DeniedError

LONGEST = 64 << 10
"""Bytes that such a file may have."""


def read_owned(path: Path) -> bytes | None:
    """What is in this file; None where there is none, or where it is a folder, a pipe or a device.

    A symbolic link counts as a file of whoever made it and of whoever owns what it leads to. Raises
    DeniedError where either is somebody else or others may write to it, ConfigError where it cannot be
    read or is too long.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        # It may be another one by now: what is read is what was opened, and that is what is judged.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                return None
            _check_owner(path, path.lstat(), state)
            content = file.read(LONGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(
            f"{path.name} cannot be read: {error.strerror}", hint="mend or remove it"
        ) from error
    if len(content) > LONGEST:
        raise ConfigError(f"{path.name} is over {LONGEST >> 10} KiB", hint="is it the file it should be?")
    return content


def _check_owner(path: Path, link: os.stat_result, state: os.stat_result) -> None:
    name, hint = f"{path.name} here", "remove it, or work in another folder"
    check_trust(state, name, hint=hint)
    if os.name != "posix":
        return
    if link.st_uid != os.geteuid():
        raise DeniedError(f"{name} belongs to somebody else", hint=hint)
    if state.st_mode & stat.S_IWGRP:  # whoever else is in the group, or will be
        raise DeniedError(f"others can write to {name}", hint=f"chmod 600 {path.name}")
