"""Keeps the store's folder and files private to their owner; reads and writes no content."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from llmchat.core.generation import Notice
from llmchat.errors import CreateError
from llmchat.private import make_private, narrow


def create_private(path: Path) -> tuple[Notice, ...]:
    """Makes sure that this database file is there, its folder 0700 and it 0600, whatever the umask.

    What was wider is narrowed, and the notices say so. Raises CreateError where folder or file cannot
    be created, DeniedError where something open to other users cannot be narrowed.
    """
    try:
        make_private(path.parent)
        # Only a file that was not there is ever opened here: closing any descriptor of a database drops the
        # POSIX locks that this process holds on it (sqlite.org/howtocorrupt.html, 2.2).
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise CreateError(
            f"cannot create {path}: {error.strerror or error}",
            hint="set LLMCHAT_HOME to a folder you may write to, or chat with --no-save",
        ) from error
    # SQLite gives the mode of the database to the two files beside it; these may be older than that.
    kept = (path.parent, path, Path(f"{path}-wal"), Path(f"{path}-shm"))
    hint = "make it yours alone, or set LLMCHAT_HOME to a folder of your own"
    return tuple(Notice(said) for each in kept if (said := narrow(each, hint=hint)))
