"""What the commands share: their options, derived from the settings and from what a run can be told."""

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
    "continue_": (("-c", "--continue"), bool, "Go on with the latest conversation."),
    "conversation": (("--conversation",), str, "Go on with this one: an id, its beginning, or last."),
    "no_save": (("--no-save",), bool, "Do not keep this conversation."),
    "file": (("-f", "--file"), list[str], "Put this file's text before the prompt; - is stdin. Repeatable."),
    "raw_prompt": (("--raw-prompt",), bool, "Send the prompt exactly as it is: completion, no roles."),
    "schema": (("--schema",), str, "Hold the answer to the JSON Schema in this file; - is stdin."),
    "regex": (("--regex",), str, "Hold the whole answer to this regular expression."),
    "no_stream": (("--no-stream",), bool, "Ask for the whole reply at once."),
    "raw": (("--raw",), bool, "Print the reply as it is, unsanitized; not to a terminal."),
    "json": (("--json",), bool, "Print one JSON object."),
    "jsonl": (("--jsonl",), bool, "Print a JSON line for each piece, that object last."),
    "batch": (("--batch",), str, "Answer each line of this file, as JSON lines; - is stdin."),
    "concurrency": (("--concurrency",), int, "Lines of a batch at once; 8 for a URL, else 1."),
    "unordered": (("--unordered",), bool, "Print answers of a batch as they come, not in order."),
    "dry_run": (("--dry-run",), bool, "Show exactly what would be sent; send nothing."),
    "config": (("--config",), str, "Read the settings from this file instead of config.toml."),
    "debug": (("--debug",), bool, "Show where an error came from."),
}
"""What a run can be told that is no setting: spellings, type and help; terminal.run.Run holds it."""

_METAVARS: Mapping[object, str] = {
    "conversation": "ID",
    **dict.fromkeys(("file", "schema", "batch", "config"), "FILE"),
    "regex": "PATTERN",
    int: "N",
    float: "N",
    str: "NAME",
}
"""What a value is called, by the name of its option, or else by its type."""

Command = Callable[..., None]


def report_as(
    context: typer.Context,
    parameter: typer.CallbackParam,
    given: bool | None,  # noqa: FBT001 - as Typer calls it
) -> bool | None:
    """Lets the boundary know how this run shows errors; the callback of --json, --jsonl and --debug.

    With is_eager, this comes before anything else on the command line can be wrong.
    """
    if given:
        report: ErrorReport = context.obj
        setattr(report, parameter.name or "", True)
    return given


AsJson = Annotated[bool, typer.Option("--json", callback=report_as, is_eager=True, help="Print JSON.")]


def with_options(command: Command) -> Command:
    """Gives a Typer command every option; they arrive as its keyword arguments, None where not given."""
    return _with(command, [*_settings(), *_run(RUN_OPTIONS)])


def with_settings(command: Command) -> Command:
    """The same with the options of settings, and of where they are read from, only."""
    return _with(command, [*_settings(), *_run(["config"])])


def with_config(command: Command) -> Command:
    """The same with --config only."""
    return _with(command, [*_run(["config"])])


def with_unused_config(command: Command) -> Command:
    """The same for a command that reads no settings, so that --config fits behind every command."""

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
    """A command that has commands."""
    return typer.Typer(help=help_text, rich_markup_mode=None, context_settings=CONTEXT)


def run_of(context: typer.Context, options: Mapping[str, object]) -> Run:
    """What the options say; those before the command count too, those behind it win."""
    from llmchat.terminal.run import Run

    said = [*context.find_root().params.items(), *options.items()]
    together = {name: value for name, value in said if value not in (None, [])}
    told = {name: value for name, value in together.items() if name in RUN_OPTIONS}
    if isinstance(files := told.get("file"), list):
        told["file"] = tuple(files)
    flags = {name: value for name, value in together.items() if name in SETTINGS}
    return Run(flags, report=context.obj, **told)


def standard_streams() -> Streams:
    """Those of this process."""
    from llmchat.terminal.device.streams import Streams

    return Streams.standard()
