"""Commands about conversations as wholes: begins, finds, opens, names, saves and exports them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from llmchat.app import Session
from llmchat.errors import UsageError
from llmchat.sanitize import sanitize_line
from llmchat.store import ConversationExport, Record
from llmchat.terminal.device.files import write_file
from llmchat.terminal.history.show import found_text, list_text, show_conversation
from llmchat.terminal.prompt.completion import Candidate, files
from llmchat.terminal.repl.context import CommandContext
from llmchat.terminal.repl.registry import command
from llmchat.transcripts.formats import choose_format, export
from llmchat.transcripts.headings import title_of

LISTED = 20
"""Conversations that /history shows and completes, and what /search finds."""


def _conversations(desk: CommandContext, beginning: str) -> Iterator[Candidate]:
    for each in desk.session.store.list(LISTED):
        yield Candidate(each.id, sanitize_line(each.title)[:50])


@command()
async def new(desk: CommandContext, argument: str) -> None:
    """begins a new conversation; the old one stays kept"""
    desk.session.new_conversation()
    desk.say("A new conversation.")


@command("[ID|last]", complete=_conversations)
async def history(desk: CommandContext, argument: str) -> None:
    """lists past conversations, or shows one"""
    store = desk.session.store
    if argument:
        show_conversation(store.export(store.resolve(argument)), say=desk.say, show=desk.show)
    else:
        desk.say(list_text(store.list(LISTED)))


@command("WORDS")
async def search(desk: CommandContext, argument: str) -> None:
    """finds what was said in any conversation; /open goes there"""
    if not argument:
        raise UsageError("/search takes words to look for", hint="for instance: /search capital of France")
    desk.say(found_text(desk.session.store.search(argument, LISTED)))


@command("ID|last", complete=_conversations)
async def open_(desk: CommandContext, argument: str) -> None:
    """goes on with another conversation: /history and /search show the ids"""
    if not argument:
        raise UsageError("/open takes an id, or the beginning of one", hint="/history shows them")
    desk.session.open(argument)
    desk.show_last_turn()


@command("[TEXT]")
async def title(desk: CommandContext, argument: str) -> None:
    """shows or changes the name of this conversation"""
    session = desk.session
    conversation = session.kept.saved_id()
    if argument:
        session.store.set_title(conversation, argument)
    desk.say(f"Title: {title_of(session.store.export(conversation))}")


@command()
async def save(desk: CommandContext, argument: str) -> None:
    """says where this conversation is saved; after --no-save begins to save it"""
    session = desk.session
    session.kept.save()
    id_ = session.conversation_id
    where = session.folders.database
    desk.say(f"Saved as {id_} in {where}." if id_ else f"Saved with the first question, in {where}.")


@command("[FILE]", complete=lambda _, beginning: files(beginning))
async def export_(desk: CommandContext, argument: str) -> None:
    """writes this conversation into a file: Markdown, or JSON or HTML by its ending"""
    if not desk.chat.conversation.messages:
        raise UsageError("there is nothing to export yet", hint="ask something first")
    name = argument or f"llmchat-{desk.session.conversation_id or time.strftime('%Y%m%d-%H%M%S')}.md"
    text = export([_whole(desk.session)], choose_format(None, name))
    await write_file(desk.confirm, desk.say, name, text)


def _whole(session: Session) -> ConversationExport:
    """The conversation as it is saved; one that is not is a single branch of now."""
    if session.conversation_id is not None:
        return session.store.export(session.conversation_id)
    now, said = time.time(), session.chat.conversation
    records = tuple(
        Record(at, at - 1 or None, message, now, None) for at, message in enumerate(said.messages, 1)
    )
    return ConversationExport("not saved", None, said.system, now, now, len(records), records)
