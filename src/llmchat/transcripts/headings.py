"""Headings of saved conversations and their messages: one sanitized line each."""

from __future__ import annotations

from datetime import datetime

from llmchat.core.conversation import Role, Status
from llmchat.sanitize import sanitize_line
from llmchat.store import ConversationExport, Record, first_line

SPEAKERS = {Role.SYSTEM: "System", Role.USER: "You", Role.ASSISTANT: "Assistant"}


def title_of(export: ConversationExport) -> str:
    """The title that was set, else the first line of the first question; one sanitized line."""
    questions = (r.message.text for r in export.records if r.message.role is Role.USER)
    return sanitize_line(export.title or first_line(next(questions, ""))) or export.id


def heading(record: Record) -> str:
    """The speaker, time and model of a message, and how it ended if not naturally."""
    message, source = record.message, record.provenance
    about = [when(record.created_at)]
    if source is not None:
        about.append(sanitize_line(source.model or source.backend))
    if message.status is not Status.COMPLETE:
        about.append(message.status)
    return f"{SPEAKERS[message.role]} ({', '.join(about)})"


def when(seconds: float) -> str:
    """Local time, to the minute."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def about(export: ConversationExport) -> str:
    """A conversation's id and start, and how many of its messages are on other branches."""
    elsewhere = len(export.records) - len(export.branch())
    are = "message on other branches is" if elsewhere == 1 else "messages on other branches are"
    hidden = f"; {elsewhere} {are} not shown" if elsewhere else ""
    return f"Conversation {export.id}, {when(export.created_at)}{hidden}"
