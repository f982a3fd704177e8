"""Kept conversations -> Markdown, HTML or JSON. Pure: records in, text out.

Markdown and HTML hold the branch that is read, with foreign text sanitized; JSON holds everything as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath

from llmchat.errors import UsageError
from llmchat.sanitize import sanitize
from llmchat.store import ConversationExport
from llmchat.transcripts.headings import about, heading, title_of
from llmchat.transcripts.html import to_html
from llmchat.transcripts.interchange import to_json


class Format(StrEnum):
    """What a conversation can be written as."""

    MD = "md"
    JSON = "json"
    HTML = "html"


_SUFFIXES = {
    ".md": Format.MD,
    ".markdown": Format.MD,
    ".json": Format.JSON,
    ".html": Format.HTML,
    ".htm": Format.HTML,
}


def choose_format(given: str | None, file: str | None) -> Format:
    """The format of this name; without one, that of the file's name; else Markdown. Raises UsageError."""
    if given is None:
        return _SUFFIXES.get(PurePath(file or "").suffix.lower(), Format.MD)
    try:
        return Format(given.lower())
    except ValueError:
        raise UsageError(f"there is no format {given!r}", hint=f"it takes {', '.join(Format)}") from None


def export(conversations: Sequence[ConversationExport], format_: Format) -> str:
    """These conversations as one text that ends in a newline."""
    match format_:
        case Format.JSON:
            return to_json(conversations)
        case Format.HTML:
            return to_html(conversations)
        case Format.MD:
            return "\n---\n\n".join(map(to_markdown, conversations))


def to_markdown(whole: ConversationExport) -> str:
    """A conversation as a Markdown document. Texts stay the Markdown they are."""
    parts = [f"# {_escape_line(title_of(whole))}", f"*{about(whole)}*"]
    if whole.system:
        parts += ["## System", sanitize(whole.system)]
    for record in whole.branch():
        parts += [f"## {_escape_line(heading(record))}", sanitize(record.message.text)]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _escape_line(text: str) -> str:
    """A heading that holds no markup."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", text)
