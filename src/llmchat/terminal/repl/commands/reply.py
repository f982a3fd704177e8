"""Commands about the last reply: copies it, writes its code, asks for it again or for more of it."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.errors import InputError, UsageError
from llmchat.terminal.device.clipboard import copy as copy_text
from llmchat.terminal.device.files import write_file
from llmchat.terminal.prompt.completion import Candidate, files
from llmchat.terminal.repl.code import code_block, code_blocks, last_reply
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command


def _blocks(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    for at, block in enumerate(code_blocks(desk.chat), 1):
        yield Candidate(str(at), block.language)


def _block_and_file(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    number, space, name = beginning.partition(" ")
    if not space:
        yield from _blocks(desk, number)
    else:
        yield from (Candidate(f"{number} {each.text}") for each in files(name))


@command()
async def retry(desk: CommandContext, argument: str) -> None:
    """asks the last question again; the old answer stays kept"""
    desk.turn = desk.chat.retry()


@command()
async def continue_(desk: CommandContext, argument: str) -> None:
    """goes on with a reply that was cut off, and shows the whole; the part stays kept"""
    if not await desk.chat.backend.can_continue():
        raise InputError(
            f"{desk.session.model_shown()} cannot go on with a reply",
            hint="/set max_tokens and /retry, or ask for more in your own words",
        )
    desk.turn = desk.chat.go_on()


@command("[N]", complete=_blocks)
async def copy(desk: CommandContext, argument: str) -> None:
    """copies the last reply to the clipboard, or its code block N"""
    text = code_block(desk.chat, argument).text if argument else last_reply(desk.chat)
    desk.say(f"Copied {len(text):,} characters, by {copy_text(text, desk.streams)}.")


@command("N FILE", complete=_block_and_file)
async def code(desk: CommandContext, argument: str) -> None:
    """writes code block N of the last reply into a file"""
    number, _, name = argument.partition(" ")
    if not name.strip():
        raise UsageError("/code takes a number and a file name", hint="for instance: /code 1 hello.py")
    await write_file(desk.confirm, desk.say, name.strip(), code_block(desk.chat, number).text)
