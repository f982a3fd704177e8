"""Commands about the program itself: help, the screen, the way out."""

from __future__ import annotations

from llmchat.errors import UsageError
from llmchat.terminal.commands.desk import Desk
from llmchat.terminal.commands.registry import COMMANDS, command
from llmchat.terminal.completion import words


@command("[COMMAND]", complete=lambda _, beginning: words(COMMANDS, beginning))
async def help_(desk: Desk, argument: str) -> None:
    """what each command does, or one of them"""
    chosen = COMMANDS.get(argument.removeprefix("/"))
    if argument and chosen is None:
        raise UsageError(f"there is no command /{argument.removeprefix('/')}", hint="/help lists them")
    for each in [chosen] if chosen else COMMANDS.values():
        desk.say(f"{each.usage:<24} {each.help}")
    if not chosen:
        desk.say(
            "Enter sends, Esc-Enter or a trailing \\ makes a new line, Ctrl-C stops a reply, Ctrl-D leaves.\n"
            "@path in a question attaches a text file; //text sends /text, @@word sends @word."
        )


@command()
async def exit_(desk: Desk, argument: str) -> None:
    """leaves (as Ctrl-D does)"""
    desk.leave = True


@command()
async def clear(desk: Desk, argument: str) -> None:
    """clears the screen; the conversation goes on"""
    desk.clear()
