"""The candidates for completion: commands, options, models, conversations, files. Prints nothing.

Errors (no database, a broken `.env`, no permission) only mean fewer candidates. Nothing is downloaded,
created or waited for, and no library is imported that only a chat needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from typer.core import TyperGroup

from llmchat.cli.completion.command import SCRIPTS
from llmchat.cli.completion.place import Place
from llmchat.config.settings import SETTINGS
from llmchat.errors import LLMChatError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.prompt.completion import Candidate

MOST = 100
"""The most conversations to offer."""

Source = Callable[[Place, Streams], Iterator[Candidate]]
"""Gives the candidates for a parameter."""

FORMATS = ("md", "json", "html")


@dataclass(frozen=True, slots=True)
class Offer:
    """The candidates. With `files` also paths with this suffix, which the shell lists itself.

    `opaque` candidates, such as ids, need their descriptions.
    """

    candidates: tuple[Candidate, ...] = ()
    files: str | None = None
    opaque: bool = False


def offer(place: Place, streams: Streams) -> Offer:
    """All candidates at this place. Leaves out text that is not safe in a shell."""
    if place.parameter is None:
        return Offer(tuple(_options(place) if place.options else _commands(place)))
    name = place.parameter.name or ""
    own = SOURCES.get((*place.path, name))
    found = _values(name, own or SOURCES.get((name,)), place, streams)
    plain = tuple(each for each in found if sanitize_line(each.text) == each.text != "")
    files = None if place.path and own else FILES.get(name)
    return Offer(plain, files, opaque=name in ("conversation", "conversations"))


def _options(place: Place) -> Iterator[Candidate]:
    """The long options; a short one only if it was typed, so that Tab continues after it."""
    for option in place.options:
        for spelling in option.opts:
            if spelling.startswith("--") or spelling == place.beginning:
                yield Candidate(spelling, option.help or "")
    yield Candidate("--help", "Show this message and exit.")


def _commands(place: Place) -> Iterator[Candidate]:
    named = getattr(place.command, "commands", {})
    return (Candidate(name, each.get_short_help_str()) for name, each in named.items() if not each.hidden)


def _values(name: str, source: Source | None, place: Place, streams: Streams) -> Iterable[Candidate]:
    if source is not None:
        with suppress(LLMChatError, OSError):
            return list(source(place, streams))
    if name in SETTINGS:
        return [Candidate(choice) for choice in SETTINGS[name].choices]
    return []


def _models(_place: Place, streams: Streams) -> Iterator[Candidate]:
    from llmchat.terminal.models import model_candidates

    return model_candidates(streams)


def _to_pull(_place: Place, _streams: Streams) -> Iterator[Candidate]:
    from llmchat.weights.catalogue import CATALOGUE

    return (Candidate(name, model.about) for name, model in CATALOGUE.items())


def _conversations(place: Place, streams: Streams) -> Iterator[Candidate]:
    from llmchat.config.folders import Folders
    from llmchat.store import list_read_only

    found = list_read_only(Folders.find(streams.environ).database, MOST)
    latest = [("last", "the latest one")] if found else []
    offered = [*latest, *((each.id, each.title) for each in found)]
    return (Candidate(key, title) for key, title in offered if key not in place.before)


def _topics(place: Place, _streams: Streams) -> Iterator[Candidate]:
    from llmchat.cli.help import list_topics

    assert isinstance(place.root, TyperGroup)
    beginning = "".join(f"{word} " for word in place.before)
    named = (
        (name.removeprefix(beginning), about)
        for name, about in list_topics(place.root)
        if name.startswith(beginning)
    )
    return (Candidate(name, about) for name, about in named if " " not in name)


def _choices(*choices: str) -> Source:
    return lambda _place, _streams: map(Candidate, choices)


SOURCES: Mapping[tuple[str, ...], Source] = {
    ("model",): _models,
    ("pull", "model"): _to_pull,
    ("conversation",): _conversations,
    ("conversations",): _conversations,
    ("format_",): _choices(*FORMATS),
    ("shell",): _choices(*SCRIPTS),
    ("topic",): _topics,
}
"""Candidates for a parameter, by its name, or by its command and name. Settings need no entry."""

FILES: Mapping[str, str] = {"model": ".gguf", "file": "", "schema": "", "batch": "", "config": ""}
"""The parameters that can be a path, and the path's suffix."""
