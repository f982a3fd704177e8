"""Restricts llmchat's folders and files to their owner at the start of a run, with a notice on stderr."""

from __future__ import annotations

from llmchat.config.folders import Folders
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams


def restrict_folders(folders: Folders, streams: Streams, *, quiet: bool = False) -> None:
    """Prints one line about what was restricted. Raises DeniedError for files of another user."""
    if (said := folders.restrict_to_owner()) and not quiet:
        streams.say(f"llmchat: {sanitize_line(said)}")
