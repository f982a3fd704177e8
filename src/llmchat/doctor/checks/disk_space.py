"""How much room there is where something will be kept, whether or not its folder is there yet."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from llmchat.doctor.finding import Finding, good, warning
from llmchat.doctor.subject import Subject
from llmchat.doctor.threads import in_daemon_thread

LITTLE = 100_000_000
"""Bytes free, below which there is something to say."""


def nearest(path: Path) -> Path:
    """The path itself, or what is above it that is there."""
    return next(each for each in (path, *path.parents) if os.path.lexists(each))


def free_bytes(path: Path) -> int:
    """Bytes that may still be written there. Raises OSError."""
    return shutil.disk_usage(nearest(path)).free


async def check_disk(subject: Subject, *, little: int = LITTLE) -> Finding:
    """The room for conversations, and for weights where that is another one."""
    data, cache = subject.folders.data, subject.folders.cache
    free = await in_daemon_thread(
        lambda: {nearest(each).stat().st_dev: free_bytes(each) for each in (data, cache)}
    )
    least = min(free.values())
    said = " and ".join(f"{each / 1e9:,.1f} GB free" for each in free.values())
    if least < little:
        return warning(said, f"make some room: at least {little / 1e6:.0f} MB")
    return good(said)
