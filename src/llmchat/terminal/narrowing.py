"""Takes what is kept from other users before it is used, and says so on stderr."""

from __future__ import annotations

from llmchat.config.folders import Folders
from llmchat.config.privacy import keep_private
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams


def show_narrowed(folders: Folders, streams: Streams, *, quiet: bool = False) -> None:
    """Says what was narrowed, in one line. Raises DeniedError where something is somebody else's."""
    if (narrowed := keep_private(folders)) and not quiet:
        streams.say(f"llmchat: {sanitize_line(narrowed)}")
