"""Commands about conversations as wholes: begins, finds, opens, names, saves and exports them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from llmchat.errors import UsageError
from llmchat.terminal.commands.desk import Desk
from llmchat.terminal.commands.registry import command
from llmchat.terminal.completion import Candidate, files
from llmchat.terminal.exporting import export_text
from llmchat.terminal.history import list_text, show_conversation
from llmchat.terminal.sanitize import sanitize_line
from llmchat.terminal.written import write_file

LISTED = 20
"""Conversations that /history shows and completes, and what /search finds."""


def _conversations(desk: Desk, beginning: str) -> Iterator[Candidate]:
    for each in desk.session.store.list(LISTED):
        yield Candidate(each.id, sanitize_line(each.title)[:50])


@command()
async def new(desk: Desk, argument: str) -> None:
    """begins a new conversation; the old one stays kept"""
    desk.session.new_conversation()
    desk.say("A new conversation.")


@command("[ID|last]", complete=_conversations)
async def history(desk: Desk, argument: str) -> None:
    """lists past conversations, or shows one"""
    store = desk.session.store
    if argument:
        show_conversation(store, store.resolve(argument), say=desk.say, show=desk.show)
    else:
        desk.say(list_text(store.list(LISTED)))


@command("WORDS")
async def search(desk: Desk, argument: str) -> None:
    """finds what was said in any conversation; /open goes there"""
    if not argument:
        raise UsageError("/search takes words to look for", hint="for instance: /search capital of France")
    found = desk.session.store.search(argument, LISTED)
    for each in found:
        when = time.strftime("%Y-%m-%d", time.localtime(each.created_at))
        title = sanitize_line(each.title)[:40]
        desk.say(f"{each.conversation}  {when}  {title}\n    {sanitize_line(each.snippet)}")
    if not found:
        desk.say("Nothing was found.")


@command("ID|last", complete=_conversations)
async def open_(desk: Desk, argument: str) -> None:
    """goes on with another conversation: /history and /search show the ids"""
    if not argument:
        raise UsageError("/open takes an id, or the beginning of one", hint="/history shows them")
    desk.session.open(argument)
    desk.show_last_turn()


@command("[TEXT]")
async def title(desk: Desk, argument: str) -> None:
    """shows or changes the name of this conversation"""
    session = desk.session
    conversation = session.saved_id()
    if argument:
        session.store.set_title(conversation, argument)
    named = next((each.title for each in session.store.list(LISTED) if each.id == conversation), argument)
    desk.say(f"Title: {sanitize_line(named)}")


@command()
async def save(desk: Desk, argument: str) -> None:
    """says where this conversation is saved; after --no-save begins to save it"""
    session = desk.session
    session.save()
    id_ = session.conversation_id
    where = session.folders.database
    desk.say(f"Saved as {id_} in {where}." if id_ else f"Saved with the first question, in {where}.")


@command("[FILE]", complete=lambda _, beginning: files(beginning))
async def export(desk: Desk, argument: str) -> None:
    """writes this conversation into a file: Markdown, or JSON or HTML by its ending"""
    if not desk.chat.conversation.messages:
        raise UsageError("there is nothing to export yet", hint="ask something first")
    name = argument or f"llmchat-{desk.session.conversation_id or time.strftime('%Y%m%d-%H%M%S')}.md"
    await write_file(desk.confirm, desk.say, name, export_text(desk.session, name))
