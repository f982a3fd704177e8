"""Makes everything that llmchat keeps the user's alone before any of it is used; reads no content."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from llmchat.config.folders import Folders
from llmchat.errors import DeniedError
from llmchat.private import narrow

_HINT = "make it yours alone, or set LLMCHAT_HOME to a folder of your own"


def keep_private(folders: Folders) -> str | None:
    """Narrows what is open to other users in these folders, and says so in one sentence.

    Raises DeniedError where something belongs to somebody else, who could read or change it at any time,
    or is a folder that all users share. What cannot be narrowed, on a disk that is read-only for instance,
    is left to whoever needs it.
    """
    if os.name != "posix":
        return None
    said: list[str] = []
    for _, path in kept(folders):
        _check_owner(path)
        with suppress(DeniedError):
            said += filter(None, [narrow(path, hint=_HINT)])
    if not said:
        return None
    return f"{said[0]}; so are {len(said) - 1} more" if len(said) > 1 else said[0]


def kept(folders: Folders) -> Iterator[tuple[Path, Path]]:
    """Everything there is, each with the folder it is in or below; what is above before what is below.

    Not symbolic links, nor the folder that LLMCHAT_HOME names: what they lead to, and what else is in it,
    may have to be open.
    """
    for folder in (folders.config, folders.data, folders.state, folders.cache):
        if folder.exists():
            yield folder, folder
        for parent, names, files in os.walk(folder):
            paths = (Path(parent, name) for name in (*names, *files))
            yield from ((folder, path) for path in paths if not path.is_symlink())


def _check_owner(path: Path) -> None:
    try:
        state = path.stat()
    except OSError:
        return
    if is_shared(state):
        raise DeniedError(f"{path} is a folder that all users share", hint=_HINT)
    if not is_ours(state):
        raise DeniedError(f"{path} belongs to somebody else", hint=_HINT)


def is_ours(state: os.stat_result) -> bool:
    """Whether it is the user's, or the system's and nobody else can change it."""
    by_others = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() or (state.st_uid == 0 and not by_others)


def is_shared(state: os.stat_result) -> bool:
    """Whether it is a folder like /tmp, which must never be narrowed."""
    return stat.S_ISDIR(state.st_mode) and bool(state.st_mode & stat.S_ISVTX)
