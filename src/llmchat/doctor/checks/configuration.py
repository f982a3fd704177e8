"""Checks the configuration, the model it chooses, and where the key comes from. Shows no key."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from llmchat import weights
from llmchat.app.target import choose
from llmchat.backends import BUILT_IN
from llmchat.config.resolve import Config, Layer, Value
from llmchat.config.urls import is_loopback
from llmchat.doctor.finding import Finding, good
from llmchat.doctor.subject import Subject
from llmchat.doctor.threads import in_daemon_thread
from llmchat.errors import LLMChatError

_BELONGING = ("HF_API_KEY", "HF_TOKEN", "OPENAI_API_KEY")
"""Keys that are sent to certain hosts only."""


async def check_configuration(subject: Subject) -> Finding:
    """Shows which file is read, what is set, and where. Raises as `resolve`."""
    config = subject.config
    values = {name: value for name, value in config.values.items() if value.layer > Layer.DEFAULT}
    if "api_key" in values and await in_daemon_thread(lambda: _is_from_dotenv(config)):
        values["api_key"] = replace(values["api_key"], layer=Layer.DOTENV)
    chosen = [f"{name} ({value.where})" for name, value in values.items()]
    said = f"set: {', '.join(chosen)}" if chosen else "nothing is set: defaults apply"
    path = config.file.path
    return good(f"{path if path.exists() else 'no config.toml'}; {said}")


async def check_model(subject: Subject) -> Finding:
    """Shows which model a chat would use, and why. Raises UsageError for an unknown model."""
    config = subject.config
    target = subject.target = choose(config)
    model = _why(target.model, config.values["model"])
    if target.url is not None:
        return good(f"{model or 'any model'} at {_why(target.url, config.values['url'])}")
    assert target.model is not None, "without a URL there is a default model"
    if target.model in BUILT_IN:
        return good(f"{model}: built in, {BUILT_IN[target.model]}")
    if weights.resolve(target.model) is None:
        await subject.connection()  # raises what a chat would raise
    return good(f"{model} on this machine")


async def check_key(subject: Subject) -> Finding | None:
    """Shows which key is sent to the URL. Raises ConfigError if it may not be, or if its command fails."""
    url, config = subject.target.url, subject.config
    if url is None:
        return None
    key = await in_daemon_thread(lambda: config.endpoint_key(url))
    if key is not None:
        stays_here = config.switch("offline") and not is_loopback(url)
        if key.command and subject.asks and not stays_here:
            await config.commands.read(key.command)  # also used for the server, so the command runs only once
        in_dotenv = key.origin not in config.environ and key.origin in config.merged()
        place = ".env" if in_dotenv else key.place
        where = f"{key.origin} ({place})" if place not in ("", key.origin) else key.origin
        return good(f"from {where}, sent as Authorization: {str(config.text('auth')).capitalize()}")
    if withheld := config.withheld_key(url):
        return good(f"no key is sent: {withheld}")
    others = [name for name in _BELONGING if config.environ.get(name)]
    elsewhere = f"; this URL does not get {' or '.join(others)}" if others else ""
    return good(f"no key is sent{elsewhere}")


def _is_from_dotenv(config: Config) -> bool:
    """True if the key comes from .env: a URL from there gets no other key."""
    with suppress(LLMChatError):  # other checks report that
        key = config.endpoint_key(url) if (url := choose(config).url) else None
        return key is not None and (key.origin, key.place) == (config.values["api_key"].source, ".env")
    return False


def _why(name: str | None, value: Value) -> str:
    if name is None:
        return ""
    return f"{name} ({value.where if value.value == name else 'the default'})"
