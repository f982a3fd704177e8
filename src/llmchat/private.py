"""Files and folders that belong to the user alone; knows nothing of what is in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from llmchat.errors import DeniedError

_OTHERS = 0o077


def make_private(folder: Path) -> None:
    """Creates this folder and those missing above it, all 0700 whatever the umask. Raises OSError."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) would leave the parents to the umask


def narrow(path: Path, *, hint: str) -> str | None:
    """Takes this file or folder from other users, and says so; None where it was the user's alone or is not.

    Raises DeniedError, with this hint, where that cannot be done.
    """
    if os.name != "posix":
        return None
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if not mode & _OTHERS:
            return None
        path.chmod(mode & ~_OTHERS)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DeniedError(
            f"{path} is open to other users, and that cannot be changed: {error.strerror or error}",
            hint=hint,
        ) from error
    return f"{path} was open to other users (mode {mode:04o}); now it is yours alone"
