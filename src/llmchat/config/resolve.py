"""Which value each setting has and where it came from: flags > environment > .env > defaults."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from llmchat.config.dotenv import read_dotenv
from llmchat.config.settings import SETTINGS, Setting, SettingValue
from llmchat.config.urls import Key, check_url, is_loopback, key_for, origin
from llmchat.core.generation import Settings
from llmchat.errors import ConfigError, UsageError

_ROUTE = ("url", "proxy", "ca_file", "allow_insecure_http")
"""The settings that decide who gets to see a key."""


class Layer(IntEnum):
    """Where a value came from; a higher layer wins."""

    DEFAULT = 0
    DOTENV = 1
    ENVIRONMENT = 2
    FLAG = 3
    SESSION = 4  # changed in the REPL


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value, and the layer and name it came from."""

    value: SettingValue | None
    layer: Layer
    source: str


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting's effective value, and the surroundings that keys are read from."""

    values: Mapping[str, Value] = field(repr=False)  # these three hold keys
    environ: Mapping[str, str] = field(repr=False)
    dotenv: Mapping[str, str] = field(repr=False)

    def text(self, name: str) -> str | None:
        """The value of a text setting, None where nobody set it and it has no default."""
        value = self.values[name].value
        assert value is None or isinstance(value, str), name
        return value

    def number(self, name: str) -> float:
        """The value of a number that has a default."""
        value = self.values[name].value
        assert isinstance(value, int | float), name
        return value

    def switch(self, name: str) -> bool:
        return self.values[name].value is True

    def chosen(self) -> Settings:
        """The sampling settings that the person set, on whatever layer."""
        chosen = {n: v.value for n, v in self.values.items() if SETTINGS[n].live and v.layer > Layer.DEFAULT}
        return Settings(**chosen)  # type: ignore[arg-type] # each was checked against its declaration

    def endpoint_key(self, url: str) -> Key | None:
        """The key to send to this URL.

        Raises ConfigError where .env, which may have come with somebody's files, would send a key from
        elsewhere to a place of its own, or a key would travel over http:// to another machine.
        """
        steering = [self.values[name] for name in _ROUTE if self.values[name].layer is Layer.DOTENV]
        key = key_for(url, (self.dotenv if steering else self.merged()).get)
        if key is None and steering and (elsewhere := key_for(url, self.merged().get)):
            names = " and ".join(each.source for each in steering)
            exports = " ".join(f"{each.source}={shlex.quote(str(each.value))}" for each in steering)
            raise ConfigError(
                f"{names} in .env would decide who gets the key in {elsewhere.origin}, set elsewhere",
                hint=f"if you trust it, say so: export {exports}",
            )
        insecure = origin(url)[0] == "http" and not is_loopback(url)
        if key and insecure and not self.switch("allow_insecure_http"):
            raise ConfigError(
                f"the key in {key.origin} would travel in the clear over http://",
                hint="use https://, or set LLMCHAT_ALLOW_INSECURE_HTTP=1 on a network you trust",
            )
        return key

    def merged(self) -> Mapping[str, str]:
        return {**self.dotenv, **self.environ}


def defaults() -> Settings:
    """The sampling settings' own defaults."""
    values = {name: setting.default for name, setting in SETTINGS.items() if setting.live and setting.default}
    return Settings(**values)  # type: ignore[arg-type] # a test builds them


def resolve(flags: Mapping[str, object], *, environ: Mapping[str, str], directory: Path) -> Config:
    """The configuration of this run, with `directory` as the working directory whose .env counts.

    Raises UsageError for a flag, ConfigError for a variable, DeniedError for a .env that others can change.
    """
    dotenv = read_dotenv(directory / ".env")
    values = {}
    for name, setting in SETTINGS.items():
        given = flags.get(name)
        if given not in (None, (), []):
            if given == "" and name != "system":
                raise UsageError(f"{setting.flags[-1]} is empty", hint="give it a value, or leave it out")
            values[name] = Value(_from_flag(setting, given), Layer.FLAG, setting.flags[-1])
        else:
            values[name] = _from_layers(setting, environ, dotenv)
    if url := values["url"].value:
        assert isinstance(url, str)
        values["url"] = Value(check_url(url), values["url"].layer, values["url"].source)
    return Config(values, environ, dotenv)


def _from_flag(setting: Setting, given: object) -> SettingValue:
    value = tuple(given) if isinstance(given, list) else given
    assert isinstance(value, str | int | float | bool | tuple), setting.name
    try:
        return setting.check(value)
    except ValueError as error:
        shown = f"{value:.10g}" if isinstance(value, float) else str(value)
        shown = " ".join(value) if isinstance(value, tuple) else shown
        raise UsageError(f"{setting.flags[-1]} {shown} is out of range", hint=str(error)) from None


def _from_layers(setting: Setting, environ: Mapping[str, str], dotenv: Mapping[str, str]) -> Value:
    for layer, variables in ((Layer.ENVIRONMENT, environ), (Layer.DOTENV, dotenv)):
        for variable in (setting.variable, *setting.aliases):
            text = variables.get(variable)
            if text is None or (not text and setting.name != "system"):
                continue  # an empty variable is an unset one; an empty system message is a choice
            try:
                value = setting.parse(text)
            except ValueError as error:
                where = variable if layer is Layer.ENVIRONMENT else f"{variable} in .env"
                said = f"{where} is not usable" if setting.secret else f"{where} is {text!r}"
                raise ConfigError(said, hint=str(error)) from None
            return Value(value, layer, variable)
    return Value(setting.default, Layer.DEFAULT, "default")
