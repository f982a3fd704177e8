"""Checks whether conversations can be saved. Changes and creates nothing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from llmchat.doctor.checks.disk_space import nearest
from llmchat.doctor.finding import Finding, good, warning
from llmchat.doctor.subject import Subject
from llmchat.doctor.threads import in_daemon_thread
from llmchat.errors import CreateError, LLMChatError

PATIENCE_S = 20.0
"""Seconds for reading the whole database."""


async def check_database(subject: Subject, *, patience: float = PATIENCE_S) -> Finding:
    """Reads the whole database. Raises what a chat would raise; with --no-save that is only a warning."""
    path = subject.folders.database
    try:
        async with asyncio.timeout(patience):
            return await in_daemon_thread(lambda: _look(path))
    except TimeoutError:
        from llmchat.store import check_command

        return warning(f"{path} is too large to check now", check_command(path))
    except LLMChatError as error:
        if subject.keeps:
            raise
        return warning(error.message, error.hint)


def _look(path: Path) -> Finding:
    from llmchat.store import inspect, rebuild_command

    if (there := nearest(path)) != path:
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            why = "may not be written to" if there.is_dir() else "is no folder"
            raise CreateError(
                f"cannot create {path}: {there} {why}",
                hint="set LLMCHAT_HOME to a folder you may write to, or chat with --no-save",
            )
        return good(f"none yet; the first conversation creates {path}")
    found = inspect(path)
    plural = "" if found.conversations == 1 else "s"
    said = f"{path}, {found.size / 1e6:,.1f} MB, {found.conversations:,} conversation{plural}"
    if found.index_damage:
        return warning(f"{said}; the search index is incomplete", rebuild_command(path))
    if found.outdated:
        return good(f"{said}; version {found.version}, which the next chat upgrades")
    return good(f"{said}; intact")
