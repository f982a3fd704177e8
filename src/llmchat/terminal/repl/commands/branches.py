"""Commands that go back and branch off: nothing that was said is ever destroyed."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.core.conversation import Role
from llmchat.errors import InputError, UsageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command
from llmchat.transcripts.tree import tree_lines


def _messages(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    for node in desk.session.store.tree(desk.session.kept.saved_id()):
        if not node.current:
            yield Candidate(str(node.id), sanitize_line(node.line)[:50])


@command()
async def undo(desk: CommandContext, argument: str) -> None:
    """takes the last question back into the editor, or a /compact back"""
    if desk.undos and desk.undos[-1].possible:
        desk.undos[-1].run()
        desk.undos.pop()
        desk.say("The turns are sent as they were.")
        return
    desk.put_back(desk.chat.undo())


@command()
async def edit(desk: CommandContext, argument: str) -> None:
    """puts the last question into the editor; sent, it branches off, and the old one stays kept"""
    said = desk.chat.conversation.messages
    question = next((message.text for message in reversed(said) if message.role is Role.USER), None)
    if question is None:
        raise InputError("there is no question to edit", hint="type one")
    desk.put_back(question)
    desk.editing = True


@command()
async def tree(desk: CommandContext, argument: str) -> None:
    """shows the branches of this conversation; a star marks the one that is read"""
    for line in tree_lines(desk.session.store.tree(desk.session.kept.saved_id())):
        desk.say(line)


@command("N", complete=_messages)
async def switch(desk: CommandContext, argument: str) -> None:
    """goes to the branch that message N of /tree is on"""
    if not argument.isdecimal():
        raise UsageError("/switch takes the number of a message", hint="/tree shows them")
    desk.session.kept.switch(int(argument))
    desk.show_last_turn()
