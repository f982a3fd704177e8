"""File permissions: creates files readable by their owner only, and checks who can write to a file.

Folders are 0700 and files 0600 whatever the umask. On Windows the permissions of the folder apply.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Literal

from llmchat.errors import DeniedError

_OTHERS = 0o077
_POSIX = os.name == "posix"


def make_private_folder(folder: Path) -> None:
    """Creates this folder and its missing parents, readable by their owner only. Raises OSError."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) would leave the parents to the umask


def open_private(path: Path, mode: Literal["ab", "a+b", "r+b", "wb", "xb"]) -> BinaryIO:
    """Opens a file with mode 0600, also if it existed with wider permissions.

    The file and its folder are created if missing, in every mode. Raises OSError.
    """

    def create(name: str, flags: int) -> int:
        descriptor = os.open(name, flags | os.O_CREAT, 0o600)
        try:
            if _POSIX:
                os.fchmod(descriptor, 0o600)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    make_private_folder(path.parent)
    return open(path, mode, opener=create)


def replace_private(path: Path, content: bytes) -> None:
    """Replaces a file atomically by one with this content and mode 0600.

    A concurrent reader sees either the old file or the new one. Raises OSError.
    """
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with open_private(new, "wb") as file:
            file.write(content)
        new.replace(path)
    except OSError:
        with suppress(OSError):
            new.unlink()
        raise


def restrict_to_owner(path: Path, *, hint: str) -> str | None:
    """Removes other users' access to this file or folder; returns a notice, None if they had none.

    Raises DeniedError, with this hint, if that fails.
    """
    if not _POSIX:
        return None
    try:
        state = path.stat()
        if not is_open_to_others(state):
            return None
        mode = stat.S_IMODE(state.st_mode)
        path.chmod(mode & ~_OTHERS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeniedError(
            f"{path} is open to other users, and that cannot be changed: {error.strerror or error}",
            hint=hint,
        ) from error
    return f"{path} was open to other users (mode {mode:04o}); now it is readable by you only"


def open_owned(path: Path) -> BinaryIO | None:
    """Opens a file that no other user can write to; None if it does not exist or is not a regular file.

    For a symbolic link both the link and its target are checked. Raises DeniedError as `check_writers`,
    and OSError.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None  # opening a device may have effects
        # The path may lead to another file by now: the opened file is checked, and that one is read.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    file = os.fdopen(descriptor, "rb")
    try:
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode):
            name, hint = f"{path.name} here", "remove it, or run llmchat in another folder"
            check_writers(state, name, hint=hint)
            if _POSIX and path.lstat().st_uid != os.geteuid():
                raise DeniedError(f"{name} belongs to another user", hint=hint)
            return file
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def check_writers(state: os.stat_result, name: str, *, hint: str, trusted: bool = False) -> None:
    """Raises DeniedError for a file that belongs to another user, or that others can write to.

    In a `trusted` place root and the user's own group may write to it, too. `name` is the file's name in
    messages, `hint` what to do about a file of another user.
    """
    if not _POSIX or stat.S_ISCHR(state.st_mode):  # /dev/null
        return
    if state.st_uid != os.geteuid() and not (trusted and state.st_uid == 0):
        raise DeniedError(f"{name} belongs to another user", hint=hint)
    by_group = state.st_mode & stat.S_IWGRP and not (trusted and state.st_gid == os.getegid())
    if state.st_mode & stat.S_IWOTH or by_group:
        raise DeniedError(f"others can write to {name}", hint=f"chmod 600 {name.removesuffix(' here')}")


def is_open_to_others(state: os.stat_result) -> bool:
    """True if other users can read or change it."""
    return bool(state.st_mode & _OTHERS)


def is_ours(state: os.stat_result) -> bool:
    """True if it belongs to the user, or to root and only root can change it."""
    by_others = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() or (state.st_uid == 0 and not by_others)


def is_shared(state: os.stat_result) -> bool:
    """True for a folder such as /tmp, which must never be restricted to one user."""
    return stat.S_ISDIR(state.st_mode) and bool(state.st_mode & stat.S_ISVTX)
