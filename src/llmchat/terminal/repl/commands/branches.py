"""Commands that undo, edit and switch between branches; every message stays in the store."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.core.conversation import Role
from llmchat.errors import InputError, UsageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.prompt.completion import Candidate
from llmchat.terminal.repl.actions import Action, Do, Edit, Say
from llmchat.terminal.repl.registry import CommandContext, command
from llmchat.transcripts.tree import tree_lines


def _messages(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    for node in context.session.store.tree(context.session.saved_id()):
        if not node.current:
            yield Candidate(str(node.id), sanitize_line(node.line)[:50])


@command()
async def undo(context: CommandContext, argument: str) -> Action:
    """takes back the last question, to edit it again; or takes back a /compact"""
    compaction = next((each for each in reversed(context.compactions) if each.possible), None)
    if compaction is None:
        return Edit(context.session.undo())
    compaction.run()
    return Say("The original turns are sent again.")


@command()
async def edit(context: CommandContext, argument: str) -> Action:
    """edits the last question, and asks it on a new branch; the old one stays saved"""
    messages = context.session.conversation.messages
    question = next((message.text for message in reversed(messages) if message.role is Role.USER), None)
    if question is None:
        raise InputError("there is no question to edit", hint="type one")
    return Edit(question, replaces=True)


@command()
async def tree(context: CommandContext, argument: str) -> Action:
    """shows the branches of this conversation; * marks the current one"""
    session = context.session
    return Say("\n".join(tree_lines(session.store.tree(session.saved_id()))))


@command("N", complete=_messages)
async def switch(context: CommandContext, argument: str) -> Action:
    """switches to the branch with message N of /tree"""
    if not argument.isdecimal():
        raise UsageError("/switch takes the number of a message", hint="/tree shows them")
    context.session.switch_branch(int(argument))
    return Do.SHOW_LAST_TURN
