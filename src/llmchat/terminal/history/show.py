"""Lists, searches and shows saved conversations as text or JSON; changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

from llmchat.config.folders import Folders
from llmchat.core.conversation import Role
from llmchat.errors import ExitCode
from llmchat.sanitize import sanitize, sanitize_line
from llmchat.store import ConversationExport, Found, Store, Summary
from llmchat.terminal.device.pager import page
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.screen import Screen
from llmchat.transcripts.formats import Format, choose_format, export
from llmchat.transcripts.headings import heading, when
from llmchat.transcripts.interchange import message_record

_TITLE = 60  # characters of a title in a list


def open_store(streams: Streams) -> Store:
    """Opens the store; its notices go to stderr. Raises as `Store.open`."""
    folders = Folders.find(streams.environ)
    if said := folders.restrict_to_owner():
        streams.note(said)
    store = Store.open(folders.database)
    for notice in store.notices:
        streams.note(notice.text)
    return store


def list_history(streams: Streams, *, limit: int, as_json: bool) -> ExitCode:
    """Prints the newest conversations."""
    with open_store(streams) as store:
        summaries = store.list(limit)
    shown = json.dumps([asdict(each) for each in summaries], indent=2) if as_json else list_text(summaries)
    _print(streams, shown, as_json=as_json)
    return ExitCode.OK


def search_history(words: Sequence[str], streams: Streams, *, limit: int, as_json: bool) -> ExitCode:
    """Prints the newest messages that contain every word. Raises UsageError if no word is given."""
    with open_store(streams) as store:
        found = store.search(" ".join(words), limit)
    shown = json.dumps([asdict(each) for each in found], indent=2) if as_json else found_text(found)
    _print(streams, shown, as_json=as_json)
    return ExitCode.OK


def show_history(given: str, streams: Streams, *, as_json: bool, format_: str | None = None) -> ExitCode:
    """Prints one conversation. Raises MissingError or UsageError if `given` names none or several."""
    chosen = Format.JSON if as_json else choose_format(format_, None) if format_ else None
    with open_store(streams) as store:
        conversation = store.export(store.resolve(given))
    if chosen is Format.JSON:
        messages = [message_record(each) for each in conversation.branch()]
        record = {"conversation": conversation.id, "system": conversation.system, "messages": messages}
        shown = json.dumps(record, indent=2)
    elif chosen is not None:
        shown = export([conversation], chosen).removesuffix("\n")
    else:
        shown = conversation_text(conversation, Screen.find(streams, theme="auto"))
    _print(streams, shown, as_json=chosen is Format.JSON)
    return ExitCode.OK


def list_text(summaries: Iterable[Summary]) -> str:
    """A line for each conversation: its id, when it was last written to, its messages, model and title."""
    lines = []
    for each in summaries:
        model, title = sanitize_line(each.model or "-"), sanitize_line(each.title)
        lines.append(
            f"{each.id}  {when(each.updated_at)}  {each.messages:>4}  {model:<16.16}  {title[:_TITLE]}"
        )
    return "\n".join(lines) if lines else "No conversations yet."


def found_text(found: Iterable[Found]) -> str:
    """Two lines for each message: the id of its conversation, when it was written and the title; its text."""
    lines = []
    for each in found:
        lines.append(f"{each.conversation}  {when(each.created_at)}  {sanitize_line(each.title)[:_TITLE]}")
        lines.append(f"    {sanitize_line(each.snippet)}")
    return "\n".join(lines) if lines else "Nothing found."


def conversation_text(conversation: ConversationExport, screen: Screen | None) -> str:
    """One conversation as text: sanitized, and with replies laid out as Markdown if there is a screen."""
    shown = (
        screen.render(text) if screen and is_reply else f"{sanitize(text)}\n"
        for text, is_reply in conversation_parts(conversation)
    )
    return "".join(shown).removesuffix("\n")


def conversation_parts(conversation: ConversationExport) -> Iterator[tuple[str, bool]]:
    """Each message with its origin and how it ended: foreign text, and whether it is a reply."""
    system = f"\n\nSystem: {conversation.system}" if conversation.system else ""
    yield f"Conversation {conversation.id}{system}", False
    for record in conversation.branch():
        yield f"\n{heading(record)}:", False
        yield record.message.text, record.message.role is Role.ASSISTANT


def _print(streams: Streams, text: str, *, as_json: bool) -> None:
    """Prints text; JSON without a pager, as it is for programs."""
    if as_json:
        streams.write(f"{text}\n")
    else:
        page(f"{text}\n", streams)
