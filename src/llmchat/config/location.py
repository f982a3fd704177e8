"""Where config.toml is, and what it says if nobody else could have written it."""

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
"""Bytes that it may have."""


@dataclass(frozen=True, slots=True)
class ConfigPath:
    """Where config.toml is, and whether it was named by an option or a variable: then it has to exist."""

    path: Path
    named: bool

    @classmethod
    def find(cls, given: str | None, environ: Mapping[str, str]) -> ConfigPath:
        """What was given as an option, else `LLMCHAT_CONFIG`, else in the folder of this user."""
        if named := given or environ.get("LLMCHAT_CONFIG"):
            return cls(expand_home(named), named=True)
        return cls(Folders.find(environ).config / "config.toml", named=False)

    def read(self, *, restricts: bool = True) -> ConfigFile:
        """The file, restricted to its owner where it holds a key that others can read, unless told not to.

        Raises MissingError where it was named and is not there, DeniedError where others can write to it,
        ConfigError where it cannot be read or says what no setting takes.
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
                hint = f"llmchat --config {self.path} config init writes one"
                raise MissingError(f"there is no file {self.path}", hint=hint) from error
            return ConfigFile(self.path)
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.path} is not UTF-8", hint="convert it, or write it anew") from error
        except (OSError, ValueError) as error:  # a ValueError for a path that no file can have
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
    said = restrict_to_owner(file.path, hint=f"it holds a key: chmod 600 {file.path}")
    if said is None:
        return file
    return replace(file, notices=(*file.notices, f"{said}; it holds a key"))
