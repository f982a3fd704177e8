"""What stands above a kept conversation and above each of its messages. Pure, sanitized, on one line."""

from __future__ import annotations

from datetime import datetime

from llmchat.core.conversation import Role, Status
from llmchat.sanitize import sanitize_line
from llmchat.store import ConversationExport, Record

SPEAKERS = {Role.SYSTEM: "System", Role.USER: "You", Role.ASSISTANT: "Assistant"}


def title_of(whole: ConversationExport) -> str:
    """As the person named it, else the first line of the first question; one sanitized line."""
    questions = (r.message.text for r in whole.records if r.message.role is Role.USER)
    lines = (line for line in next(questions, "").splitlines() if line.strip())
    return sanitize_line(whole.title or next(lines, "")) or whole.id


def heading(record: Record) -> str:
    """Who said it, when, with which model, and how it ended if that was not its natural end."""
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


def about(whole: ConversationExport) -> str:
    """Its id, when it began, and how much of it the branch that is read leaves out."""
    elsewhere = len(whole.records) - len(whole.branch())
    are = "message on other branches is" if elsewhere == 1 else "messages on other branches are"
    hidden = f"; {elsewhere} {are} not shown" if elsewhere else ""
    return f"Conversation {whole.id}, {when(whole.created_at)}{hidden}"
