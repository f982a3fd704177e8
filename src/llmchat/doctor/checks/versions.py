"""Shows the versions of llmchat, Python and libraries, without importing them."""

from __future__ import annotations

import platform
from importlib import metadata

from llmchat import __version__
from llmchat.doctor.finding import Finding, good, warning
from llmchat.doctor.subject import Subject

_LIBRARIES = ("aiohttp", "text-generation", "prompt-toolkit", "rich", "xllamacpp")


async def check_version(_: Subject) -> Finding:
    return good(f"llmchat {__version__}, Python {platform.python_version()}, {platform.platform()}")


async def check_libraries(_: Subject) -> Finding:
    """The versions of the libraries that problems are most often about."""
    from llmchat.store import SQLITE_VERSION

    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    there = ", ".join([*found, f"SQLite {SQLITE_VERSION}"])
    if missing:
        return warning(f"{there}; missing: {', '.join(missing)}", "install llmchat again if you need it")
    return good(there)
