"""Commands about the program itself: help, the screen, leaving."""

from __future__ import annotations

import textwrap

from llmchat.errors import UsageError
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.repl.actions import Action, Do, Say
from llmchat.terminal.repl.registry import COMMANDS, CommandContext, command

KEYS = (
    "Enter sends, Esc-Enter or a trailing \\ starts a new line, Ctrl-C stops a reply, Ctrl-D leaves.",
    "@path in a question attaches a text file; //text sends /text, @@word sends @word.",
)


@command("[COMMAND]", complete=lambda _context, _beginning: map(Candidate, COMMANDS))
async def help_(context: CommandContext, argument: str) -> Action:
    """lists the commands, or explains one"""
    chosen = COMMANDS.get(argument.removeprefix("/"))
    if argument and chosen is None:
        raise UsageError(f"there is no command /{argument.removeprefix('/')}", hint="/help lists them")
    columns = context.streams.size(context.streams.stdout)[0]
    lines = [
        _fill(f"{each.usage:<24} {each.help}", columns, indent=25)
        for each in ([chosen] if chosen else COMMANDS.values())
    ]
    if not chosen:
        lines += [_fill(line, columns, indent=0) for line in KEYS]
    return Say("\n".join(lines))


def _fill(text: str, columns: int, *, indent: int) -> str:
    """The text wrapped at words; lines after the first are indented if there is room."""
    width = max(2, columns - 1)
    return textwrap.fill(text, width, subsequent_indent=" " * (indent if width > 2 * indent else 0))


@command()
async def exit_(context: CommandContext, argument: str) -> Action:
    """leaves; so does Ctrl-D"""
    return Do.LEAVE


@command()
async def clear(context: CommandContext, argument: str) -> Action:
    """clears the screen; the conversation continues"""
    return Do.CLEAR_SCREEN
