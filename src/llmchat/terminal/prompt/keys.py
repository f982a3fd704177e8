"""The keys at the prompt: in words, and bound. A test compares the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """What is pressed or typed, and what it does. `bound` are the names of our own bindings of it."""

    shown: str
    does: str
    bound: tuple[str, ...] = ()


KEYS = (
    KeyHelp("Enter", "sends the message", ("c-m",)),
    KeyHelp("Esc Enter, Ctrl-J", "begins a new line; so does Enter behind a \\", ("escape c-m", "c-j")),
    KeyHelp("Ctrl-C", "stops a reply and keeps its text; at the prompt, clears what is typed", ("c-c",)),
    KeyHelp("Ctrl-D", "leaves, where nothing is typed; else deletes a character", ("c-d",)),
    KeyHelp("Up, Down", "go through what was typed before, in any shell"),
    KeyHelp("Ctrl-R", "searches what was typed before"),
    KeyHelp("Tab", "completes commands, their arguments, files and models"),
    KeyHelp("Ctrl-X Ctrl-E", "opens what is typed in $VISUAL or $EDITOR"),
    KeyHelp("/command", "runs a command, as the only line of a message"),
    KeyHelp("@path", 'attaches a text file to the question; @"a path" for one with spaces'),
    KeyHelp("//text, @@word", "sends /text, and @word"),
    KeyHelp("a space in front", "keeps the message out of the history of prompts"),
)
"""In the order they are shown. Those that are not bound are the line editor's own, or typed in a message."""


def key_bindings() -> KeyBindings:
    """Our own keys. A search of the history has keys of its own."""
    from prompt_toolkit.filters import is_searching  # help shows KEYS without it
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\") and not buffer.document.text_after_cursor:
            buffer.delete_before_cursor()
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=~is_searching)
    @keys.add("c-j", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.newline(copy_margin=False)

    @keys.add("c-c", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    @keys.add("c-d", filter=~is_searching)
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        else:
            event.app.exit(exception=EOFError)

    return keys
