"""Resolves the value of each setting: options > environment > profile and config.toml > .env > defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from llmchat.config.dotenv import KNOWN, read_dotenv
from llmchat.config.file import NO_FILE, ConfigFile
from llmchat.config.key_command import KeyCommands
from llmchat.config.keys import KEYS_OF_BASE, ApiKey, OwnKey, find_key, own_keys
from llmchat.config.layers import Chosen, Given, Layer, Source, Value, choose_profile, sources
from llmchat.config.setting import to_toml
from llmchat.config.settings import SETTINGS
from llmchat.config.urls import is_loopback, origin, without_password
from llmchat.core.generation import Settings
from llmchat.errors import ConfigError, did_you_mean

__all__ = ["Config", "Layer", "Value", "defaults", "resolve"]

_ROUTE = ("url", "proxy", "ca_file", "allow_insecure_http")
"""The settings that decide where a key is sent."""

_OURS = "LLMCHAT_"
_NO_SETTINGS = ("LLMCHAT_HOME", "LLMCHAT_CONFIG")
"""Variables that are not settings: they say where the settings are."""


@dataclass(frozen=True, slots=True)
class Config:
    """The effective value of every setting, and all sources that they were resolved from."""

    values: Mapping[str, Value] = field(repr=False)  # these three contain keys
    given: Given = field(repr=False)
    commands: KeyCommands = field(repr=False)
    profile: Chosen | None = None
    notices: tuple[str, ...] = ()

    @property
    def environ(self) -> Mapping[str, str]:
        return self.given.environ

    @property
    def file(self) -> ConfigFile:
        return self.given.file

    def text(self, name: str) -> str | None:
        """The value of a text setting; None if it is not set and has no default."""
        value = self.values[name].value
        assert value is None or isinstance(value, str), name
        return value

    def number(self, name: str) -> float:
        """The value of a number that has a default."""
        value = self.values[name].value
        assert isinstance(value, int | float), name
        return value

    def is_set(self, name: str) -> bool:
        """True if it was set on any layer."""
        return self.values[name].layer > Layer.DEFAULT

    def switch(self, name: str) -> bool:
        return self.values[name].value is True

    def chosen(self) -> Settings:
        """The sampling settings that were set on any layer."""
        chosen = {n: v.value for n, v in self.values.items() if SETTINGS[n].live and v.layer > Layer.DEFAULT}
        return Settings(**{n: v for n, v in chosen.items() if v is not None})  # type: ignore[arg-type] # each was checked against its declaration

    def changed(self, name: str, value: str) -> Config:
        """A copy with a setting changed in the REPL, by the command of its name."""
        changes = {**self.given.changes, name: Value(value, Layer.SESSION, f"/{name}")}
        return _settle(replace(self.given, changes=changes), self.profile, self)

    def with_profile(self, name: str | None) -> Config:
        """A copy with another profile, or none, chosen in the REPL.

        The profile replaces settings that were changed in the REPL before.
        """
        said: Iterable[str] = self.file.profiles[name] if name is not None else ()
        changes = {n: v for n, v in self.given.changes.items() if n not in {*said, "model"}}
        chosen = Chosen(name, Layer.SESSION, "/model") if name is not None else None
        return _settle(replace(self.given, changes=changes), chosen, self)

    def endpoint_key(self, url: str) -> ApiKey | None:
        """The key to send to this URL; does not run a key_command.

        Raises ConfigError if a .env, which may come from someone else, would choose where a key from
        another source is sent; if a key would be sent over http:// to another machine; or if the variable
        that key_env names is not set.
        """
        steering = [name for name in _ROUTE if self.values[name].layer is Layer.DOTENV]
        key = self._find_key(url, dotenv_only=bool(steering))
        if key is None and (elsewhere := find_key(url, self._own_keys(), self.merged().get)):
            raise self._untrusted(url, steering, elsewhere)
        if key is None:
            return None
        if key.secret is None and not key.command:
            raise ConfigError(
                f"{key.origin} is not set", hint="key_env names it as the variable with the key"
            )
        if origin(url)[0] == "http" and not is_loopback(url) and not self.switch("allow_insecure_http"):
            raise ConfigError(
                f"the key in {key.origin} would be sent unencrypted over http://",
                hint="use https://, or set LLMCHAT_ALLOW_INSECURE_HTTP=1 on a network you trust",
            )
        return key

    def own_key(self) -> ApiKey | None:
        """The key that was set for llmchat, for any URL."""
        return next((each.key for each in self._own_keys()), None)

    def withheld_key(self, url: str) -> str | None:
        """Why a configured key is not sent to this URL; None if one is, or if there is none."""
        keys = list(self._own_keys())
        if not keys or find_key(url, keys, self.merged().get):
            return None
        return f"the key in {keys[0].key.origin} belongs to {keys[0].beside}, so it is not sent to {url}"

    def _find_key(self, url: str, *, dotenv_only: bool) -> ApiKey | None:
        keys = [each for each in self._own_keys() if not dotenv_only or each.layer is Layer.DOTENV]
        foreign = () if dotenv_only else self._foreign_bases()
        said = self.given.dotenv if dotenv_only else self.merged()
        return find_key(url, keys, {n: text for n, text in said.items() if n not in foreign}.get)

    def _foreign_bases(self) -> set[str]:
        """The variables in .env that would change the URL that a key of the environment belongs to."""
        said = {base for base, keys in KEYS_OF_BASE.items() if self.environ.keys() & keys}
        return (said & self.given.dotenv.keys()) - self.environ.keys()

    def _own_keys(self) -> Iterable[OwnKey]:
        return own_keys(sources(self.given, self.profile), self.environ)

    def _untrusted(self, url: str, steering: list[str], key: ApiKey) -> ConfigError:
        names = {self.values[name].source: None for name in steering}
        lines = {name: self._shown(name) for name in steering}
        bases = [base for base in sorted(self._foreign_bases()) if key.origin in KEYS_OF_BASE[base]]
        if bases:
            names |= dict.fromkeys(bases)
            lines |= {"url": to_toml(url), "key_env": to_toml(key.origin)}
        wanted = "; on a line of its own, ".join(f"{name} = {value}" for name, value in lines.items())
        return ConfigError(
            f"{' and '.join(names)} in .env would decide where the key in {key.origin} is sent",
            hint=f"if you trust it, add at the top of {self.file.path}: {wanted}",
        )

    def _shown(self, name: str) -> str:
        value = self.values[name].value
        assert value is not None, "it was set in .env"
        if name == "ca_file":
            value = str(Path(str(value)).absolute())  # relative to the folder of the .env
        return to_toml(without_password(value) if isinstance(value, str) else value)

    def merged(self) -> Mapping[str, str]:
        return {**self.given.dotenv, **self.environ}


def defaults() -> Settings:
    """The sampling settings' own defaults."""
    values = {name: setting.default for name, setting in SETTINGS.items() if setting.live and setting.default}
    return Settings(**values)  # type: ignore[arg-type] # a test builds them


