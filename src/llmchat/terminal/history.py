"""Shows kept conversations, as text and as JSON; changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime

from llmchat.config.folders import Folders
from llmchat.core.conversation import Role, Status
from llmchat.errors import ExitCode
from llmchat.store import Record, Store, Summary
from llmchat.terminal.sanitize import sanitize, sanitize_line
from llmchat.terminal.screen import Screen
from llmchat.terminal.streams import Streams

_SPEAKERS = {Role.SYSTEM: "System", Role.USER: "You", Role.ASSISTANT: "Assistant"}


def list_history(streams: Streams, *, limit: int, as_json: bool) -> ExitCode:
    """Prints the newest conversations."""
    with Store.open(Folders.find(streams.environ).database) as store:
        summaries = store.list(limit)
    streams.write(f"{list_json(summaries) if as_json else list_text(summaries)}\n")
    return ExitCode.OK


def show_history(given: str, streams: Streams, *, as_json: bool) -> ExitCode:
    """Prints one conversation. Raises MissingError or UsageError where `given` names none or several."""

    def say(text: str) -> None:
        streams.write(f"{sanitize(text)}\n")

    screen = Screen.find(streams, theme="auto")
    with Store.open(Folders.find(streams.environ).database) as store:
        conversation = store.resolve(given)
        if as_json:
            streams.write(f"{show_json(store, conversation)}\n")
        else:
            show_conversation(store, conversation, say=say, show=screen.show if screen else say)
    return ExitCode.OK


def list_text(summaries: Iterable[Summary]) -> str:
    """A line for each conversation: its id, when it was last written to, its messages, model and title."""
    lines = []
    for each in summaries:
        model, title = sanitize_line(each.model or "-"), sanitize_line(each.title)
        lines.append(f"{each.id}  {_when(each.updated_at)}  {each.messages:>4}  {model:<16.16}  {title[:60]}")
    return "\n".join(lines) if lines else "No conversations yet."


def list_json(summaries: Iterable[Summary]) -> str:
    """The same as a JSON array."""
    return json.dumps([asdict(each) for each in summaries], indent=2)


def show_conversation(
    store: Store, conversation: str, *, say: Callable[[str], None], show: Callable[[str], None]
) -> None:
    """Who said what, where an answer came from and how it ended. `say` sanitizes; replies go to `show`."""
    system = store.load(conversation).system
    say(f"Conversation {conversation}" + (f"\n\nSystem: {system}" if system else ""))
    for record in store.records(conversation):
        say(f"\n{_heading(record)}:")
        (show if record.message.role is Role.ASSISTANT else say)(record.message.text)


def show_json(store: Store, conversation: str) -> str:
    """One conversation as a JSON object."""
    record = {
        "conversation": conversation,
        "system": store.load(conversation).system,
        "messages": [_message_record(each) for each in store.records(conversation)],
    }
    return json.dumps(record, indent=2)


def _heading(record: Record) -> str:
    message, source = record.message, record.provenance
    about = [_when(record.created_at)]
    if source is not None:
        about.append(sanitize_line(source.model or source.backend))
    if message.status is not Status.COMPLETE:
        about.append(message.status)
    return f"{_SPEAKERS[message.role]} ({', '.join(about)})"


def _message_record(record: Record) -> dict[str, object]:
    shown: dict[str, object] = {
        "role": record.message.role,
        "text": record.message.text,
        "status": record.message.status,
        "created_at": record.created_at,
    }
    return shown | (asdict(record.provenance) if record.provenance else {})


def _when(seconds: float) -> str:
    """Local time, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")
