"""Folders that belong to the user alone; knows nothing of what is in them."""

from __future__ import annotations

from pathlib import Path


def make_private(folder: Path) -> None:
    """Creates this folder and those missing above it, all 0700 whatever the umask. Raises OSError."""
    for each in (*reversed(folder.parents), folder):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)  # mkdir(parents=True) would leave the parents to the umask
