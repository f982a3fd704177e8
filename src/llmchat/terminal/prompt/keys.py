"""Key bindings of the prompt, and their help texts. A test compares the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """What is pressed or typed, and what it does. `bound` names our own key bindings for it."""

    shown: str
    does: str
    bound: tuple[str, ...] = ()


KEYS = (
    KeyHelp("Enter", "sends the message", ("c-m",)),
    KeyHelp("Esc Enter, Ctrl-J", "starts a new line; so does Enter after a \\", ("escape c-m", "c-j")),
    KeyHelp("Ctrl-C", "stops a reply and keeps its text; at the prompt, clears the line", ("c-c",)),
    KeyHelp("Ctrl-D", "leaves if the line is empty; else deletes a character", ("c-d",)),
    KeyHelp("Up, Down", "go through the prompt history of all shells"),
    KeyHelp("Ctrl-R", "searches the prompt history"),
    KeyHelp("Tab", "completes commands, their arguments, files and models"),
    KeyHelp("Ctrl-X Ctrl-E", "opens the message in $VISUAL or $EDITOR"),
    KeyHelp("/command", "runs a slash command"),
    KeyHelp("@path", 'attaches a text file to the question; @"a path" if it has spaces'),
    KeyHelp("//text, @@word", "send /text and @word as text"),
    KeyHelp("leading space", "keeps the message out of the prompt history"),
)
"""In the order of the help. Those without `bound` belong to the line editor, or are typed in a message."""


def key_bindings() -> KeyBindings:
    """The bindings that differ from prompt-toolkit's own. A history search keeps its own keys."""
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
