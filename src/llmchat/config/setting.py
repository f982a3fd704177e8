"""The Setting class: how the value of a setting is parsed from text and TOML, and checked."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from llmchat.core.generation import Range
from llmchat.errors import ConfigError

Scalar = str | int | float | bool
SettingValue = Scalar | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """Declares a setting. `kind` is str, int, float or bool; with `many` the value is a list of them."""

    name: str  # also its key in config.toml
    kind: type[str] | type[int] | type[float] | type[bool]
    help: str
    default: SettingValue | None = None
    example: SettingValue | None = None  # shown in the starter config.toml if there is no default
    range: Range | None = None
    choices: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()  # the option's spellings; none: no option
    many: bool = False
    words: bool = False  # with `many`: one text is split as a shell does
    secret: bool = False
    live: bool = False  # can be changed with `/set`
    file_only: bool = False  # has no environment variable
    sent: bool = False  # sent to the model, so it must be UTF-8
    top_only: bool = False  # not allowed in a profile
    aliases: tuple[str, ...] = ()  # other environment variables with the same meaning
    metavar: str | None = None
    read_text: Callable[[str], str] | None = None  # checks and normalizes the text; raises ConfigError

    @property
    def variable(self) -> str | None:
        """Its environment variable."""
        return None if self.file_only else f"LLMCHAT_{self.name.upper()}"

    @property
    def flag(self) -> str:
        """Its option; if there are several, the one with the setting's name."""
        return next(
            (each for each in self.flags if each == f"--{self.name.replace('_', '-')}"), self.flags[-1]
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """All its environment variables, the one that wins first."""
        return (self.variable, *self.aliases) if self.variable else self.aliases

    def parse(self, text: str) -> SettingValue:
        """Parses the value from a variable, or from `/set`.

        Raises ValueError with the values that it takes; never quotes a secret.
        """
        if self.many:
            return self.check(tuple(part for part in text.split("\n") if part))
        if self.kind is bool:
            return _parse_switch(text)
        return self.check(text if self.kind is str else _parse_number(text, self.kind))

    def from_toml(self, value: object) -> SettingValue | None:
        """The value from config.toml; None for "", which unsets the values of lower layers.

        Raises ValueError as `parse` does.
        """
        if self.many:
            return self._texts(value)
        if value == "" and not self.choices and self.kind is str and self.name != "system":
            return None
        match value:
            case bool() if self.kind is bool:
                return value
            case str() if self.kind is str and "\0" not in value:
                return self.check(value)
            case int() if self.kind in (int, float) and not isinstance(value, bool):
                self.check(value)  # checked first: a float can represent all numbers in range
                return float(value) if self.kind is float else value
            case float() if self.kind is float:
                return self.check(value)
        if self.choices:
            raise ValueError(f"it takes {', '.join(self.choices)}")
        takes = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}
        raise ValueError(f"it takes {takes[self.kind]}" + (f", {self.range}" if self.range else ""))

    def _texts(self, value: object) -> tuple[str, ...] | None:
        if value == "":
            return None
        if isinstance(value, str):
            value = _split(value) if self.words else [value]
        texts = value if isinstance(value, list) else []
        if texts and all(isinstance(text, str) and text and "\0" not in text for text in texts):
            return tuple(texts)
        raise ValueError("it takes a text, or a list of texts that are not empty")

    def check(self, value: SettingValue) -> SettingValue:
        """Checks choices and range. Raises ValueError with the values that it takes."""
        if self.choices and value not in self.choices:
            raise ValueError(f"it takes {', '.join(self.choices)}")
        if self.range and isinstance(value, int | float) and value not in self.range:
            raise ValueError(f"it takes {self.range}")
        if self.sent and isinstance(value, str | tuple) and not _is_utf_8("".join(value)):
            raise ValueError("it takes UTF-8 text")
        return value

    def kept(self, value: SettingValue | None, where: str) -> SettingValue | None:
        """The normalized value. Raises ConfigError, which starts with where the value came from."""
        if self.read_text is None or not isinstance(value, str) or not value:
            return value
        try:
            return self.read_text(value)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error.message}", hint=error.hint) from None

    def takes(self) -> str:
        """The values that it takes, in words, for help and errors."""
        if self.choices:
            return " | ".join(self.choices)
        return str(self.range) if self.range else {str: "text", bool: "on | off"}.get(self.kind, "a number")


def to_toml(value: SettingValue) -> str:
    """The value as config.toml has it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(to_toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else f"{value:.10g}"


def _is_utf_8(text: str) -> bool:
    """False if it has surrogates, which Python makes of bytes that are not UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ValueError("it has an unclosed quote") from error


def _parse_switch(text: str) -> bool:
    word = text.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("", "0", "false", "no", "off"):
        return False
    raise ValueError("it takes on or off")


def _parse_number(text: str, kind: type[int | float | str | bool]) -> int | float:
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        raise ValueError(f"it takes {'a whole number' if kind is int else 'a number'}") from None
