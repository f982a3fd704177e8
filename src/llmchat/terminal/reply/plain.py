"""The view for pipes, files and simple terminals: the sanitized text as it streams, without formatting."""

from __future__ import annotations

from llmchat.core.conversation import Status
from llmchat.core.journal import Reply
from llmchat.errors import LLMChatError
from llmchat.sanitize import Newlines, sanitize
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.footer import reply_notes, summary
from llmchat.terminal.reply.status import StatusLine


class PlainView:
    """Writes the answer's text to stdout, flushed piece by piece, ending in one newline."""

    def __init__(
        self, streams: Streams, status: StatusLine | None = None, *, raw: bool = False, footer: bool = False
    ) -> None:
        """With `raw` the text is not sanitized; with `footer` its figures follow."""
        self.status = status or StatusLine(streams)
        self._streams = streams
        self._footer = footer
        self._raw = raw
        self._newlines = Newlines()
        self._held = ""  # newlines that may be the end of the answer
        self._begun = False

    def piece(self, text: str) -> None:
        self.status.clear()
        if not self._raw:
            text = self._held + sanitize(self._newlines.feed(text))
            shown = text.rstrip("\n")
            self._held, text = text[len(shown) :], shown
        if text:
            self._begun = True
            self._streams.write(text)

    def end(self, reply: Reply) -> None:
        self.piece(reply.unshown)
        if self._begun and not self._raw:
            self._streams.write("\n")
        for note in reply_notes(reply, footer=self._footer):
            self.status.note(note)
        if self._footer and reply.status is not Status.FAILED:  # the error explains it
            self._streams.write(f"{summary(reply)}\n\n")

    def error(self, error: LLMChatError) -> None:
        self.status.error(error)

    def suspend(self) -> None:
        self.status.clear()

    def repaint(self) -> None:
        pass
