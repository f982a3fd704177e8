"""What a slash command may look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmchat.app import Session
from llmchat.app.attachments import Attachment
from llmchat.app.compaction import Undo
from llmchat.terminal.device.streams import Streams


@dataclass(frozen=True, slots=True)
class CommandContext:
    """The session, the streams, and what the REPL keeps besides them. What a command changes it returns."""

    session: Session
    streams: Streams
    files: tuple[Attachment, ...]  # go with the next question
    compactions: Sequence[Undo]  # of this run, oldest first
