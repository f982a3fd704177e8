"""Whether what is kept is the user's alone. Narrows nothing."""

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

_OTHERS = 0o077


async def check_folders(subject: Subject) -> Finding:
    """Whether what is kept is the user's alone."""
    folders = subject.folders
    places = (folders.config, folders.data, folders.state, folders.cache)
    return await beside(lambda: _look([each for each in places if each.is_dir()]))


def _look(there: Sequence[Path]) -> Finding:
    listed = ", ".join(map(str, there))
    if not there:
        return good("none is there yet")
    if os.name != "posix":
        return good(listed)
    foreign, wide = [], []
    for path, state in _states(there):
        if state.st_uid != os.geteuid():
            foreign.append((path, f"{path} belongs to {_user(state.st_uid)}"))
        elif stat.S_IMODE(state.st_mode) & _OTHERS:
            wide.append((path, f"{path} is open to other users ({stat.S_IMODE(state.st_mode):04o})"))
    if not foreign and not wide:
        return good(f"{listed}: yours alone")
    cure = f"sudo chown -R {_user(os.geteuid())}" if foreign else "chmod -R go="
    paths = [str(path) for path, _ in foreign or wide]
    return warning("; ".join(said for _, said in (*foreign, *wide)), f"{cure} {shlex.join(paths)}")


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
