"""The command line's commands. Each parses its arguments and calls the code that does the work.

That code is imported only then, so that --help and --version stay fast.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from llmchat import __version__
from llmchat.cli.completion.command import completion
from llmchat.cli.help import help_
from llmchat.cli.history import history_app
from llmchat.cli.options import (
    CONTEXT,
    AsJson,
    group,
    report_as,
    run_of,
    standard_streams,
    with_config,
    with_options,
    with_settings,
)
from llmchat.errors import ErrorReport, ExitCode

app = typer.Typer(
    name="llmchat",
    help="Chat with any large language model: on this machine, on TGI, or on an OpenAI-compatible server.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=CONTEXT,
)
app.add_typer(history_app, name="history")
config_app = group("Show the settings; create, find and edit config.toml.")
app.add_typer(config_app, name="config")


def _show_version(context: typer.Context, wanted: bool) -> None:  # noqa: FBT001 - as Typer calls it
    if wanted and not context.resilient_parsing:
        sys.stdout.write(f"llmchat {__version__}\n")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
]


@app.callback(invoke_without_command=True)
@with_options
def llmchat(context: typer.Context, *, version: Version = False, **options: object) -> None:
    if context.invoked_subcommand is None:
        chat(context, **options)


@app.command()
@with_options
def chat(context: typer.Context, **options: object) -> None:
    """Chat in the terminal. This is what llmchat does without a command."""
    from llmchat.terminal.chat import chat as run_chat

    raise typer.Exit(run_chat(run_of(context, options), standard_streams()))


@app.command()
@with_options
def ask(
    context: typer.Context,
    prompt: Annotated[
        list[str] | None,
        typer.Argument(metavar="PROMPT", help="The prompt. Text from a pipe goes before it."),
    ] = None,
    **options: object,
) -> None:
    """Ask one question. For pipes and scripts: only the answer goes to stdout."""
    from llmchat.terminal.ask import ask as run_ask

    raise typer.Exit(run_ask(prompt or [], run_of(context, options), standard_streams()))


@app.command()
@with_config
def models(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """List the available models."""
    from llmchat.terminal.models import list_models

    raise typer.Exit(list_models(run_of(context, options), standard_streams(), as_json=json))


@app.command()
@with_config
def pull(
    context: typer.Context,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="smollm2, qwen, or hf:owner/repo/file.gguf.")],
    **options: object,
) -> None:
    """Download and verify the weights of a model."""
    from llmchat.terminal.models import pull_model

    raise typer.Exit(pull_model(model, run_of(context, options), standard_streams()))


@app.command()
@with_settings
def doctor(
    context: typer.Context,
    *,
    ask_nothing: Annotated[bool, typer.Option("--no-ask", help="Request no reply from the model.")] = False,
    no_save: Annotated[bool, typer.Option("--no-save", help="Only warn about the database.")] = False,
    json: AsJson = False,
    debug: Annotated[
        bool,
        typer.Option("--debug", callback=report_as, is_eager=True, help="Print a traceback with an error."),
    ] = False,
    **options: object,
) -> None:
    """Check whether a chat would work, and report what is wrong. Exits with the chat's exit code."""
    from llmchat.terminal.doctor.show import doctor as run_doctor

    told = {"no_save": no_save or None, "json": json or None, "debug": debug or None}
    run = run_of(context, {**options, **told})
    raise typer.Exit(run_doctor(run, standard_streams(), asks=not ask_nothing))


@config_app.command("show")
@with_settings
def show_config(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """Show every setting with its value and where it came from. Keys are masked."""
    from llmchat.terminal.settings import show_settings

    raise typer.Exit(show_settings(run_of(context, options), standard_streams(), as_json=json))


@config_app.command("path")
@with_config
def config_path(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """Print the path of config.toml; with --json, all folders."""
    from llmchat.terminal.settings import show_path

    raise typer.Exit(show_path(run_of(context, options), standard_streams(), as_json=json))


@config_app.command("init")
@with_config
def init_config(context: typer.Context, **options: object) -> None:
    """Create a config.toml with every setting in it, commented out."""
    from llmchat.terminal.settings import init

    raise typer.Exit(init(run_of(context, options), standard_streams()))


@config_app.command("edit")
@with_config
def edit_config(context: typer.Context, **options: object) -> None:
    """Open config.toml in $VISUAL or $EDITOR, then check it."""
    from llmchat.terminal.settings import edit

    raise typer.Exit(edit(run_of(context, options), standard_streams()))


app.command("help")(help_)
app.command()(completion)

COMPLETE = "__complete"
"""The hidden command by which the completion scripts of the shells ask for candidates."""


def run(arguments: list[str], report: ErrorReport) -> int:
    """Runs the command line; returns the exit code. Raises what the commands raise; `report` is filled in."""
    if arguments[:1] == [COMPLETE]:
        from llmchat.cli.completion.answer import complete

        root = get_command(app)
        assert isinstance(root, TyperGroup)
        complete(root, arguments[1:])
        return ExitCode.OK
    try:
        code = app(arguments, prog_name="llmchat", standalone_mode=False, obj=report)
    except SystemExit as left:  # Typer's own way out where the reader of stdout left
        if isinstance(left.__context__, BrokenPipeError):
            raise left.__context__ from None
        raise
    return code if isinstance(code, int) else ExitCode.OK


def read_report(error: typer.TyperException, arguments: list[str], report: ErrorReport) -> None:
    """Finds out how to show an error in the command line itself, from the options that can be parsed."""
    context = getattr(error, "ctx", None)  # of the command that the error is in
    if context is not None:
        context.command.make_context(
            "llmchat",
            list(arguments),
            obj=report,
            resilient_parsing=True,
            ignore_unknown_options=True,
            allow_interspersed_args=True,
        )
