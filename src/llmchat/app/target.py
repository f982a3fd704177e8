"""What -m and --url mean: the target as a value, and the connection to it, not yet connected."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llmchat import weights
from llmchat.app.download import Fetching
from llmchat.backends import BUILT_IN
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config
from llmchat.config.settings import COURSE_SYSTEM
from llmchat.config.urls import check_proxy, is_loopback
from llmchat.core.backend import Connection
from llmchat.core.prompt_format import FORMATS
from llmchat.errors import ConfigError, UsageError, did_you_mean
from llmchat.paths import expand_home

if TYPE_CHECKING:
    from llmchat.backends.http.endpoint import Endpoint
    from llmchat.backends.local.process import EngineOptions

DEFAULT_MODEL = next(iter(weights.CATALOGUE))
COURSE_VARIABLE = "HF_API_FALCOM_BASE"


@dataclass(frozen=True, slots=True)
class Target:
    """A model: a built-in one, one on this machine or, with a URL, the one named `model` on that server."""

    model: str | None
    url: str | None = None


def choose(config: Config) -> Target:
    """The configured URL, unless a layer above it names a model on this machine; else that model."""
    url, model = config.text("url"), config.text("model")
    here = model is not None and (model in BUILT_IN or weights.resolve(model) is not None)
    if url and not (here and config.values["model"].layer > config.values["url"].layer):
        return Target(model, url)
    return Target(model or DEFAULT_MODEL)


def point_at(name: str, config: Config) -> tuple[Config, Target]:
    """The configuration with this profile or model instead, and its target.

    Choosing a model on this machine also drops a profile that has a URL.
    """
    if name in config.file.profiles:
        moved = config.with_profile(name)
        return moved, choose(moved)
    moved = config.changed("model", name)
    target = choose(moved)
    if config.profile and target.url is None and "url" in config.file.profiles[config.profile.name]:
        moved = config.with_profile(None).changed("model", name)
        target = choose(moved)
    return moved, target


def system_message(config: Config, own: str | None, *, url: str | None) -> str:
    """The system message that was set; else the model's `own`; else, with a URL, the course's."""
    if (chosen := config.text("system")) is not None:
        return chosen
    if own is not None:
        return own
    return COURSE_SYSTEM if url else ""


def open_connection(
    target: Target, config: Config, folders: Folders, *, fetching: Fetching, remembers: bool = True
) -> Connection:
    """Opens the connection to the target's model. Downloads weights that are not on disk; blocking.

    With `remembers`, the detected API of a server is saved for later runs.

    Raises ConfigError if the key may not be sent there, UsageError for an unknown model, and what
    weights.fetch raises.
    """
    if target.url is not None:
        return _open_server(target, config, folders if remembers else None)
    assert target.model is not None, "without a URL there is a default model"
    if target.model in BUILT_IN:
        from llmchat.backends.echo import EchoBackend

        form = FORMATS[config.text("prompt_format") or "transcript"]
        return EchoBackend(prompt_format=form, canned=target.model == "canned")
    return _open_local(target.model, config, folders, fetching)


def model_names(config: Config, folders: Folders) -> list[str]:
    """The names that `-m` takes, profiles first: they win over other models of the same name."""
    there = [each.name for each in weights.installed(folders.weights)]
    return list(dict.fromkeys([*config.file.profiles, *weights.CATALOGUE, *there, *BUILT_IN]))


def _open_local(name: str, config: Config, folders: Folders, fetching: Fetching) -> Connection:
    from llmchat.backends.local.backend import LocalConnection

    model = weights.resolve(name)
    if model is None:
        names = model_names(config, folders)
        known = f"choose {', '.join(names)}, a path to a .gguf file, hf:owner/repo/file.gguf"
        near = did_you_mean(name, names)
        raise UsageError(f"there is no model {name} here", hint=near or f"{known}; a server needs --url")
    if isinstance(model, Path):
        weights.check_gguf(model)
        return LocalConnection(_engine(model, config), model=model.stem)
    path = get_weights(model, config, folders, fetching=fetching)
    options = _engine(path, config)
    return LocalConnection(options, model=model.name, system=model.system, defaults=model.defaults)


def get_weights(
    model: weights.Model,
    config: Config,
    folders: Folders,
    *,
    fetching: Fetching,
    mends: bool = False,
    hub: str | None = None,
) -> Path:
    """The path of the model's weights, downloaded if not on disk; blocking. Raises as weights.fetch.

    With `mends`, those on disk are known to be damaged; `hub` is that of weights.fetch.
    """
    if not mends and (found := weights.find(model, folders.weights)):
        return found
    offline = config.switch("offline")
    with nullcontext(lambda _done, _total: None) if offline else fetching(model) as progress:
        return weights.fetch(
            model,
            folders.weights,
            progress=progress,
            offline=offline,
            mends=mends,
            environ=config.environ,
            hub=hub,
            proxy=_proxy(config),
            ca_file=_ca_file(config),
        )


def check_weights_source(model: weights.Model, config: Config, *, hub: str | None = None) -> None:
    """Checks whether `get_weights` could download them. Raises as weights.check_source."""
    weights.check_source(
        model, environ=config.environ, hub=hub, proxy=_proxy(config), ca_file=_ca_file(config)
    )


def _engine(path: Path, config: Config) -> EngineOptions:
    from llmchat.backends.local.process import EngineOptions

    runtime = config.environ.get("XDG_RUNTIME_DIR")
    return EngineOptions(
        path,
        context=int(config.number("context")),
        threads=int(config.number("threads")),
        runtime_dir=Path(runtime) if runtime else None,
        environ=config.environ,
    )


def _open_server(target: Target, config: Config, folders: Folders | None) -> Connection:
    from llmchat.backends.remembered import Remembered
    from llmchat.backends.server import ServerConnection

    named = config.text("api")
    api = named if named not in (None, "auto") else None
    if api is None and config.values["url"].source == COURSE_VARIABLE:
        api = "tgi"
    return ServerConnection(
        endpoint(target, config),
        prompt_format=FORMATS[config.text("prompt_format") or "transcript"],
        model=target.model,
        api=api,
        remembered=Remembered(folders.servers) if folders is not None else None,
    )


def endpoint(target: Target, config: Config) -> Endpoint:
    """The target's server with its settings and the key that may be sent to it. Raises ConfigError."""
    from llmchat.backends.http.endpoint import Auth, Endpoint, Timeouts

    assert target.url is not None, "only a server has an endpoint"
    key = config.endpoint_key(target.url)
    proxy = _proxy(config)
    if key and proxy:
        _check_way(target.url, proxy, config)
    return Endpoint(
        target.url,
        key=key.secret if key else None,
        key_from=key.origin if key else "",
        read_key=partial(config.commands.read, key.command) if key and key.command else None,
        auth=Auth(config.text("auth") or Auth.BEARER),
        timeouts=Timeouts(
            connect=config.number("connect_timeout"),
            header=config.number("header_timeout"),
            first_token=config.number("first_token_timeout"),
            idle=config.number("idle_timeout"),
            wait=config.number("wait"),
        ),
        ca_file=_ca_file(config),
        proxy=proxy,
        context=int(config.number("context")) if config.is_set("context") else None,
        offline=config.switch("offline") and not is_loopback(target.url),
    )


def _proxy(config: Config) -> str | None:
    proxy = config.text("proxy")
    return check_proxy(proxy) if proxy else None


def _ca_file(config: Config) -> Path | None:
    ca_file = config.text("ca_file")
    return expand_home(ca_file) if ca_file else None


def _check_way(url: str, proxy: str, config: Config) -> None:
    """Raises ConfigError if a key for a server on this machine would pass a proxy on another one."""
    in_the_clear = is_loopback(url) and url.lower().startswith("http://")
    if in_the_clear and not is_loopback(proxy) and not config.switch("allow_insecure_http"):
        raise ConfigError(
            "the key would be sent unencrypted to the proxy",
            hint="unset proxy for a server on this machine",
        )
