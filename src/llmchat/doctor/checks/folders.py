"""Checks whether files and folders are readable by their user only. Changes nothing."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from llmchat.config.folders import Folders
from llmchat.doctor.finding import Finding, good, warning
from llmchat.doctor.subject import Subject
from llmchat.doctor.threads import in_daemon_thread
from llmchat.errors import DeniedError
from llmchat.private import is_open_to_others, is_ours, is_shared

_ELSEWHERE = "set LLMCHAT_HOME to a folder of your own"


async def check_folders(subject: Subject) -> Finding:
    """Raises DeniedError if a chat would, as `Folders.restrict_to_owner` does."""
    folders = subject.folders
    places = (folders.config, folders.data, folders.state, folders.cache)
    return await in_daemon_thread(lambda: _look(folders, [each for each in places if each.exists()]))


def _look(folders: Folders, there: Sequence[Path]) -> Finding:
    listed = ", ".join(map(str, there))
    if not there:
        return good("none exists yet")
    if os.name != "posix":
        return good(listed)
    _check_owners(folders)
    wide = [(each, stat.S_IMODE(state.st_mode)) for each, state in _states(there) if is_open_to_others(state)]
    if not wide:
        return good(f"{listed}: readable by you only")
    said = "; ".join(f"{path} is open to other users ({mode:04o})" for path, mode in wide)
    return warning(said, f"chmod -R go= {shlex.join(str(path) for path, _ in wide)}")


def _check_owners(folders: Folders) -> None:
    """Raises DeniedError for files of another user, at any depth."""
    foreign: dict[Path, str] = {}  # the first problem in each folder
    for folder, path in folders.kept():
        with suppress(OSError):  # deleted meanwhile, or not accessible
            state = path.stat()
            if is_shared(state):
                raise DeniedError(f"{path} is a folder that all users share", hint=_ELSEWHERE)
            if not is_ours(state):
                foreign.setdefault(folder, f"{path} belongs to {_user(state.st_uid)}")
    if foreign:
        cure = f"sudo chown -R {_user(os.geteuid())} {shlex.join(map(str, foreign))}"
        raise DeniedError("; ".join(foreign.values()), hint=f"{cure}, or {_ELSEWHERE}")


def _states(folders: Sequence[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Each folder and the entries directly in it, if accessible; without links."""
    for folder in folders:
        with suppress(OSError):
            for path in (folder, *sorted(folder.iterdir())):
                with suppress(FileNotFoundError):  # a temporary file
                    state = path.lstat()
                    if not stat.S_ISLNK(state.st_mode):
                        yield path, state


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
