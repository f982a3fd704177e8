"""Shows text through $PAGER if it is longer than the window; otherwise writes it to stdout."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from llmchat.scrub import without_secrets
from llmchat.terminal.device.streams import Streams

DEFAULT = "less"
_LESS = "FRX"  # leave at once if it fits, let colours through, keep the text on the screen; as git has it
_COLOUR = re.compile("\x1b\\[[0-9;]*m")


def page(text: str, streams: Streams) -> None:
    """Writes text to stdout, through $PAGER if it is longer than the terminal's window.

    The text must be sanitized. If PAGER is empty or cannot be started, the text is just written.
    """
    command = _command(streams)
    shown = streams.supports_escapes(streams.stdout) and streams.is_terminal(streams.stdin)
    if not (shown and command) or _fits(text, streams.size(streams.stdout)):
        streams.write(text)
        return
    environ = {"LESS": _LESS, **without_secrets(streams.environ)}
    with ctrl_c_for_the_child():
        try:
            pager = subprocess.Popen(command, stdin=subprocess.PIPE, env=environ)  # noqa: S603 - the person's own
        except OSError:
            streams.write(text)
            return
        pager.communicate(text.encode("utf-8", "replace"))


@contextmanager
def ctrl_c_for_the_child() -> Iterator[None]:
    """Leaves Ctrl-C to a pager or an editor inside this context.

    Our handler does nothing. SIG_IGN would be inherited by the child, which could not handle it then.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _command(streams: Streams) -> list[str]:
    try:
        return shlex.split(streams.environ.get("PAGER", DEFAULT))
    except ValueError:  # a quote that is not closed
        return []


def _fits(text: str, window: tuple[int, int]) -> bool:
    """True if a window of this size shows the whole text, and the next prompt."""
    from rich.cells import cell_len

    columns, rows = window
    lines = _COLOUR.sub("", text).splitlines()
    return len(lines) < rows and sum(max(1, -(-cell_len(line) // columns)) for line in lines) < rows
