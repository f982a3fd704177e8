"""What the REPL shows besides a reply that streams: lines, kept replies, errors, the toolbar."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from llmchat.app import Session
from llmchat.errors import LLMChatError
from llmchat.sanitize import sanitize, sanitize_line
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import TtyLine
from llmchat.terminal.reply.screen import Screen
from llmchat.terminal.reply.status import error_lines
from llmchat.terminal.run import find_screen


class Display:
    """Writes to the terminal of a chat, as plain text where it can show no more."""

    def __init__(self, session: Session, streams: Streams) -> None:
        self._session = session
        self._streams = streams

    @property
    def screen(self) -> Screen | None:
        """The terminal, if it can show more than text and is to; /model may change that."""
        return find_screen(self._session.config, self._streams)

    def say(self, text: str) -> None:
        """A line or more of ours; foreign text in it is sanitized."""
        self._streams.write(f"{sanitize(text)}\n")

    def error(self, error: LLMChatError) -> None:
        """The one place where the REPL shows an error."""
        self._streams.say(error_lines(error))

    def reply(self, text: str) -> None:
        """A reply that is over, as it looked when it came."""
        screen = self.screen
        if screen is None:
            self.say(text)
        else:
            screen.show(text)

    def last_turn(self) -> None:
        """The newest turn of a conversation that is gone on with, as it looked."""
        turns = self._session.conversation.turns()
        if turns:
            question, *answers = turns[-1]
            self.say(f"> {question.text}")
            for answer in answers:
                self.reply(answer.text)
            self.say("")

    def clear(self) -> None:
        """Clears the screen; a terminal that does not understand escape sequences is sent none."""
        if self.screen is not None:
            self._streams.write("\x1b[H\x1b[2J\x1b[3J")

    def bracketed_paste(self, line: TtyLine) -> AbstractContextManager[None]:
        """While this lasts, what is pasted waits as one message for the next prompt."""
        if self.screen is None or self._streams.stdout is None:
            return nullcontext()
        return line.bracketed_paste(self._streams.stdout)

    def toolbar(self, columns: int, *, files: int) -> str:
        """Model, conversation, context used and files attached, on one line: a long model name is cut."""
        model, *parts = map(sanitize_line, self._session.status())
        if files:
            parts.append(f"{files} file{'s' if files > 1 else ''} attached")
        rest = "".join(f" \N{MIDDLE DOT} {part}" for part in parts)
        room = max(12, columns - len(rest))
        shown = model if len(model) <= room else f"{model[: room - 1]}\N{HORIZONTAL ELLIPSIS}"
        return f"{shown}{rest}"[:columns]
