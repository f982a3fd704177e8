"""`llmchat history`: the commands for saved conversations. Each only parses its arguments and calls."""

from __future__ import annotations

from typing import Annotated

import typer

from llmchat.cli.options import AsJson, group, standard_streams, with_unused_config

history_app = group("List, show, search, export, import and erase saved conversations.")

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="At most this many.")]
AsFormat = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="md, json or html.", show_default=False)
]
Conversations = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids, their beginnings, or last.", show_default=False)
]


@history_app.command("list")
@with_unused_config
def list_(
    limit: Limit = 20,
    *,
    json: AsJson = False,
) -> None:
    """List conversations, newest first."""
    from llmchat.terminal.history.show import list_history

    raise typer.Exit(list_history(standard_streams(), limit=limit, as_json=json))


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
    from llmchat.terminal.history.show import show_history

    raise typer.Exit(show_history(conversation, standard_streams(), as_json=json, format_=format_))


@history_app.command()
@with_unused_config
def search(
    words: Annotated[list[str], typer.Argument(metavar="WORD", help="The message contains all of these.")],
    limit: Limit = 20,
    *,
    json: AsJson = False,
) -> None:
    """Find messages by their text, newest first."""
    from llmchat.terminal.history.show import search_history

    raise typer.Exit(search_history(words, standard_streams(), limit=limit, as_json=json))


@history_app.command()
@with_unused_config
def export(
    conversations: Conversations = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Export every conversation.")] = False,
    format_: AsFormat = None,
    json: AsJson = False,
    file: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write to this file; its suffix sets the format."
        ),
    ] = None,
) -> None:
    """Export conversations to stdout or a file. JSON keeps everything, and can be imported."""
    from llmchat.terminal.history.archive import export_history

    chosen = "json" if json else format_
    given, streams = conversations or [], standard_streams()
    raise typer.Exit(export_history(given, streams, every=every, format_=chosen, file=file))


@history_app.command("import")
@with_unused_config
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A JSON export; - is stdin.")],
    *,
    json: AsJson = False,
) -> None:
    """Import the conversations of a JSON export. Existing ones are not changed."""
    from llmchat.terminal.history.archive import import_history

    raise typer.Exit(import_history(file, standard_streams(), as_json=json))


@history_app.command()
@with_unused_config
def rm(
    conversations: Annotated[list[str], typer.Argument(metavar="ID", help="Ids, their beginnings, or last.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    json: AsJson = False,
) -> None:
    """Erase conversations permanently."""
    from llmchat.terminal.history.archive import erase_history

    raise typer.Exit(erase_history(conversations, standard_streams(), sure=yes, as_json=json))
