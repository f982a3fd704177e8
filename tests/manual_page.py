"""The manual page llmchat.1, in roff's man(7), from the commands and the topics of help."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from typer.core import TyperGroup
from typer.main import get_command

from llmchat import __version__
from llmchat.cli.commands import app
from llmchat.cli.help import options_of, usage, walk_commands
from llmchat.config.folders import Folders
from llmchat.terminal.help.page import Block, HelpHeading, HelpPage, HelpRows, HelpText, Lines
from llmchat.terminal.help.topics import TOPICS, page

FOLDERS = Folders(
    Path("~/.config/llmchat"),
    Path("~/.local/share/llmchat"),
    Path("~/.local/state/llmchat"),
    Path("~/.cache/llmchat"),
)
"""The folders on Linux by default, so that the page is the same wherever it is made."""

_DESCRIPTION = (
    "Without a command it chats in the terminal; without a terminal it answers what is piped in. With "
    "nothing configured, a small model on this machine answers."
)

_SPECIAL = {
    "\\": r"\e",
    "-": r"\-",
    "'": r"\(aq",
    "`": r"\(ga",
    "^": r"\(ha",
    "~": r"\(ti",
    '"': r"\(dq",
}


def manual_page() -> str:
    """The manual page, with the commands' options as --help has them."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    shared = "llmchat, llmchat chat and llmchat ask take all of these."
    pages = [
        HelpPage("name", "", (HelpText("llmchat - chat with any large language model from a shell"),)),
        HelpPage("synopsis", "", (HelpText("llmchat [OPTION]... [COMMAND [ARGUMENT]...]"),)),
        HelpPage("description", "", (HelpText(root.help or ""), HelpText(_DESCRIPTION))),
        HelpPage("options", "", (HelpText(shared), *options_of(root, set()))),
        HelpPage("subcommands", "", tuple(_subcommands(root))),
        *(page(name, FOLDERS) for name in TOPICS),
    ]
    return to_roff("llmchat", __version__, pages)


def _subcommands(root: TyperGroup) -> Iterator[Block]:
    shared = {parameter.name for parameter in root.params} - {"version"}
    for path, command in walk_commands(root):
        if not isinstance(command, TyperGroup):
            yield HelpHeading(usage(command, path))
            yield HelpText(command.help or "")
            own = {parameter.name for parameter in command.params}
            yield from options_of(command, shared if shared <= own else set())


def to_roff(name: str, version: str, pages: Iterable[HelpPage]) -> str:
    """A manual page of section 1 with each page as a section of it."""
    lines = [
        '.\\" Written by make docs.',
        f'.TH {name.upper()} 1 "" "{name} {version}" "User Commands"',
        ".nh",
        ".ad l",
    ]
    for each in pages:
        lines.append(f".SH {_escape(each.name.replace('-', ' ').upper())}")
        fresh = True  # a paragraph begins by itself
        for block in each.blocks:
            lines.extend(_write(block, fresh=fresh))
            fresh = isinstance(block, HelpHeading)
    return "\n".join(lines) + "\n"


def _write(block: Block, *, fresh: bool) -> Iterator[str]:
    paragraph = [] if fresh else [".PP"]
    match block:
        case HelpHeading(text):
            yield f".SS {_escape(text)}"
        case HelpText(text):
            yield from (*paragraph, *_fill(text))
        case Lines(text):
            yield from (*paragraph, ".RS 4", ".nf", *map(_line, text.split("\n")), ".fi", ".RE")
        case HelpRows(rows):
            for term, meaning in rows:
                yield from (".TP", f"\\fB{_escape(term)}\\fR")
                yield from _fill(meaning)


def _fill(text: str) -> Iterator[str]:
    return map(_line, textwrap.wrap(text, 72, break_long_words=False, break_on_hyphens=False))


def _line(text: str) -> str:
    """A line that begins no request."""
    escaped = _escape(text)
    return f"\\&{escaped}" if escaped.startswith(".") or not escaped else escaped


def _escape(text: str) -> str:
    return re.sub(r"[\\\-'`^~\"]", lambda found: _SPECIAL[found[0]], text)
