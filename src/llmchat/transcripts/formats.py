"""Exports saved conversations as Markdown, HTML or JSON.

Markdown and HTML have the current branch, sanitized; JSON has everything, unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath

from llmchat.errors import UsageError
from llmchat.store import ConversationExport
from llmchat.transcripts.html import to_html
from llmchat.transcripts.interchange import to_json
from llmchat.transcripts.markdown import to_markdown


class Format(StrEnum):
    """The export formats."""

    MD = "md"
    JSON = "json"
    HTML = "html"


_SUFFIXES = {f".{each}": each for each in Format} | {".markdown": Format.MD, ".htm": Format.HTML}


def choose_format(given: str | None, file: str | None) -> Format:
    """The format with this name; else by the file's suffix; else Markdown. Raises UsageError."""
    if given is None:
        return _SUFFIXES.get(PurePath(file or "").suffix.lower(), Format.MD)
    try:
        return Format(given.lower())
    except ValueError:
        raise UsageError(f"unknown format {given!r}", hint=f"it takes {', '.join(Format)}") from None


def export(conversations: Sequence[ConversationExport], format_: Format) -> str:
    """The conversations as one text, which ends in a newline."""
    writers = {Format.JSON: to_json, Format.HTML: to_html, Format.MD: to_markdown}
    return writers[format_](conversations)
