"""Checks the free disk space, also for folders that do not exist yet."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from llmchat.doctor.finding import Finding, good, warning
from llmchat.doctor.subject import Subject
from llmchat.doctor.threads import in_daemon_thread

LITTLE = 100_000_000
"""Free bytes below which to warn."""


def nearest(path: Path) -> Path:
    """The path itself, or its nearest existing parent."""
    return next(each for each in (path, *path.parents) if os.path.lexists(each))


def free_bytes(path: Path) -> int:
    """Free bytes for the user. Raises OSError."""
    return shutil.disk_usage(nearest(path)).free


async def check_disk(subject: Subject, *, little: int = LITTLE) -> Finding:
    """Shows the free space for conversations, and for weights if they are on another disk."""
    data, cache = subject.folders.data, subject.folders.cache
    free = await in_daemon_thread(
        lambda: {nearest(each).stat().st_dev: free_bytes(each) for each in (data, cache)}
    )
    least = min(free.values())
    said = " and ".join(f"{each / 1e9:,.1f} GB free" for each in free.values())
    if least < little:
        return warning(said, f"free some space: at least {little / 1e6:.0f} MB")
    return good(said)
