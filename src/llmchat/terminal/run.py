"""One run of the program: its options, and how they become a configuration, a session and a view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmchat.app import Session
from llmchat.app.persistence import check_kept
from llmchat.config.folders import Folders
from llmchat.config.location import ConfigPath
from llmchat.config.resolve import Config, resolve
from llmchat.errors import ErrorReport, UsageError
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.download import show_fetching
from llmchat.terminal.reply.screen import Screen
from llmchat.terminal.reply.status import StatusLine
from llmchat.terminal.reply.view import View


@dataclass(frozen=True, slots=True)
class Run:
    """The options of a run that are not settings, and the settings that came as flags."""

    flags: Mapping[str, object]
    continue_: bool = False
    conversation: str | None = None
    no_save: bool = False
    file: tuple[str, ...] = ()
    raw_prompt: bool = False
    schema: str | None = None
    regex: str | None = None
    no_stream: bool = False
    raw: bool = False
    json: bool = False
    jsonl: bool = False
    dry_run: bool = False
    config: str | None = None
    debug: bool = False
    batch: str | None = None
    concurrency: int | None = None
    unordered: bool = False
    report: ErrorReport = field(default_factory=ErrorReport, compare=False, repr=False)

    def check(self, streams: Streams) -> None:
        """Raises UsageError for options that cannot be used together."""
        if self.raw and streams.is_terminal(streams.stdout):
            raise UsageError("--raw is refused on a terminal", hint="pipe it, or redirect it to a file")
        if self.json and self.jsonl:
            raise UsageError("--json and --jsonl cannot be used together", hint="give one of them")
        if self.schema is not None and self.regex is not None:
            raise UsageError("--schema and --regex cannot be used together", hint="give one of them")
        if self.continue_ and self.conversation:
            raise UsageError("-c and --conversation cannot be used together", hint="give one of them")
        if self.resumed and self.raw_prompt:
            raise UsageError("--raw-prompt cannot continue a conversation", hint="leave out -c")
        if self.batch is None and (self.concurrency is not None or self.unordered):
            flag = "--unordered" if self.unordered else "--concurrency"
            raise UsageError(f"{flag} needs --batch", hint="add --batch FILE, a file of prompts")

    @property
    def held_to(self) -> str | None:
        """What the answer must match, in words; foreign text."""
        if self.schema is not None:
            return f"the JSON Schema in {'standard input' if self.schema == '-' else self.schema}"
        return None if self.regex is None else f"the pattern {self.regex}"

    @property
    def resumed(self) -> str | None:
        """The saved conversation to continue, if any."""
        return "last" if self.continue_ else self.conversation


def configure(run: Run, streams: Streams, *, restricts: bool = True) -> Config:
    """The effective configuration; its notices go to stderr.

    Raises as `resolve` and `ConfigPath.read`, which explains `restricts`.
    """
    file = config_path(run, streams).read(restricts=restricts)
    config = resolve(run.flags, environ=streams.environ, directory=Path(), file=file)
    run.report.secrets = lambda: config.commands.printed
    if not config.switch("quiet"):
        for notice in config.notices:
            streams.note(notice)
    return config


def config_path(run: Run, streams: Streams) -> ConfigPath:
    """Where config.toml is in this run. Raises UsageError for an empty --config."""
    if run.config == "":
        raise UsageError("--config is empty", hint="give it a file, or leave it out")
    return ConfigPath.find(run.config, streams.environ)


def open_session(run: Run, config: Config, streams: Streams) -> Session:
    """The session of this run, with weights downloaded and the conversation opened."""
    folders = Folders.find(streams.environ)
    if (said := folders.restrict_to_owner()) and not config.switch("quiet"):
        streams.note(said)
    if run.resumed:
        check_kept(run.resumed, folders)  # before weights are downloaded for nothing
    session = Session(config, folders, fetching=lambda model: show_fetching(streams, model))
    keep = not (run.no_save or run.dry_run)
    if run.resumed:
        session.resume(run.resumed, keep=keep)
    elif keep:
        session.keep()
    return session


def make_view(
    run: Run,
    config: Config,
    streams: Streams,
    *,
    conversation: Callable[[], str | None],
    footer: bool = False,
) -> View:
    """How this run shows a reply: JSON, plain text, or live Markdown where stdout is a capable terminal.

    An answer to --schema or --regex is not Markdown.
    """
    thoughts = config.text("reasoning") != "hide"
    status = StatusLine(streams, quiet=config.switch("quiet"), thoughts=thoughts)
    if run.json or run.jsonl:
        from llmchat.terminal.reply.json import JsonView

        return JsonView(streams, status, lines=run.jsonl, conversation=conversation)
    screen = None if run.raw or run.held_to else find_screen(config, streams)
    if screen is None:
        from llmchat.terminal.reply.plain import PlainView

        return PlainView(streams, status, raw=run.raw, footer=footer)
    from llmchat.terminal.reply.live import LiveView

    return LiveView(screen, status, footer=footer)


def find_screen(config: Config, streams: Streams) -> Screen | None:
    """The terminal behind stdout, if it understands escape sequences and --plain was not given."""
    if config.switch("plain"):
        return None
    return Screen.find(streams, theme=config.text("theme") or "auto")
