"""The layers of settings and their precedence: options, environment, config.toml, .env, defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial

from llmchat.config.file import ConfigFile, Table, unknown_profile
from llmchat.config.setting import Setting, SettingValue
from llmchat.config.settings import SETTINGS
from llmchat.errors import ConfigError, UsageError


class Layer(IntEnum):
    """A layer of settings; a higher one wins."""

    DEFAULT = 0
    DOTENV = 1
    FILE = 2
    PROFILE = 3  # chosen by a variable or the file; one named by -m is on the layer of options
    ENVIRONMENT = 4
    FLAG = 5
    SESSION = 6  # changed in the REPL


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a setting, with its layer and source."""

    value: SettingValue | None
    layer: Layer
    source: str

    @property
    def origin(self) -> str:
        """Where it came from, for `config show`."""
        return ".env" if self.layer is Layer.DOTENV else self.source

    @property
    def where(self) -> str:
        """Where it came from, for errors."""
        return f"{self.source} in .env" if self.layer is Layer.DOTENV else self.source


@dataclass(frozen=True, slots=True)
class Chosen:
    """The profile in use. Its values are on `layer`, below individually set ones."""

    name: str
    layer: Layer
    source: str  # where it was chosen


@dataclass(frozen=True, slots=True)
class Given:
    """All sources of settings, before a profile is chosen. Each part may contain keys."""

    flags: Mapping[str, object] = field(repr=False)
    environ: Mapping[str, str] = field(repr=False)
    file: ConfigFile = field(repr=False)
    dotenv: Mapping[str, str] = field(repr=False)
    changes: Mapping[str, Value] = field(default_factory=dict, repr=False)  # in the REPL


@dataclass(frozen=True, slots=True)
class Source:
    """Settings from one place: `read` returns None for a setting that is not set there.

    Raises UsageError for an invalid option, ConfigError for an invalid variable.
    """

    layer: Layer
    read: Callable[[Setting], Value | None]
    below: Source | None = None  # the source of the URL that a key of this source belongs to, if not this one


def sources(given: Given, chosen: Chosen | None) -> list[Source]:
    """All sources of settings, the one that wins first."""
    file = given.file
    found = [_with_models_only(each, file) for each in _outside_profiles(given)]
    if chosen is not None:
        table, of = file.profiles[chosen.name], f"profile {chosen.name}"
        top = next(each for each in found if each.layer is Layer.FILE)
        read = partial(_from_table, table, file, chosen.layer, of)
        found.append(Source(chosen.layer, read, below=top))
    return sorted(
        found, key=lambda source: source.layer, reverse=True
    )  # a stable sort: the profile comes last


def choose_profile(given: Given) -> Chosen | None:
    """The profile named by -m, LLMCHAT_PROFILE, or `profile` or `model` in config.toml.

    Raises ConfigError for an unknown profile.
    """
    for source in _outside_profiles(given):
        for setting in (SETTINGS["profile"], SETTINGS["model"]):
            named = source.read(setting)
            if named is None or named.value is None:
                continue
            if named.value in given.file.profiles:
                layer = source.layer if source.layer >= Layer.FLAG else Layer.PROFILE
                return Chosen(str(named.value), layer, named.source)
            if setting.name == "profile":
                hint = unknown_profile(named.value, given.file.profiles)
                raise ConfigError(f"{named.where} is {named.value!r}", hint=hint)
    return None


def _outside_profiles(given: Given) -> list[Source]:
    return [
        Source(Layer.SESSION, lambda setting: given.changes.get(setting.name)),
        Source(Layer.FLAG, partial(_from_flag, given.flags)),
        Source(Layer.ENVIRONMENT, partial(_from_variables, given.environ, Layer.ENVIRONMENT)),
        Source(Layer.FILE, partial(_from_table, given.file.top, given.file, Layer.FILE, "")),
        Source(Layer.DOTENV, partial(_from_variables, given.dotenv, Layer.DOTENV)),
    ]


def _with_models_only(source: Source, file: ConfigFile) -> Source:
    """The same source, ignoring a model that is the name of a profile."""

    def read(setting: Setting) -> Value | None:
        value = source.read(setting)
        return None if value and setting.name == "model" and value.value in file.profiles else value

    return Source(source.layer, read)


def _from_table(table: Table, file: ConfigFile, layer: Layer, of: str, setting: Setting) -> Value | None:
    if (entry := table.get(setting.name)) is None:
        return None
    where = file.where(entry.line)
    return Value(entry.value, layer, f"{of} ({where})" if of else where)


def _from_flag(flags: Mapping[str, object], setting: Setting) -> Value | None:
    given = flags.get(setting.name)
    if given in (None, (), []):
        return None
    flag = setting.flag
    if given == "" and setting.name != "system":
        raise UsageError(f"{flag} is empty", hint="give it a value, or leave it out")
    value = tuple(given) if isinstance(given, list) else given
    assert isinstance(value, str | int | float | bool | tuple), setting.name
    try:
        return Value(setting.check(value), Layer.FLAG, flag)
    except ValueError as error:
        shown = f"{value:.10g}" if isinstance(value, float) else str(value)
        shown = " ".join(value) if isinstance(value, tuple) else shown
        raise UsageError(f"{flag} {shown} is out of range", hint=str(error)) from None


def _from_variables(variables: Mapping[str, str], layer: Layer, setting: Setting) -> Value | None:
    for variable in setting.variables:
        text = variables.get(variable)
        if text is None or (not text and setting.name != "system"):
            continue  # an empty variable is an unset one; an empty system message is a choice
        try:
            return Value(setting.parse(text), layer, variable)
        except ValueError as error:
            where = Value(None, layer, variable).where
            said = f"{where} is not usable" if setting.secret else f"{where} is {text!r}"
            raise ConfigError(said, hint=str(error)) from None
    return None
