"""Takes what is kept from other users before it is used, and says so on stderr."""

from __future__ import annotations

from llmchat.config.folders import Folders
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams


def restrict_folders(folders: Folders, streams: Streams, *, quiet: bool = False) -> None:
    """Says what was restricted, in one line. Raises DeniedError where something is somebody else's."""
    if (said := folders.restrict_to_owner()) and not quiet:
        streams.say(f"llmchat: {sanitize_line(said)}")
