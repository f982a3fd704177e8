"""Remembers the detected APIs of servers in a small JSON file, which may be deleted at any time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmchat.private import replace_private

MOST = 100
"""The most servers to remember: the latest ones."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """The API of each server by its URL, saved between runs. Errors of the file are ignored."""

    path: Path

    def get(self, url: str) -> str | None:
        """The name of the API that this server had when it was last asked."""
        known = self._read().get(url)
        return known if isinstance(known, str) else None

    def put(self, url: str, api: str) -> None:
        """Saves the API, unless it is known. The file is replaced atomically."""
        known = self._read()
        if known.get(url) == api:
            return
        others = [(each, what) for each, what in known.items() if each != url]
        text = json.dumps(dict([*others, (url, api)][-MOST:]), indent=1)
        with suppress(OSError):
            replace_private(self.path, text.encode())

    def _read(self) -> Mapping[str, object]:
        try:
            known = json.loads(self.path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return known if isinstance(known, dict) else {}
