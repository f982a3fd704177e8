"""`llmchat config`: the commands for settings and config.toml. Each only parses its arguments and calls."""

from __future__ import annotations

import typer

from llmchat.cli.options import AsJson, group, run_of, standard_streams, with_config, with_settings

config_app = group("Show the settings; create, find and edit config.toml.")


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
