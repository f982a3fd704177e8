"""The options that commands share: one for each setting, and those in RUN_OPTIONS; how they become a Run."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Annotated

import typer

from llmchat.config.setting import Setting
from llmchat.config.settings import SETTINGS
from llmchat.errors import ErrorReport

if TYPE_CHECKING:
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.run import Run

CONTEXT = {"help_option_names": ["-h", "--help"]}

RUN_OPTIONS: Mapping[str, tuple[tuple[str, ...], object, str]] = {
    "continue_": (("-c", "--continue"), bool, "Continue the latest conversation."),
    "conversation": (("--conversation",), str, "Continue this one: an id, its beginning, or last."),
    "no_save": (("--no-save",), bool, "Do not save this conversation."),
    "file": (("-f", "--file"), list[str], "Put this file's text before the prompt; - is stdin. Repeatable."),
    "raw_prompt": (("--raw-prompt",), bool, "Send the prompt exactly as it is, as a completion."),
    "schema": (("--schema",), str, "Require an answer that matches this JSON Schema; - is stdin."),
    "regex": (("--regex",), str, "Require an answer that matches this regular expression."),
    "no_stream": (("--no-stream",), bool, "Request the whole reply at once."),
    "raw": (("--raw",), bool, "Print the reply unsanitized; not on a terminal."),
    "json": (("--json",), bool, "Print one JSON object."),
    "jsonl": (("--jsonl",), bool, "Print a JSON line for each piece, then that object."),
    "batch": (("--batch",), str, "Answer each line of this file as JSON lines; - is stdin."),
    "concurrency": (
        ("--concurrency",),
        int,
        "Lines of a batch to ask at once. Default: 8 for a URL, else 1.",
    ),
    "unordered": (("--unordered",), bool, "Print the answers of a batch as they arrive."),
    "dry_run": (("--dry-run",), bool, "Print exactly what would be sent, and send nothing."),
    "config": (("--config",), str, "Read settings from this file instead of config.toml."),
    "debug": (("--debug",), bool, "Print a traceback with an error."),
}
"""The options that are not settings: spellings, type and help. `terminal.run.Run` holds their values."""

_METAVARS: Mapping[object, str] = {
    "conversation": "ID",
    **dict.fromkeys(("file", "schema", "batch", "config"), "FILE"),
    "regex": "PATTERN",
    int: "N",
    float: "N",
    str: "NAME",
}
"""The name of an option's value in --help, by the option's name, else by the value's type."""

Command = Callable[..., None]


def report_as(
    context: typer.Context,
    parameter: typer.CallbackParam,
    given: bool | None,  # noqa: FBT001 - as Typer calls it
) -> bool | None:
    """Records how this run shows errors; the callback of --json, --jsonl and --debug.

    With is_eager it runs first, so that errors in the command line are shown that way, too.
    """
    if given:
        report: ErrorReport = context.obj
        setattr(report, parameter.name or "", True)
    return given


AsJson = Annotated[bool, typer.Option("--json", callback=report_as, is_eager=True, help="Print JSON.")]


def with_options(command: Command) -> Command:
    """Adds every option to a Typer command. They arrive as keyword arguments, None if not given."""
    return _with(command, [*_settings(), *_run(RUN_OPTIONS)])


def with_settings(command: Command) -> Command:
    """Adds the options of the settings, and --config."""
    return _with(command, [*_settings(), *_run(["config"])])


def with_config(command: Command) -> Command:
    """Adds --config only."""
    return _with(command, [*_run(["config"])])


def with_unused_config(command: Command) -> Command:
    """Adds a --config that is ignored, so that every command takes it, also one that reads no settings."""

    @wraps(command)
    def run(*, config: str | None = None, **own: object) -> None:
        command(**own)

    return _with(run, [*_run(["config"])])


def _with(command: Command, options: list[inspect.Parameter]) -> Command:
    declared = inspect.signature(command, eval_str=True).parameters.values()
    own = [parameter for parameter in declared if parameter.kind is not parameter.VAR_KEYWORD]
    parameters = [*own, *options]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # PEP 362 allows it
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _settings() -> Iterator[inspect.Parameter]:
    for setting in SETTINGS.values():
        if setting.flags:
            kind = list[setting.kind] if setting.many else setting.kind  # type: ignore[name-defined] # a type made at run time
            yield _parameter(setting.name, setting.flags, kind, _help(setting), setting.metavar)


def _run(names: Iterable[str]) -> Iterator[inspect.Parameter]:
    for name in names:
        flags, kind, text = RUN_OPTIONS[name]
        yield _parameter(name, flags, kind, text, None)


def _parameter(
    name: str, flags: tuple[str, ...], kind: object, text: str, metavar: str | None
) -> inspect.Parameter:
    shown = metavar or _METAVARS.get(name) or _METAVARS.get(kind)
    reports = report_as if name in ("json", "jsonl", "debug") else None
    option = typer.Option(
        *flags, help=text, metavar=shown, show_default=False, callback=reports, is_eager=reports is not None
    )
    annotation = Annotated[kind | None, option]  # type: ignore[valid-type] # a type made at run time
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _help(setting: Setting) -> str:
    said = [setting.help]
    if setting.choices or setting.range:
        said.append(f"Takes {setting.takes()}.")
    if setting.default not in (None, False):
        said.append(f"Default: {setting.default}.")
    return " ".join(said)


def group(help_text: str) -> typer.Typer:
    """A command that has subcommands."""
    return typer.Typer(help=help_text, rich_markup_mode=None, context_settings=CONTEXT)


def run_of(context: typer.Context, options: Mapping[str, object]) -> Run:
    """The run that the options describe. Those before the command count too; those after it win."""
    from llmchat.terminal.run import Run

    said = [*context.find_root().params.items(), *options.items()]
    together = {name: value for name, value in said if value not in (None, [])}
    told = {name: value for name, value in together.items() if name in RUN_OPTIONS}
    if isinstance(files := told.get("file"), list):
        told["file"] = tuple(files)
    flags = {name: value for name, value in together.items() if name in SETTINGS}
    return Run(flags, report=context.obj, **told)


def standard_streams() -> Streams:
    """The streams of this process."""
    from llmchat.terminal.device.streams import Streams

    return Streams.standard()
