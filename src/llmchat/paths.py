"""How a path that a person wrote is read; touches no file but the database of users."""

from __future__ import annotations

import os
from pathlib import Path


def expand_home(name: str) -> Path:
    """The path, with the home folder for a leading ~ or ~user; an unknown ~user stays as it is."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises for an unknown ~user
