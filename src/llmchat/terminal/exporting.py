"""A conversation as a text to keep elsewhere; writes no file."""

from __future__ import annotations

from llmchat.app import Session
from llmchat.core.conversation import Role

_SPEAKERS = {Role.SYSTEM: "System", Role.USER: "You", Role.ASSISTANT: "Assistant"}


def export_text(session: Session, name: str) -> str:
    """The conversation as Markdown."""
    conversation = session.chat.conversation
    head = f"*{conversation.system}*\n\n" if conversation.system else ""
    return head + "\n\n".join(f"## {_SPEAKERS[m.role]}\n\n{m.text}" for m in conversation.messages)
