"""The commands: each parses its words and calls. Everything else is imported when one is called."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from llmchat import __version__
from llmchat.cli.completion import complete, completion
from llmchat.cli.help import help_
from llmchat.cli.options import RUN_OPTIONS, with_config, with_options, with_settings, with_unused_config
from llmchat.errors import ExitCode

if TYPE_CHECKING:
    from llmchat.terminal.run import Run

_CONTEXT = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="llmchat",
    help="Chat with any large language model: one on this machine, TGI, or an OpenAI-compatible server.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_CONTEXT,
)
history_app = typer.Typer(
    help="Look after past conversations.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings=_CONTEXT,
)
app.add_typer(history_app, name="history")
config_app = typer.Typer(
    help="The settings and their file.",
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings=_CONTEXT,
)
app.add_typer(config_app, name="config")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsFormat = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="md, json or html.", show_default=False)
]
Conversations = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids, their beginnings, or last.", show_default=False)
]


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if wanted:
        sys.stdout.write(f"llmchat {__version__}\n")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
]


def _run(context: typer.Context, options: Mapping[str, object]) -> Run:
    """What the options say; those before the command count too, those behind it win."""
    from llmchat.terminal.run import Run

    given = {name: value for name, value in options.items() if value not in (None, [])}
    before: Mapping[str, object] = context.obj or {}
    together = {**before, **given}
    told = {name: value for name, value in together.items() if name in RUN_OPTIONS}
    if isinstance(files := told.get("file"), list):
        told["file"] = tuple(files)
    return Run({name: value for name, value in together.items() if name not in RUN_OPTIONS}, **told)  # type: ignore[arg-type] # as RUN_OPTIONS declares them


@app.callback(invoke_without_command=True)
@with_options
def llmchat(context: typer.Context, *, version: Version = False, **options: object) -> None:
    if context.invoked_subcommand is None:
        chat(context, **options)
    context.obj = {name: value for name, value in options.items() if value not in (None, [])}


@app.command()
@with_options
def chat(context: typer.Context, **options: object) -> None:
    """Chat in the terminal. This is what llmchat does without a command."""
    from llmchat.terminal.chat import chat as run_chat
    from llmchat.terminal.streams import Streams

    raise typer.Exit(run_chat(_run(context, options), Streams.standard()))


@app.command()
@with_options
def ask(
    context: typer.Context,
    prompt: Annotated[
        list[str] | None, typer.Argument(metavar="PROMPT", help="Words; piped text goes before them.")
    ] = None,
    **options: object,
) -> None:
    """Ask once, for pipes and scripts. Only the answer goes to stdout."""
    from llmchat.terminal.ask import ask as run_ask
    from llmchat.terminal.streams import Streams

    raise typer.Exit(run_ask(prompt or [], _run(context, options), Streams.standard()))


@app.command()
@with_config
def models(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """List what can be chatted with."""
    from llmchat.terminal.models import list_models
    from llmchat.terminal.streams import Streams

    raise typer.Exit(list_models(_run(context, options), Streams.standard(), as_json=json))


@app.command()
@with_config
def pull(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="smollm2, qwen, or hf:owner/repo/file.gguf.")],
    **options: object,
) -> None:
    """Fetch the weights of a model. They are verified, and kept for every chat."""
    from llmchat.terminal.models import pull_model
    from llmchat.terminal.streams import Streams

    raise typer.Exit(pull_model(model, _run(context, options), Streams.standard()))


@app.command()
@with_settings
def doctor(
    context: typer.Context,
    *,
    ask_nothing: Annotated[bool, typer.Option("--no-ask", help="Do not ask the model for a reply.")] = False,
    no_save: Annotated[bool, typer.Option("--no-save", help="Conversations need not be kept.")] = False,
    json: AsJson = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    **options: object,
) -> None:
    """Look at what a chat would use, and say what is wrong with it; exits as the chat would."""
    from llmchat.terminal.doctor import doctor as run_doctor
    from llmchat.terminal.streams import Streams

    told = {"no_save": no_save or None, "json": json or None, "debug": debug or None}
    run = _run(context, {**options, **told})
    raise typer.Exit(run_doctor(run, Streams.standard(), asks=not ask_nothing))


@history_app.command("list")
@with_unused_config
def list_(
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many, newest first.")
    ] = 20,
    *,
    json: AsJson = False,
) -> None:
    """List conversations, newest first."""
    from llmchat.terminal.history import list_history
    from llmchat.terminal.streams import Streams

    raise typer.Exit(list_history(Streams.standard(), limit=limit, as_json=json))


@history_app.command()
@with_unused_config
def show(
    conversation: Annotated[
        str, typer.Argument(metavar="ID", help="An id, its beginning, or last.")
    ] = "last",
    *,
    format_: AsFormat = None,
    json: AsJson = False,
) -> None:
    """Show one conversation."""
    from llmchat.terminal.history import show_history
    from llmchat.terminal.streams import Streams

    raise typer.Exit(show_history(conversation, Streams.standard(), as_json=json, format_=format_))


@history_app.command()
@with_unused_config
def search(
    words: Annotated[
        list[str], typer.Argument(metavar="WORD", help="Each has to be in the message; any text will do.")
    ],
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="N", help="How many, newest first.")
    ] = 20,
    *,
    json: AsJson = False,
) -> None:
    """Find messages by their text, newest first."""
    from llmchat.terminal.history import search_history
    from llmchat.terminal.streams import Streams

    raise typer.Exit(search_history(words, Streams.standard(), limit=limit, as_json=json))


@history_app.command()
@with_unused_config
def export(
    conversations: Conversations = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Every conversation.")] = False,
    format_: AsFormat = None,
    json: AsJson = False,
    file: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write to this file; its ending says the format."
        ),
    ] = None,
) -> None:
    """Write conversations to stdout or a file. JSON keeps all there is, for history import."""
    from llmchat.terminal.archive import export_history
    from llmchat.terminal.streams import Streams

    chosen = "json" if json else format_
    streams = Streams.standard()
    raise typer.Exit(export_history(conversations or [], streams, every=every, format_=chosen, file=file))


@history_app.command("import")
@with_unused_config
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A JSON export; - is stdin.")],
    *,
    json: AsJson = False,
) -> None:
    """Add the conversations of a JSON export. What is there already is left alone."""
    from llmchat.terminal.archive import import_history
    from llmchat.terminal.streams import Streams

    raise typer.Exit(import_history(file, Streams.standard(), as_json=json))


@history_app.command()
@with_unused_config
def rm(
    conversations: Annotated[list[str], typer.Argument(metavar="ID", help="Ids, their beginnings, or last.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Erase without asking.")] = False,
    json: AsJson = False,
) -> None:
    """Erase conversations for good."""
    from llmchat.terminal.archive import erase_history
    from llmchat.terminal.streams import Streams

    raise typer.Exit(erase_history(conversations, Streams.standard(), sure=yes, as_json=json))


@config_app.command("show")
@with_settings
def show_config(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """Show every setting, where it came from, and its value; of keys only whether they are set."""
    from llmchat.terminal.config import show_settings
    from llmchat.terminal.streams import Streams

    raise typer.Exit(show_settings(_run(context, options), Streams.standard(), as_json=json))


@config_app.command("path")
@with_config
def config_path(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """Print where config.toml is; with --json all folders."""
    from llmchat.terminal.config import show_path
    from llmchat.terminal.streams import Streams

    raise typer.Exit(show_path(_run(context, options), Streams.standard(), as_json=json))


@config_app.command("init")
@with_config
def init_config(context: typer.Context, **options: object) -> None:
    """Write a config.toml with every setting in it, commented out."""
    from llmchat.terminal.config import init
    from llmchat.terminal.streams import Streams

    raise typer.Exit(init(_run(context, options), Streams.standard()))


@config_app.command("edit")
@with_config
def edit_config(context: typer.Context, **options: object) -> None:
    """Open config.toml in $VISUAL or $EDITOR, then check it."""
    from llmchat.terminal.config import edit
    from llmchat.terminal.streams import Streams

    raise typer.Exit(edit(_run(context, options), Streams.standard()))


app.command("help")(help_)
app.command()(completion)

COMPLETE = "__complete"
"""The word by which the scripts of the shells ask what could stand at the cursor."""


def _root() -> TyperGroup:
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    return root


def run(arguments: list[str]) -> int:
    """Runs the command line; returns the exit code. Raises what the commands raise."""
    if arguments[:1] == [COMPLETE]:
        complete(_root(), arguments[1:])
        return ExitCode.OK
    try:
        code = app(arguments, prog_name="llmchat", standalone_mode=False)
    except SystemExit as left:  # Typer's own way out where the reader of stdout left
        if isinstance(left.__context__, BrokenPipeError):
            raise left.__context__ from None
        raise
    return code if isinstance(code, int) else ExitCode.OK
