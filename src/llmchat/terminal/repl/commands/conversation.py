"""Commands that start, find, open, name, save and export conversations."""

from __future__ import annotations

import time
from collections.abc import Iterator

from llmchat.errors import UsageError
from llmchat.sanitize import sanitize_line
from llmchat.terminal.history.show import conversation_parts, found_text, list_text
from llmchat.terminal.prompt.completion import Candidate, files
from llmchat.terminal.repl.actions import Action, Do, Say, ShowReply, WriteFile
from llmchat.terminal.repl.registry import CommandContext, command
from llmchat.transcripts.formats import choose_format, export
from llmchat.transcripts.headings import title_of

LISTED = 20
"""How many conversations /history lists and completes, and how many messages /search finds."""


def _conversations(context: CommandContext, beginning: str) -> Iterator[Candidate]:
    for each in context.session.store.list(LISTED):
        yield Candidate(each.id, sanitize_line(each.title)[:50])


@command()
async def new(context: CommandContext, argument: str) -> Action:
    """starts a new conversation; the old one stays saved"""
    context.session.new_conversation()
    return Say("A new conversation.")


@command("[ID|last]", complete=_conversations)
async def history(context: CommandContext, argument: str) -> list[Action]:
    """lists saved conversations, or shows one"""
    store = context.session.store
    if not argument:
        return [Say(list_text(store.list(LISTED)))]
    parts = conversation_parts(store.export(store.resolve(argument)))
    return [ShowReply(text) if is_reply else Say(text) for text, is_reply in parts]


@command("WORDS")
async def search(context: CommandContext, argument: str) -> Action:
    """searches all saved conversations; /open opens one of them"""
    if not argument:
        raise UsageError("/search takes the words to find", hint="for instance: /search capital of France")
    return Say(found_text(context.session.store.search(argument, LISTED)))


@command("ID|last", complete=_conversations)
async def open_(context: CommandContext, argument: str) -> Action:
    """continues another conversation; /history and /search show the ids"""
    if not argument:
        raise UsageError("/open takes an id, or the beginning of one", hint="/history shows them")
    context.session.open(argument)
    return Do.SHOW_LAST_TURN


@command("[TEXT]")
async def title(context: CommandContext, argument: str) -> Action:
    """shows or changes the title of this conversation"""
    session = context.session
    conversation = session.saved_id()
    if argument:
        session.store.set_title(conversation, argument)
    return Say(f"Title: {title_of(session.export())}")


@command()
async def save(context: CommandContext, argument: str) -> Action:
    """shows where this conversation is saved; after --no-save, starts saving it"""
    session = context.session
    session.save()
    id_ = session.conversation_id
    where = session.folders.database
    return Say(f"Saved as {id_} in {where}." if id_ else f"Saved with the first question, in {where}.")


@command("[FILE]", complete=lambda _, beginning: files(beginning))
async def export_(context: CommandContext, argument: str) -> Action:
    """exports this conversation to a file: Markdown, or JSON or HTML by the file's suffix"""
    session = context.session
    if not session.conversation.messages:
        raise UsageError("there is nothing to export yet", hint="ask something first")
    name = argument or f"llmchat-{session.conversation_id or time.strftime('%Y%m%d-%H%M%S')}.md"
    return WriteFile(name, export([session.export()], choose_format(None, name)))
