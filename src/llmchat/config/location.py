"""Finds and reads config.toml, only if no other user can write to it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from llmchat.config.file import ConfigFile, parse
from llmchat.config.folders import Folders
from llmchat.errors import ConfigError, MissingError
from llmchat.paths import expand_home
from llmchat.private import check_writers, restrict_to_owner

LONGEST = 1 << 20
"""Maximum size in bytes."""


@dataclass(frozen=True, slots=True)
class ConfigPath:
    """The path of config.toml. If it was named by an option or a variable, it must exist."""

    path: Path
    named: bool

    @classmethod
    def find(cls, given: str | None, environ: Mapping[str, str]) -> ConfigPath:
        """The path given as an option, else `LLMCHAT_CONFIG`, else that in the config folder."""
        if named := given or environ.get("LLMCHAT_CONFIG"):
            return cls(expand_home(named), named=True)
        return cls(Folders.find(environ).config / "config.toml", named=False)

    def read(self, *, restricts: bool = True) -> ConfigFile:
        """Reads the file. One with a key that others can read is restricted to its owner, unless told not to.

        Raises MissingError if it was named and does not exist, DeniedError if others can write to it,
        ConfigError if it cannot be read or has a mistake in it.
        """
        try:
            if self.path.is_fifo():
                raise ConfigError(f"{self.path} is a pipe", hint="name a file: --config")
            with self.path.open("rb") as file:
                state = os.fstat(file.fileno())
                check_writers(state, str(self.path), hint="name a file of your own: --config", trusted=True)
                content = file.read(LONGEST + 1)
                if len(content) > LONGEST:
                    raise ConfigError(
                        f"{self.path} is over {LONGEST >> 20} MiB", hint="is it the right file?"
                    )
                text = content.decode("utf-8-sig")
        except (FileNotFoundError, NotADirectoryError) as error:
            if self.named:
                hint = f"llmchat --config {self.path} config init creates it"
                raise MissingError(f"there is no file {self.path}", hint=hint) from error
            return ConfigFile(self.path)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.path} is not UTF-8", hint="convert it, or create a new one") from error
        except (OSError, ValueError) as error:  # a ValueError for an impossible path
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise ConfigError(
                f"{self.path} cannot be read: {why}", hint="check it, or name another: --config"
            ) from error
        found = parse(text, self.path)
        return _restricted(found, state) if restricts else found


def _restricted(file: ConfigFile, state: os.stat_result) -> ConfigFile:
    holds_key = any("api_key" in table for table in (file.top, *file.profiles.values()))
    if not (holds_key and stat.S_ISREG(state.st_mode)):
        return file
    said = restrict_to_owner(file.path, hint=f"it contains a key: chmod 600 {file.path}")
    if said is None:
        return file
    return replace(file, notices=(*file.notices, f"{said}; it contains a key"))
