"""Exports to render."""

from __future__ import annotations

from llmchat.core.conversation import Message, Role
from llmchat.core.generation import FinishReason, Settings, Usage
from llmchat.core.journal import Provenance
from llmchat.store import ConversationExport, Record

NOW = 1_800_000_000.0
ORIGIN = Provenance("tgi", "a/model", Settings(stop=("x",)), FinishReason.STOP, Usage(7, 3), 0.5, 2.0)
EVIL = '<script>alert("1")</script> & <img src="http://tracker"> \x1b[2J\u202e'


def make(*texts: str, title: str | None = None, key: str = "abcdefghjk") -> ConversationExport:
    """Questions and answers in turn."""
    records = tuple(
        Record(
            number,
            number - 1 or None,
            Message(Role.USER if number % 2 else Role.ASSISTANT, text),
            NOW,
            None if number % 2 else ORIGIN,
        )
        for number, text in enumerate(texts, 1)
    )
    return ConversationExport(key, title, "", NOW, NOW, len(texts), records)
