"""Whether what is kept is the user's alone, or can be made so. Narrows nothing."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from llmchat.app.checkup.beside import beside
from llmchat.app.checkup.finding import Finding, good, warning
from llmchat.app.checkup.subject import Subject
from llmchat.errors import DeniedError

_OTHERS = 0o077
_ELSEWHERE = "set LLMCHAT_HOME to a folder of your own"


async def check_folders(subject: Subject) -> Finding:
    """Raises DeniedError where a chat would refuse what there is, as `keep_private` does."""
    folders = subject.folders
    places = (folders.config, folders.data, folders.state, folders.cache)
    return await beside(lambda: _look([each for each in places if each.exists()]))


def _look(there: Sequence[Path]) -> Finding:
    listed = ", ".join(map(str, there))
    if not there:
        return good("none is there yet")
    if os.name != "posix":
        return good(listed)
    _check_owners(there)
    wide = [(path, stat.S_IMODE(state.st_mode)) for path, state in _states(there)]
    wide = [(path, mode) for path, mode in wide if mode & _OTHERS]
    if not wide:
        return good(f"{listed}: yours alone")
    said = "; ".join(f"{path} is open to other users ({mode:04o})" for path, mode in wide)
    return warning(said, f"chmod -R go= {shlex.join(str(path) for path, _ in wide)}")


def _check_owners(there: Sequence[Path]) -> None:
    """Raises DeniedError for what is somebody else's, however deep it lies."""
    foreign: dict[Path, str] = {}  # what is wrong in each folder, the first of it
    for folder in there:
        for path in _below(folder):
            with suppress(OSError):  # it was there for a moment, or lies where we may not look
                state = path.stat()
                if stat.S_ISDIR(state.st_mode) and state.st_mode & stat.S_ISVTX:
                    raise DeniedError(f"{path} is a folder that all users share", hint=_ELSEWHERE)
                if not _may_be_used(state):
                    foreign.setdefault(folder, f"{path} belongs to {_user(state.st_uid)}")
    if foreign:
        cure = f"sudo chown -R {_user(os.geteuid())} {shlex.join(map(str, foreign))}"
        raise DeniedError("; ".join(foreign.values()), hint=f"{cure}, or {_ELSEWHERE}")


def _below(folder: Path) -> Iterator[Path]:
    """The folder and all that is in it; links aside."""
    yield folder
    for parent, names, files in os.walk(folder):
        paths = (Path(parent, name) for name in (*names, *files))
        yield from (path for path in paths if not path.is_symlink())


def _may_be_used(state: os.stat_result) -> bool:
    """Whether it is the user's, or the system's and nobody else can change it."""
    by_others = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return state.st_uid == os.geteuid() or (state.st_uid == 0 and not by_others)


def _states(folders: Sequence[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Each folder and what is directly in it, as far as we may look; links aside."""
    for folder in folders:
        with suppress(OSError):
            for path in (folder, *sorted(folder.iterdir())):
                with suppress(FileNotFoundError):  # a file that was just for a moment
                    state = path.lstat()
                    if not stat.S_ISLNK(state.st_mode):
                        yield path, state


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
