"""Commands about the last reply: retry it, continue it, copy it, write its code to a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from llmchat.core.conversation import Conversation, Role
from llmchat.errors import InputError, UsageError
from llmchat.terminal.device.clipboard import copy as copy_text
from llmchat.terminal.prompt.completion import Candidate, files
from llmchat.terminal.repl.actions import Action, Ask, Say, WriteFile
from llmchat.terminal.repl.registry import CommandContext, command

if TYPE_CHECKING:
    from llmchat.markdown import CodeBlock


def _blocks(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    for at, block in enumerate(_code_blocks(context.session.conversation), 1):
        yield Candidate(str(at), block.language)


def _block_and_file(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    number, space, name = beginning.partition(" ")
    if not space:
        yield from _blocks(context, number)
    else:
        yield from (Candidate(f"{number} {each.text}") for each in files(name))


@command()
async def retry(context: CommandContext, argument: str) -> Action:
    """asks the last question again; the old answer stays saved"""
    return Ask(context.session.retry())


@command()
async def continue_(context: CommandContext, argument: str) -> Action:
    """continues a reply that was cut off; the unfinished one stays saved"""
    session = context.session
    if not await session.model.can_continue():
        raise InputError(
            f"{session.model.shown} cannot continue a reply",
            hint="/set max_tokens and /retry, or ask for more in your own words",
        )
    return Ask(session.go_on())


@command("[N]", complete=_blocks)
async def copy(context: CommandContext, argument: str) -> Action:
    """copies the last reply to the clipboard, or its code block N"""
    conversation = context.session.conversation
    text = _code_block(conversation, argument).text if argument else _last_reply(conversation)
    return Say(f"Copied {len(text):,} characters, using {copy_text(text, context.streams)}.")


@command("N FILE", complete=_block_and_file)
async def code(context: CommandContext, argument: str) -> Action:
    """writes code block N of the last reply to a file"""
    number, _, name = argument.partition(" ")
    if not name.strip():
        raise UsageError("/code takes a number and a file name", hint="for example: /code 1 hello.py")
    return WriteFile(name.strip(), _code_block(context.session.conversation, number).text)


def _last_reply(conversation: Conversation) -> str:
    """The text of the newest answer. Raises UsageError if there is none."""
    answers = (m.text for m in reversed(conversation.messages) if m.role is Role.ASSISTANT and m.text)
    reply = next(answers, None)
    if reply is None:
        raise UsageError("there is no reply yet", hint="ask something first")
    return reply


def _code_blocks(conversation: Conversation) -> Sequence[CodeBlock]:
    """The code blocks of the newest answer, in the order of the numbers shown with them."""
    from llmchat.markdown import read_code_blocks  # not on the way to the first prompt

    return read_code_blocks(_last_reply(conversation))


def _code_block(conversation: Conversation, number: str) -> CodeBlock:
    """A code block of the newest answer by its number. Raises UsageError if there is none."""
    blocks = _code_blocks(conversation)
    if not number.isdecimal() or not 0 < int(number) <= len(blocks):
        there = f"it has {len(blocks)}" if blocks else "it has none"
        raise UsageError(f"the last reply has no code block {number}", hint=there)
    return blocks[int(number) - 1]
