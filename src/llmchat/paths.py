"""Expands ~ in paths."""

from __future__ import annotations

import os
from pathlib import Path


def expand_home(name: str) -> Path:
    """The path with a leading ~ or ~user replaced by the home folder; an unknown ~user stays as it is."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises for an unknown ~user