def resolve(
    flags: Mapping[str, object],
    *,
    environ: Mapping[str, str],
    directory: Path,
    file: ConfigFile = NO_FILE,
) -> Config:
    """The configuration of this run; `.env` is read from `directory`.

    Raises UsageError for an option, ConfigError for a variable, DeniedError for an unsafe .env.
    """
    dotenv = read_dotenv(directory / ".env")
    given = Given(flags, environ, file, dotenv.values)
    notices = (*file.notices, *_unknown(environ, ""), *_unknown(dotenv.others, " in .env"))
    before = Config({}, given, KeyCommands(environ), notices=notices)
    return _settle(given, choose_profile(given), before)


def _settle(given: Given, profile: Chosen | None, before: Config) -> Config:
    places = sources(given, profile)
    values = {name: _first(name, places) for name in SETTINGS}
    if profile is not None:
        values["profile"] = Value(profile.name, profile.layer, profile.source)
    return replace(before, values=values, given=given, profile=profile)


def _first(name: str, places: Iterable[Source]) -> Value:
    setting = SETTINGS[name]
    read = (place.read(setting) for place in places)
    default = Value(setting.default, Layer.DEFAULT, "default")
    value = next((value for value in read if value is not None), default)
    return replace(value, value=setting.kept(value.value, value.where)) if setting.read_text else value


def _unknown(variables: Iterable[str], where: str) -> Iterable[str]:
    """A notice for each LLMCHAT_* variable that is not a setting."""
    known = [
        each.removeprefix(_OURS) for each in sorted(KNOWN) if each.startswith(_OURS)
    ]  # else all names look similar
    for name in variables:
        ours = name.startswith(_OURS) and not name.startswith("LLMCHAT_TEST_")
        if ours and name not in KNOWN and name not in _NO_SETTINGS:
            near = did_you_mean(name.removeprefix(_OURS), known, before=_OURS)
            yield f"there is no setting {name}{where}" + (f"; {near}" if near else "")
