"""What is said beside a reply, on stderr: what goes on, notes, and what the model thinks. Never on stdout."""

from __future__ import annotations

from llmchat.core.generation import Progress
from llmchat.sanitize import Newlines, sanitize, sanitize_line
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.spinner import Spinner


class StatusLine:
    """Keeps apart what stderr shows while a reply comes; `clear` makes room for what is not said here."""

    def __init__(self, streams: Streams, *, quiet: bool = False, thoughts: bool = True) -> None:
        self._streams = streams
        self._quiet = quiet
        self.shows_thoughts = thoughts and not quiet
        self._spinner = Spinner(streams, quiet=quiet)
        self._newlines = Newlines()
        self._line_open = False
        environ = streams.environ
        plain = environ.get("NO_COLOR") or environ.get("TERM", "dumb") == "dumb"
        self._dims = streams.is_terminal(streams.stderr) and not plain

    def progress(self, progress: Progress) -> None:
        """What is happening while no text comes."""
        self._spinner.show(progress)

    def note(self, text: str) -> None:
        """Something the person should know."""
        if not self._quiet:
            self.clear()
            self._streams.say(f"llmchat: {sanitize_line(text)}")

    def thought(self, text: str) -> None:
        """A piece of what the model thinks: dim on a terminal, as it is elsewhere."""
        shown = sanitize(self._newlines.feed(text))
        if not (shown and self.shows_thoughts):
            return
        self._spinner.stop()
        self._streams.tell(f"\x1b[2m{shown}\x1b[22m" if self._dims else shown)
        self._line_open = not shown.endswith("\n")

    def clear(self) -> None:
        """Takes away what moves, and ends the line that is open. May be called at any time."""
        self._spinner.stop()
        self.end_line()

    def end_line(self) -> None:
        """Ends a line of thoughts that is open."""
        if self._line_open:
            self._streams.tell("\n")
            self._line_open = False
