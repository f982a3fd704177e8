"""Where pieces become what is shown: plain text, JSON, or JSON lines. Sanitizes; knows no backend."""

from __future__ import annotations

from typing import Protocol

from llmchat.core.conversation import Status
from llmchat.core.generation import Event, Finish, FinishReason, Notice, Progress, Thought, Token
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.errors import LLMChatError
from llmchat.sanitize import Newlines, sanitize, sanitize_line
from llmchat.scrub import scrub
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.reply.status import StatusLine


class View(Protocol):
    """Shows one reply, and what has to be said about it."""

    def progress(self, progress: Progress) -> None:
        """What is happening while no text comes."""

    def note(self, text: str) -> None:
        """Something the person should know; it is no part of the answer."""

    def thought(self, text: str) -> None:
        """What the model thinks before it replies; it is no part of the answer."""

    def piece(self, text: str) -> None:
        """The next text of the reply."""

    def end(self, reply: Reply) -> None:
        """The reply is over, however it ended. Its `fault` is shown as `error` shows one."""

    def error(self, error: LLMChatError) -> None:
        """What went wrong, in two lines."""

    def resized(self) -> None:
        """The window may have another size now."""

    def suspend(self) -> None:
        """The terminal goes to somebody else for a while: nothing unfinished is left on it."""

    def resume(self) -> None:
        """The terminal is ours again."""


async def show(turn: Turn, view: View) -> None:
    """Runs a turn in a view, which is told of its end before any error leaves."""
    try:
        async with turn:
            async for event in turn:
                show_event(event, view)
    finally:
        if turn.reply is not None:
            view.end(turn.reply)


def show_event(event: Event, view: View) -> None:
    """One event of a turn, or of what comes before it."""
    match event:
        case Token(text):
            view.piece(text)
        case Thought(text):
            view.thought(text)
        case Notice(text):
            view.note(text)
        case Progress():
            view.progress(event)
        case Finish():
            pass


def error_lines(error: LLMChatError) -> str:
    """The two lines of an error: what failed, and what to do."""
    line = f"llmchat: error: {sanitize_line(scrub(error.message))}"
    return f"{line}\nllmchat: hint: {sanitize_line(scrub(error.hint))}" if error.hint else line


def reply_notes(reply: Reply, *, footer: bool = False) -> list[str]:
    """What a person should know about how a reply ended, beyond what a `footer` below it says."""
    notes = []
    if reply.status is Status.LENGTH and not footer and not reply.fault:
        limit = reply.provenance.settings.max_tokens
        notes.append(f"the reply was cut at {limit} tokens; --max-tokens sets how many it may have")
    if reply.provenance.reason is FinishReason.FILTER:
        notes.append("a content filter of the server ended the reply")
    if not reply.text and reply.status is Status.COMPLETE:
        notes.append("the reply is empty")
    if reply.unsaved is not None:
        notes.append(f"the reply could not be saved: {reply.unsaved.message}")
    return notes


class PlainView:
    """The answer's text on stdout, flushed as it comes and ending in one newline; all else on stderr."""

    def __init__(
        self, streams: Streams, aside: StatusLine | None = None, *, raw: bool = False, footer: bool = False
    ) -> None:
        self._streams = streams
        self._aside = aside or StatusLine(streams)
        self._footer = footer
        self._raw = raw
        self._newlines = Newlines()
        self._held = ""  # line ends that may turn out to be the end of the answer
        self._begun = False

    def progress(self, progress: Progress) -> None:
        self._aside.progress(progress)

    def note(self, text: str) -> None:
        self._aside.note(text)

    def thought(self, text: str) -> None:
        self._aside.thought(text)

    def piece(self, text: str) -> None:
        self._aside.clear()
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
            self.note(note)
        if self._footer and reply.status is not Status.FAILED:  # of which the error says all
            self._streams.write(f"{summary(reply)}\n\n")
        if reply.fault:
            self.error(reply.fault)

    def error(self, error: LLMChatError) -> None:
        self._aside.clear()
        self._streams.say(error_lines(error))

    def resized(self) -> None:
        pass

    def suspend(self) -> None:
        self._aside.clear()

    def resume(self) -> None:
        pass


def summary(reply: Reply) -> str:
    """Tokens, tokens a second, seconds to the first, and how the reply ended if not naturally."""
    source, parts = reply.provenance, []
    tokens, first, total = source.usage.completion_tokens, source.first_token_s, source.total_s
    if tokens is not None:
        parts.append(f"{tokens} tokens")
        if first is not None and total is not None and total > first:
            parts.append(f"{tokens / (total - first):.0f}/s")
    if first is not None:
        parts.append(f"first after {first:.1f} s")
    if reply.status is not Status.COMPLETE:
        parts.append(
            {Status.LENGTH: "cut by --max-tokens, /continue goes on"}.get(reply.status, reply.status)
        )
    return " \N{MIDDLE DOT} ".join(parts)
