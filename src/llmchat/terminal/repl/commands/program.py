"""Commands about the program itself: help, the screen, the way out."""

from __future__ import annotations

import textwrap

from llmchat.errors import UsageError
from llmchat.terminal.prompt.completion import words
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import COMMANDS, command

KEYS = (
    "Enter sends, Esc-Enter or a trailing \\ makes a new line, Ctrl-C stops a reply, Ctrl-D leaves.",
    "@path in a question attaches a text file; //text sends /text, @@word sends @word.",
)


@command("[COMMAND]", complete=lambda _, beginning: words(COMMANDS, beginning))
async def help_(desk: CommandContext, argument: str) -> None:
    """what each command does, or one of them"""
    chosen = COMMANDS.get(argument.removeprefix("/"))
    if argument and chosen is None:
        raise UsageError(f"there is no command /{argument.removeprefix('/')}", hint="/help lists them")
    for each in [chosen] if chosen else COMMANDS.values():
        desk.say(_fill(f"{each.usage:<24} {each.help}", desk, indent=25))
    if not chosen:
        for line in KEYS:
            desk.say(_fill(line, desk, indent=0))


def _fill(text: str, desk: CommandContext, *, indent: int) -> str:
    """The text in lines that end between words; those after the first are indented where there is room."""
    width = max(2, desk.streams.size(desk.streams.stdout)[0] - 1)
    return textwrap.fill(text, width, subsequent_indent=" " * (indent if width > 2 * indent else 0))


@command()
async def exit_(desk: CommandContext, argument: str) -> None:
    """leaves (as Ctrl-D does)"""
    desk.leave = True


@command()
async def clear(desk: CommandContext, argument: str) -> None:
    """clears the screen; the conversation goes on"""
    desk.clear()
