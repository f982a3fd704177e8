"""`llmchat config`: the commands about the settings and their file. Parses and calls, nothing else."""

from __future__ import annotations

import typer

from llmchat.cli.options import AsJson, group, run_of, standard_streams, with_config, with_settings

config_app = group("The settings and their file.")


@config_app.command("show")
@with_settings
def show_config(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """Show every setting, where it came from, and its value; of keys only whether they are set."""
    from llmchat.terminal.settings import show_settings

    raise typer.Exit(show_settings(run_of(context, options), standard_streams(), as_json=json))


@config_app.command("path")
@with_config
def config_path(context: typer.Context, *, json: AsJson = False, **options: object) -> None:
    """Print where config.toml is; with --json all folders."""
    from llmchat.terminal.settings import show_path

    raise typer.Exit(show_path(run_of(context, options), standard_streams(), as_json=json))


@config_app.command("init")
@with_config
def init_config(context: typer.Context, **options: object) -> None:
    """Write a config.toml with every setting in it, commented out."""
    from llmchat.terminal.settings import init

    raise typer.Exit(init(run_of(context, options), standard_streams()))


@config_app.command("edit")
@with_config
def edit_config(context: typer.Context, **options: object) -> None:
    """Open config.toml in $VISUAL or $EDITOR, then check it."""
    from llmchat.terminal.settings import edit

    raise typer.Exit(edit(run_of(context, options), standard_streams()))
