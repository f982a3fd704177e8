"""What the commands share: how they are declared, and what their options say together. Runs none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from llmchat.cli.options import RUN_OPTIONS, report_as
from llmchat.config.settings import SETTINGS

if TYPE_CHECKING:
    from llmchat.terminal.run import Run

CONTEXT = {"help_option_names": ["-h", "--help"]}

AsJson = Annotated[bool, typer.Option("--json", callback=report_as, is_eager=True, help="Print JSON.")]


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
