"""Where llmchat keeps things: four folders by the platform's convention, or one under LLMCHAT_HOME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmchat.paths import expand_home


@dataclass(frozen=True, slots=True)
class Folders:
    """None is created before something is written into it."""

    config: Path
    data: Path  # conversations
    state: Path  # prompt history, logs
    cache: Path  # weights

    @classmethod
    def find(cls, environ: Mapping[str, str]) -> Folders:
        """The folders of this user; `LLMCHAT_HOME`, if set, holds all four."""
        if home := environ.get("LLMCHAT_HOME"):
            root = expand_home(home).absolute()
            return cls(root / "config", root / "data", root / "state", root / "cache")
        import platformdirs

        return cls(
            *(
                Path(place("llmchat", appauthor=False))
                for place in (
                    platformdirs.user_config_dir,
                    platformdirs.user_data_dir,
                    platformdirs.user_state_dir,
                    platformdirs.user_cache_dir,
                )
            )
        )

    @property
    def database(self) -> Path:
        return self.data / "conversations.sqlite3"

    @property
    def prompt_history(self) -> Path:
        return self.state / "prompts"

    @property
    def servers(self) -> Path:
        """What servers were found to speak."""
        return self.cache / "servers.json"

    @property
    def weights(self) -> Path:
        return self.cache / "weights"
