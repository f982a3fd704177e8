"""Writes text into a file the person names, asking before it replaces one. Makes no text."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from llmchat.errors import CreateError


async def write_file(
    confirm: Callable[[str], Awaitable[bool]], say: Callable[[str], None], name: str, text: str
) -> None:
    """Writes the text, ending in one newline; ~ is the home folder. Raises CreateError where it cannot."""
    path = _expand(name)
    written = _write(path, text, overwrite=False)
    if not written and await confirm(f"{path} exists. Overwrite it? [y/N]"):
        written = _write(path, text, overwrite=True)
    say(f"Wrote {path}." if written else "Nothing was written.")


def _expand(name: str) -> Path:
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises for an unknown ~user


def _write(path: Path, text: str, *, overwrite: bool) -> bool:
    """False where a file is there and is not to be overwritten."""
    try:
        with path.open("w" if overwrite else "x", encoding="utf-8", errors="replace") as file:
            file.write(text.rstrip("\n") + "\n")
    except FileExistsError:
        return False
    except OSError as error:
        raise CreateError(f"{path} cannot be written: {error.strerror}", hint="name another file") from error
    return True
