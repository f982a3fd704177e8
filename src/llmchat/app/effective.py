"""The effective settings for `config show`, with the model's own defaults. Connects to nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from llmchat import weights
from llmchat.app.target import COURSE_VARIABLE, choose
from llmchat.config.layers import Layer, Value
from llmchat.config.resolve import Config
from llmchat.config.settings import COURSE_SYSTEM, SETTINGS
from llmchat.config.urls import without_password
from llmchat.errors import ConfigError


def effective(config: Config) -> Iterator[tuple[str, Value]]:
    """Every setting with a printable value: keys are masked, and so are commands that may contain one.

    A setting that is not set has the model's own default, if the model has one.
    """
    target = choose(config)
    model = weights.resolve(target.model) if target.url is None and target.model else None
    own: dict[str, object] = {"system": COURSE_SYSTEM if target.url else None}
    if target.url is None:
        own["model"] = target.model
    elif config.values["url"].source == COURSE_VARIABLE:
        own["api"] = "tgi"
    if isinstance(model, weights.Model):
        own["system"] = model.system
        own |= {name: getattr(model.defaults, name) for name, each in SETTINGS.items() if each.live}
    for name, value in config.values.items():
        if name == "api_key":
            yield name, _key(config, target.url)
        elif name == "url" and value.value and target.url is None:
            yield name, replace(value, value=f"none: {target.model} is on this machine ({value.value})")
        elif value.layer is Layer.DEFAULT and own.get(name) not in (None, ()):
            source = "default" if name == "model" or model is None else f"default of {target.model}"
            source = f"default of {COURSE_VARIABLE}" if name == "api" else source
            yield name, Value(own[name], Layer.DEFAULT, source)  # type: ignore[arg-type] # a model's own are as a person's
        elif name == "key_command" and isinstance(value.value, tuple):
            yield name, replace(value, value=value.value[0])
        elif isinstance(value.value, str):
            yield name, replace(value, value=without_password(value.value))
        else:
            yield name, value


def _key(config: Config, url: str | None) -> Value:
    """The source of the key for this URL, or why there is none; never any part of the key."""
    unset = Value(None, Layer.DEFAULT, "default")
    try:
        key = config.endpoint_key(url) if url else config.own_key()
        if key is None:
            withheld = config.withheld_key(url) if url else None
            return replace(unset, value=f"none: {withheld}") if withheld else unset
    except ConfigError as error:
        return replace(unset, value=f"refused: {error.message}")
    place = key.place or (key.origin if key.origin in config.environ else ".env")
    return Value(f"set (from {key.origin})", Layer.DEFAULT, place)
