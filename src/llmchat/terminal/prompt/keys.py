"""The keys at the prompt, in words. `prompt.py` binds those that are ours; a test compares the two."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Key:
    """What is pressed or typed, and what it does. `bound` are the names of our own bindings of it."""

    shown: str
    does: str
    bound: tuple[str, ...] = ()


KEYS = (
    Key("Enter", "sends the message", ("c-m",)),
    Key("Esc Enter, Ctrl-J", "begins a new line; so does Enter behind a \\", ("escape c-m", "c-j")),
    Key("Ctrl-C", "stops a reply and keeps its text; at the prompt, clears what is typed", ("c-c",)),
    Key("Ctrl-D", "leaves, where nothing is typed; else deletes a character", ("c-d",)),
    Key("Up, Down", "go through what was typed before, in any shell"),
    Key("Ctrl-R", "searches what was typed before"),
    Key("Tab", "completes commands, their arguments, files and models"),
    Key("Ctrl-X Ctrl-E", "opens what is typed in $VISUAL or $EDITOR"),
    Key("/command", "runs a command, as the only line of a message"),
    Key("@path", 'attaches a text file to the question; @"a path" for one with spaces'),
    Key("//text, @@word", "sends /text, and @word"),
    Key("a space in front", "keeps the message out of the history of prompts"),
)
"""In the order they are shown. Those that are not bound are the line editor's own, or typed in a message."""
