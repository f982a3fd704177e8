"""Parses config.toml: checks every value, and remembers its line for messages. Opens no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmchat.config.setting import Setting, SettingValue, to_toml
from llmchat.config.settings import SETTINGS
from llmchat.errors import ConfigError, did_you_mean

KEYS = ("api_key", "key_env", "key_command")
"""The settings for a key; a table may have at most one of them."""
_LONGEST = 10**15
"""Larger numbers are not quoted in messages."""
_VARIABLE = re.compile("[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and its line. None unsets the value of a lower layer."""

    value: SettingValue | None
    line: int


Table = Mapping[str, Entry]
"""Entries by the name of the setting."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The content of config.toml, and notices about it."""

    path: Path
    top: Table = field(default_factory=dict, repr=False)  # these two contain keys
    profiles: Mapping[str, Table] = field(default_factory=dict, repr=False)
    notices: tuple[str, ...] = ()

    def where(self, line: int) -> str:
        """A place in the file, as file:line."""
        return f"{self.path.name}:{line}"


NO_FILE = ConfigFile(Path("config.toml"))


def parse(text: str, path: Path) -> ConfigFile:
    """Parses the text of the file at `path`. Raises ConfigError with the line of the first mistake."""
    return _Reader(path, _load(text, path), TomlLines(text)).read()


def _load(text: str, path: Path) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # of a number with thousands of digits, and of nesting
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        if place is None:
            raise ConfigError(f"{path} is not valid TOML", hint="fix it: llmchat config edit") from error
        line = int(place[1]) if place[1] else text.rstrip("\n").count("\n") + 1
        said = str(error)[: place.start()]
        raise ConfigError(
            f"{path}:{line}: {said[:1].lower()}{said[1:]}", hint='it takes name = value, text in "quotes"'
        ) from error


@dataclass(slots=True)
class _Reader:
    """Reads one file."""

    path: Path
    tables: dict[str, object]
    lines: TomlLines
    notices: list[str] = field(default_factory=list)

    def read(self) -> ConfigFile:
        top = {name: value for name, value in self.tables.items() if name != "profiles"}
        settings = dict(self._entries((), top))
        profiles = dict(self._profiles())
        chosen = settings.get("profile")
        if chosen is not None and chosen.value is not None and chosen.value not in profiles:
            raise self._wrong(chosen.line, "profile", chosen.value, unknown_profile(chosen.value, profiles))
        return ConfigFile(self.path, settings, profiles, tuple(self.notices))

    def _profiles(self) -> Iterator[tuple[str, Table]]:
        profiles = self.tables.get("profiles", {})
        if not isinstance(profiles, dict):
            raise self._wrong(self.lines.line("profiles"), "profiles", profiles, "it takes [profiles.NAME]")
        for name, table in profiles.items():
            line = self.lines.line("profiles", name)
            if not isinstance(table, dict):
                hint = f"a profile is a table: [profiles.{name}]"
                raise ConfigError(f"{self.path}:{line}: profiles.{name} is not a profile", hint=hint)
            entries = dict(self._entries(("profiles", name), table))
            if (url := entries.get("url")) and url.value and "model" not in entries:
                entries["model"] = Entry(None, url.line)  # a model's name is only valid on its own server
            yield name, entries

    def _entries(self, within: tuple[str, ...], table: dict[str, object]) -> Iterator[tuple[str, Entry]]:
        known = {name: each for name, each in SETTINGS.items() if not (within and each.top_only)}
        key: str | None = None
        for name, value in table.items():
            line = self.lines.line(*within, name)
            if name not in known:
                self._note_unknown(line, within, name, value)
                continue
            if name in KEYS and value != "":
                if key is not None:
                    raise ConfigError(
                        f"{self.path}:{line}: {name} and {key} both set a key", hint="keep one of them"
                    )
                key = name
            yield name, Entry(self._value(line, known[name], value), line)

    def _value(self, line: int, setting: Setting, value: object) -> SettingValue | None:
        try:
            read = setting.from_toml(value)
            if setting.name == "key_env" and isinstance(read, str) and not _VARIABLE.fullmatch(read):
                raise ValueError("it takes the name of an environment variable, in capitals")
        except ValueError as error:
            hint = str(error)
            if setting.name == "profile" and isinstance(value, dict):
                hint = "a profile is written [profiles.NAME]"
            raise self._wrong(line, setting.name, value, hint) from None
        return setting.kept(read, f"{self.path}:{line}")

    def _wrong(self, line: int, name: str, value: object, hint: str) -> ConfigError:
        secret = name in SETTINGS and SETTINGS[name].secret
        long = isinstance(value, int) and abs(value) >= _LONGEST
        shown = to_toml(value) if isinstance(value, str | int | float) and not (secret or long) else None
        said = f"{name} is {shown}" if shown and len(shown) <= 60 else f"{name} is not usable"
        return ConfigError(f"{self.path}:{line}: {said}", hint=hint)

    def _note_unknown(self, line: int, within: tuple[str, ...], name: str, value: object) -> None:
        of = f" of profile {within[-1]}" if within else ""
        if isinstance(value, dict) and not within:
            more = f"a profile is written [profiles.{name}]"
        else:
            more = did_you_mean(name, SETTINGS)
        said = f"{self.path.name}:{line}: there is no setting {name}{of}"
        self.notices.append(f"{said}; {more}" if more else said)


def unknown_profile(name: object, known: Mapping[str, object]) -> str:
    """The hint for an unknown profile."""
    if not known:
        return "config.toml has no profiles; add one as [profiles.NAME]"
    return did_you_mean(str(name), known) or f"the profiles are {', '.join(known)}"


DottedKey = tuple[str, ...]

_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}(?!")'  # two more quotes may belong to the text
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*",
    re.DOTALL,
)
_PART = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*')"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")


class TomlLines:
    """The line, from 1, of each key and table in a valid TOML text."""

    def __init__(self, text: str) -> None:
        self._lines: dict[DottedKey, int] = {}
        for keys, line in _scan(text):
            self._lines.setdefault(keys, line)

    def line(self, *keys: str) -> int:
        """The line of this key, or of the inline table that it is in."""
        for length in range(len(keys), 0, -1):
            if found := self._lines.get(keys[:length]):
                return found
        return 1


def _scan(text: str) -> Iterator[tuple[DottedKey, int]]:
    table: DottedKey = ()
    for number, line in enumerate(_STRING_OR_COMMENT.sub(_blank, text).split("\n"), 1):
        if header := _HEADER.match(line):
            table = _parts(header[1])
            yield table, number
        elif assignment := _ASSIGNMENT.match(line):
            yield (*table, *_parts(assignment[1])), number


def _blank(found: re.Match[str]) -> str:
    """Blanks out comments and multi-line strings; a short string may be a key."""
    text = found[0]
    if text.startswith("#"):
        return ""
    return "\n" * text.count("\n") if text.startswith(('"""', "'''")) else text


def _parts(dotted: str) -> DottedKey:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
