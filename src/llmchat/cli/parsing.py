"""What the commands share: how they are declared, and what their options say together. Runs none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from llmchat.cli.options import RUN_OPTIONS

if TYPE_CHECKING:
    from llmchat.terminal.run import Run

CONTEXT = {"help_option_names": ["-h", "--help"]}

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def group(help_text: str) -> typer.Typer:
    """A command that has commands."""
    return typer.Typer(help=help_text, rich_markup_mode=None, context_settings=CONTEXT)


def run_of(context: typer.Context, options: Mapping[str, object]) -> Run:
    """What the options say; those before the command count too, those behind it win."""
    from llmchat.terminal.run import Run

    given = {name: value for name, value in options.items() if value not in (None, [])}
    before: Mapping[str, object] = context.obj or {}
    together = {**before, **given}
    told = {name: value for name, value in together.items() if name in RUN_OPTIONS}
    if isinstance(files := told.get("file"), list):
        told["file"] = tuple(files)
    return Run({name: value for name, value in together.items() if name not in RUN_OPTIONS}, **told)  # type: ignore[arg-type] # as RUN_OPTIONS declares them
