"""`llmchat history`: the commands that look after past conversations. Parses and calls, nothing else."""

from __future__ import annotations

from typing import Annotated

import typer

from llmchat.cli.options import with_unused_config
from llmchat.cli.parsing import AsJson, group

history_app = group("Look after past conversations.")

AsFormat = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="md, json or html.", show_default=False)
]
Conversations = Annotated[
    list[str] | None, typer.Argument(metavar="ID", help="Ids, their beginnings, or last.", show_default=False)
]


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
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.history.show import list_history

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
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.history.show import show_history

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
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.history.show import search_history

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
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.history.archive import export_history

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
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.history.archive import import_history

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
    from llmchat.terminal.device.streams import Streams
    from llmchat.terminal.history.archive import erase_history

    raise typer.Exit(erase_history(conversations, Streams.standard(), sure=yes, as_json=json))
