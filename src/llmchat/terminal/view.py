"""Where pieces become what is shown: plain text, JSON, or JSON lines. Sanitizes; knows no backend."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import BinaryIO, Protocol

from llmchat.core.chat import Reply, Turn
from llmchat.core.conversation import Status
from llmchat.core.generation import Finish, Notice, Progress, Token
from llmchat.errors import LLMChatError
from llmchat.terminal.sanitize import Newlines, sanitize, sanitize_line


class View(Protocol):
    """Shows one reply."""

    def progress(self, progress: Progress) -> None:
        """What is happening while no text comes."""

    def note(self, text: str) -> None:
        """Something the person should know; it is no part of the answer."""

    def piece(self, text: str) -> None:
        """The next text of the reply."""

    def end(self, reply: Reply) -> None:
        """The reply is over, however it ended."""

    def error(self, error: LLMChatError) -> None:
        """What went wrong, in two lines."""


async def show(turn: Turn, view: View) -> None:
    """Runs a turn in a view, which is told of its end before any error leaves."""
    try:
        async with turn:
            async for event in turn:
                match event:
                    case Token(text):
                        view.piece(text)
                    case Notice(text):
                        view.note(text)
                    case Progress():
                        view.progress(event)
                    case Finish():
                        pass
    finally:
        if turn.reply is not None:
            view.end(turn.reply)
            if turn.reply.unsaved is not None:
                view.error(turn.reply.unsaved)


def error_lines(error: LLMChatError) -> str:
    """The two lines of an error: what failed, and what to do."""
    lines = f"llmchat: error: {sanitize_line(error.message)}"
    return f"{lines}\nllmchat: hint: {sanitize_line(error.hint)}" if error.hint else lines


class PlainView:
    """The answer's text, flushed as it comes and ending in one newline; all else through `say`."""

    def __init__(
        self, out: BinaryIO, say: Callable[[str], None], *, raw: bool = False, quiet: bool = False
    ) -> None:
        self._out = out
        self._say = say
        self._raw = raw
        self._quiet = quiet
        self._newlines = Newlines()
        self._held = ""  # newlines that may turn out to be the end of the answer
        self._begun = False

    def progress(self, progress: Progress) -> None:
        pass

    def note(self, text: str) -> None:
        if not self._quiet:
            self._say(f"llmchat: {sanitize_line(text)}")

    def piece(self, text: str) -> None:
        if self._raw:
            self._write(text)
            return
        text = self._held + sanitize(self._newlines.feed(text))
        shown = text.rstrip("\n")
        self._held = text[len(shown) :]
        self._write(shown)

    def end(self, reply: Reply) -> None:
        self.piece(reply.unshown)
        if self._begun or reply.status is Status.COMPLETE:
            self._write("" if self._raw else "\n")

    def error(self, error: LLMChatError) -> None:
        self._say(error_lines(error))

    def _write(self, text: str) -> None:
        if text:
            self._begun = True
            self._out.write(text.encode("utf-8", "replace"))
            self._out.flush()


class JsonView:
    """One JSON object for the whole reply; with `lines`, a line for each piece before it."""

    def __init__(
        self,
        out: BinaryIO,
        say: Callable[[str], None],
        *,
        lines: bool,
        conversation: Callable[[], str | None],
    ) -> None:
        self._out = out
        self._say = say
        self._lines = lines
        self._conversation = conversation

    def progress(self, progress: Progress) -> None:
        pass

    def note(self, text: str) -> None:
        self._say(f"llmchat: {sanitize_line(text)}")

    def piece(self, text: str) -> None:
        if self._lines:
            self._print({"type": "token", "text": text})

    def end(self, reply: Reply) -> None:
        if reply.unshown:
            self.piece(reply.unshown)
        if reply.provenance.reason is not None:
            kind = {"type": "reply"} if self._lines else {}
            self._print({**kind, **reply_record(reply, self._conversation())})

    def error(self, error: LLMChatError) -> None:
        kind = {"type": "error"} if self._lines else {}
        told = {"message": error.message, "hint": error.hint, "exit_code": int(error.exit_code)}
        self._print({**kind, "error": told})
        self._say(error_lines(error))

    def _print(self, record: dict[str, object]) -> None:
        self._out.write(json.dumps(record).encode() + b"\n")
        self._out.flush()


def reply_record(reply: Reply, conversation: str | None) -> dict[str, object]:
    """What `ask --json` prints of a reply; unknown figures are None."""
    source = reply.provenance
    return {
        "text": reply.text,
        "finish_reason": source.reason,
        "backend": source.backend,
        "model": source.model,
        "conversation": conversation,
        "usage": {
            "prompt_tokens": source.usage.prompt_tokens,
            "completion_tokens": source.usage.completion_tokens,
        },
        "timings": {"first_token_s": source.first_token_s, "total_s": source.total_s},
    }
