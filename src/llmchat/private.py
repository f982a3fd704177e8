"""Who may read or write a file: makes files for their owner only, and checks who could have written one.

Folders are 0700 and files 0600 whatever the umask. Elsewhere than on POSIX the folder's own rights decide.
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
    """Creates this folder and those missing above it, for their owner only. Raises OSError."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) would leave the parents to the umask


def open_private(path: Path, mode: Literal["ab", "a+b", "r+b", "wb", "xb"]) -> BinaryIO:
    """Opens a file that its owner only can read and write, also if it is older and was wider.

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
    """Puts a file with this content in place of the one there, at once and for its owner only.

    Whoever reads meanwhile reads the old file or the new one. Raises OSError.
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
    """Takes this file or folder from other users, and says so; None where there was nothing to take.

    Raises DeniedError, with this hint, where that cannot be done.
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
    """Opens a file that only its user can have written; None where there is none, or no regular file.

    A symbolic link counts as a file of whoever made it and of whoever owns what it leads to. Raises
    DeniedError as `check_writers`, and OSError.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None  # opening a device may have effects
        # It may be another one by now: what is read is what was opened, and that is what is checked.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    file = os.fdopen(descriptor, "rb")
    try:
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode):
            name, hint = f"{path.name} here", "remove it, or work in another folder"
            check_writers(state, name, hint=hint)
            if _POSIX and path.lstat().st_uid != os.geteuid():
                raise DeniedError(f"{name} belongs to somebody else", hint=hint)
            return file
    except BaseException:
        file.close()
        raise
    file.close()
    return None


def check_writers(state: os.stat_result, name: str, *, hint: str, trusted: bool = False) -> None:
    """Raises DeniedError for a file of another user, or that others can write to.

    In a `trusted` place root and the user's own group may have written it, too. `name` is the file's in
    messages, `hint` what to do about one that belongs to somebody else.
    """
    if not _POSIX or stat.S_ISCHR(state.st_mode):  # /dev/null
        return
    if state.st_uid != os.geteuid() and not (trusted and state.st_uid == 0):
        raise DeniedError(f"{name} belongs to somebody else", hint=hint)
    by_group = state.st_mode & stat.S_IWGRP and not (trusted and state.st_gid == os.getegid())
    if state.st_mode & stat.S_IWOTH or by_group:
        raise DeniedError(f"others can write to {name}", hint=f"chmod 600 {name.removesuffix(' here')}")


def is_open_to_others(state: os.stat_result) -> bool:
    """True if other users can read or change it."""
    return bool(state.st_mode & _OTHERS)


def is_ours(state: os.stat_result) -> bool:
    """True if it is the user's, or the system's and nobody else can change it."""
    by_others = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() or (state.st_uid == 0 and not by_others)


def is_shared(state: os.stat_result) -> bool:
    """True for a folder such as /tmp, which must never be restricted to one user."""
    return stat.S_ISDIR(state.st_mode) and bool(state.st_mode & stat.S_ISVTX)
