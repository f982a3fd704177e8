"""The folders of llmchat: config, data, state and cache by the platform's convention, or LLMCHAT_HOME."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from llmchat.errors import DeniedError
from llmchat.paths import expand_home
from llmchat.private import is_ours, is_shared, restrict_to_owner

_HINT = "remove their access, or set LLMCHAT_HOME to another folder"


@dataclass(frozen=True, slots=True)
class Folders:
    """The four folders. Each is created when something is first written to it."""

    config: Path
    data: Path  # conversations
    state: Path  # prompt history, logs
    cache: Path  # weights

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Folders:
        """The folders of this user; all four are in `LLMCHAT_HOME` if that is set."""
        if home := environ.get("LLMCHAT_HOME"):
            root = expand_home(home).absolute()
            return cls(root / "config", root / "data", root / "state", root / "cache")
        import platformdirs

        ours = platformdirs.PlatformDirs("llmchat", appauthor=False)
        return cls(ours.user_config_path, ours.user_data_path, ours.user_state_path, ours.user_cache_path)

    @property
    def database(self) -> Path:
        return self.data / "conversations.sqlite3"

    @property
    def prompt_history(self) -> Path:
        return self.state / "prompts"

    @property
    def log(self) -> Path:
        return self.state / "llmchat.log"

    @property
    def servers(self) -> Path:
        """The file with the detected APIs of servers."""
        return self.cache / "servers.json"

    @property
    def weights(self) -> Path:
        return self.cache / "weights"

    def kept(self) -> Iterator[tuple[Path, Path]]:
        """Every existing file and folder, with the folder that it is in or below; parents first.

        Without symbolic links and without LLMCHAT_HOME itself: what they lead to, or what else is in it,
        may have to be readable by others.
        """
        for folder in (self.config, self.data, self.state, self.cache):
            if folder.exists():
                yield folder, folder
            for parent, names, files in os.walk(folder):
                paths = (Path(parent, name) for name in (*names, *files))
                yield from ((folder, path) for path in paths if not path.is_symlink())

    def restrict_to_owner(self) -> str | None:
        """Makes every existing file and folder readable by the user only; returns a notice of what changed.

        Raises DeniedError for one that belongs to another user, who could read or change it at any time,
        and for a folder that all users share. What cannot be restricted, for example on a read-only disk,
        is left to the code that uses it.
        """
        if os.name != "posix":
            return None
        said: list[str] = []
        for _, path in self.kept():
            _check_owner(path)
            with suppress(DeniedError):
                said += filter(None, [restrict_to_owner(path, hint=_HINT)])
        if not said:
            return None
        return f"{said[0]}; so are {len(said) - 1} more" if len(said) > 1 else said[0]


def _check_owner(path: Path) -> None:
    try:
        state = path.stat()
    except OSError:
        return
    if is_shared(state):
        raise DeniedError(f"{path} is a folder that all users share", hint=_HINT)
    if not is_ours(state):
        raise DeniedError(f"{path} belongs to another user", hint=_HINT)
