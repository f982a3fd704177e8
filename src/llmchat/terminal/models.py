"""`llmchat models` and `llmchat pull`: lists the available models, downloads weights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from llmchat import weights
from llmchat.app.target import get_weights
from llmchat.backends import BUILT_IN
from llmchat.config.folders import Folders
from llmchat.config.resolve import Config
from llmchat.errors import ExitCode, UsageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.reply.download import show_fetching
from llmchat.terminal.run import Run, configure

_NAME = 24  # maximum width of the name column


@dataclass(frozen=True, slots=True)
class Choice:
    """An available model: the name that `-m` takes, and what it is. Foreign text."""

    name: str
    kind: str  # profile, embedded, file, built-in, server
    about: str
    size: int | None = None  # bytes
    licence: str | None = None
    path: str | None = None  # of weights on disk; the URL of a server


def list_models(run: Run, streams: Streams, *, as_json: bool) -> ExitCode:
    """Prints the available models, one per line or as a JSON array."""
    config, folder = configure(run, streams), Folders.find(streams.environ).weights
    if as_json:
        streams.write(json.dumps([asdict(choice) for choice in _choices(config, folder)], indent=2) + "\n")
    else:
        streams.write(f"{models_text(config, folder)}\n")
    return ExitCode.OK


def models_text(config: Config, folder: Path) -> str:
    """The available models, one per line; `folder` has the weights on disk."""
    choices = list(_choices(config, folder))
    width = min(_NAME, max(len(sanitize_line(choice.name)) for choice in choices))
    return "\n".join(_line(choice, max(10, width)) for choice in choices)


def _choices(config: Config, folder: Path) -> Iterator[Choice]:
    """Profiles, embedded models, other weights on disk, the built-ins, and the URL if one is set."""
    for name, table in config.file.profiles.items():
        named, url = (table[key].value if key in table else None for key in ("model", "url"))
        at = f"at {url}" if url else ""
        about = f"{named or ''} {at}".strip() or "the settings of config.toml"
        yield Choice(name, "profile", about, path=str(url) if url else None)
    there = {each.name: each for each in weights.installed(folder)}
    for model in weights.CATALOGUE.values():
        path = str(there[model.name].path) if model.name in there else None
        yield Choice(model.name, "embedded", model.about, model.size, model.licence, path)
    for name, each in there.items():
        if name not in weights.CATALOGUE:
            yield Choice(name, "file", "", each.size, path=str(each.path))
    for name, about in BUILT_IN.items():
        yield Choice(name, "built-in", about)
    if url := config.text("url"):
        yield Choice(config.text("model") or url, "server", f"at {url}", path=url)


def model_candidates(streams: Streams) -> Iterator[Candidate]:
    """The names that `-m` takes, for shell completion. Raises as `configure`."""
    folder = Folders.find(streams.environ).weights
    for choice in _choices(configure(Run({}), streams), folder):
        if choice.kind != "server" or choice.name != choice.path:  # which has a URL in the place of a name
            yield Candidate(choice.name, choice.about)


def _line(choice: Choice, width: int) -> str:
    kind = choice.kind
    if kind == "embedded":
        kind = "on disk" if choice.path else "download"
    size = f"{choice.size / 1e6:,.0f} MB" if choice.size else ""
    licence, name = choice.licence or "", sanitize_line(choice.name)
    return f"{name:<{width}}  {kind:<8}  {size:>7}  {licence:<10}  {sanitize_line(choice.about)}".rstrip()


def pull_model(name: str, run: Run, streams: Streams, *, hub: str | None = None) -> ExitCode:
    """Downloads and verifies weights, and prints their path; damaged ones are downloaded again.

    `hub` is another address of the hub. Raises UsageError, as weights.fetch, and offline as weights.verify.
    """
    config = configure(run, streams)
    model = weights.resolve(name)
    if not isinstance(model, weights.Model):
        known = ", ".join(weights.CATALOGUE)
        raise UsageError(
            f"there is no model {name} to download", hint=f"choose {known} or hf:owner/repo/file.gguf"
        )
    folders = Folders.find(streams.environ)
    if (said := folders.restrict_to_owner()) and not config.switch("quiet"):
        streams.note(said)
    found = weights.find(model, folders.weights)
    damage = weights.damage(model, found) if found else None
    if damage is not None and config.switch("offline"):
        raise damage
    if damage is not None and not config.switch("quiet"):
        streams.note(f"{damage.message}; downloading it again")
    path = get_weights(
        model,
        config,
        folders,
        fetching=lambda model: show_fetching(streams, model),
        mends=damage is not None,
        hub=hub,
    )
    streams.write(f"{sanitize_line(str(path))}\n")
    return ExitCode.OK
