"""What a slash command gets to read: the session, the streams, the attached files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmchat.app import Session
from llmchat.app.attachments import Attachment
from llmchat.app.compaction import Undo
from llmchat.terminal.device.streams import Streams


@dataclass(frozen=True, slots=True)
class CommandContext:
    """Read-only for commands: they change the REPL through the actions that they return."""

    session: Session
    streams: Streams
    files: tuple[Attachment, ...]  # attached to the next question
    compactions: Sequence[Undo]  # of this run, oldest first
