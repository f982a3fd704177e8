"""The prompt history: lines typed in any shell, in one file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

from prompt_toolkit.history import FileHistory

from llmchat.locks import locked
from llmchat.private import open_private


class PromptHistory(FileHistory):
    """The history of all shells, in one file of mode 0600. A line that starts with a space is not saved.

    Lines of other shells appear at the next prompt. If the file cannot be written, the line is kept in
    memory only.
    """

    def __init__(self, path: Path) -> None:
        open_private(path, "ab").close()
        self._path = path
        self._size_read = -1
        super().__init__(path)

    async def load(self) -> AsyncGenerator[str, None]:
        """The lines, newest first; prompt-toolkit asks before every prompt."""
        try:
            size = self._path.stat().st_size
            if size != self._size_read:
                self._size_read, self._loaded_strings = size, list(self.load_history_strings())
        except OSError:
            pass
        for line in self._loaded_strings:
            yield line

    def append_string(self, string: str) -> None:
        if not string.startswith(" ") and string.strip():
            super().append_string(string)

    def store_string(self, string: str) -> None:
        try:
            with locked(self._path.with_suffix(".lock"), timeout=0.5):
                super().store_string(string)
        except OSError:
            pass
