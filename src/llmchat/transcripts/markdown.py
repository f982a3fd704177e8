"""Saved conversations as a Markdown document of their current branches, sanitized. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmchat.sanitize import sanitize
from llmchat.store import ConversationExport
from llmchat.transcripts.headings import about, heading, title_of


def to_markdown(conversations: Sequence[ConversationExport]) -> str:
    """One document, with a rule between conversations. The messages' own Markdown is not changed."""
    return "\n---\n\n".join(map(_conversation, conversations))


def _conversation(export: ConversationExport) -> str:
    parts = [f"# {_escape_line(title_of(export))}", f"*{about(export)}*"]
    if export.system:
        parts += ["## System", sanitize(export.system)]
    for record in export.branch():
        parts += [f"## {_escape_line(heading(record))}", sanitize(record.message.text)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _escape_line(text: str) -> str:
    """A heading with its markup escaped."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
