"""`llmchat help`: topics and commands as text. `make docs` writes the manual page from the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

from llmchat.cli.options import standard_streams
from llmchat.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from llmchat.config.folders import Folders
    from llmchat.terminal.help.page import Block, HelpPage


def help_(
    context: typer.Context,
    topic: Annotated[
        list[str] | None, typer.Argument(metavar="TOPIC", help="A topic or a command. Default: list them.")
    ] = None,
    *,
    man: Annotated[bool, typer.Option("--man", help="Print the manual page, in roff.")] = False,
) -> None:
    """Show help on a topic or a command."""
    from llmchat.config.folders import Folders
    from llmchat.sanitize import sanitize
    from llmchat.terminal.device.pager import page
    from llmchat.terminal.help.page import to_text

    streams, root = standard_streams(), context.find_root().command
    assert isinstance(root, TyperGroup)
    if man:
        from importlib import resources

        streams.write(resources.files("llmchat.cli").joinpath("llmchat.1").read_text("utf-8"))
        return
    name = " ".join(topic or [])
    shown = _page(root, name, Folders.find(os.environ)) if name else _contents(root)
    page(sanitize(to_text(shown, streams.size(streams.stdout)[0])), streams)


def list_topics(root: TyperGroup) -> Iterator[tuple[str, str]]:
    """The topics, then the commands, with one line about each."""
    from llmchat.terminal.help.topics import TOPICS

    yield from ((name, topic.about) for name, topic in TOPICS.items())
    for path, command in walk_commands(root):
        yield " ".join(path), _about(command)


def _page(root: TyperGroup, name: str, folders: Folders) -> HelpPage:
    """The help page of a topic or a command. Raises UsageError, which names the nearest name."""
    from llmchat.terminal.help.page import HelpPage
    from llmchat.terminal.help.topics import TOPICS, page

    if name in TOPICS:
        return page(name, folders)
    for path, command in walk_commands(root):
        if name == " ".join(path):
            return HelpPage(name, _about(command), tuple(_command(command, path)))
    names = [known for known, _ in list_topics(root)]
    hint = did_you_mean(name, names, before="llmchat help ") or "llmchat help lists the topics"
    raise UsageError(f"there is no help on {name}", hint=hint)


def _contents(root: TyperGroup) -> HelpPage:
    from llmchat.terminal.help.page import HelpHeading, HelpPage, HelpRows, HelpText
    from llmchat.terminal.help.topics import TOPICS

    topics = tuple((name, about) for name, about in list_topics(root) if name in TOPICS)
    commands = tuple((name, about) for name, about in list_topics(root) if name not in TOPICS)
    how = HelpText("llmchat help TOPIC explains one of these. llmchat --help lists the options.")
    return HelpPage(
        "", "", (how, HelpHeading("Topics"), HelpRows(topics), HelpHeading("Commands"), HelpRows(commands))
    )


def walk_commands(
    group: TyperGroup, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    """Every command and those below it, each with its words."""
    for name, command in group.commands.items():
        if isinstance(command, TyperCommand | TyperGroup) and not command.hidden:
            yield (*above, name), command
        if isinstance(command, TyperGroup):
            yield from walk_commands(command, (*above, name))


def _about(command: TyperCommand | TyperGroup) -> str:
    return (command.help or "").partition(". ")[0].removesuffix(".")


def _command(command: TyperCommand | TyperGroup, path: tuple[str, ...]) -> Iterator[Block]:
    from llmchat.terminal.help.page import HelpRows, HelpText

    yield HelpText(usage(command, path))
    yield HelpText(command.help or "")
    yield from options_of(command, set())
    if isinstance(command, TyperGroup):
        yield HelpRows(tuple((" ".join(below), _about(each)) for below, each in walk_commands(command)))


def usage(command: TyperCommand | TyperGroup, path: tuple[str, ...]) -> str:
    """The usage line of the command at this path."""
    context = command.make_context(path[-1], [], resilient_parsing=True)
    return " ".join(("llmchat", *path, *command.collect_usage_pieces(context)))


def options_of(command: TyperCommand | TyperGroup, without: Set[str | None]) -> Iterator[Block]:
    """Its arguments and options, as --help has them, less those in `without`."""
    from llmchat.terminal.help.page import HelpRows

    context = command.make_context(command.name, [], resilient_parsing=True)
    arguments, options = [], []
    for each in command.params:
        record = each.get_help_record(context)
        if record is None or each.name in without:
            continue
        if isinstance(each, TyperArgument):
            arguments.append((each.display_name_raw, record[1]))  # without the Python type that --help has
        else:
            options.append(record)
    if arguments or options:
        yield HelpRows((*arguments, *options))
