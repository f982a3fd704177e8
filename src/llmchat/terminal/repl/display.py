"""What the REPL prints besides a streaming reply: lines, earlier replies, errors, the toolbar."""

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
    """Writes to the terminal of a chat; plain text if it does not understand escape sequences."""

    def __init__(self, session: Session, streams: Streams) -> None:
        self._session = session
        self._streams = streams

    @property
    def screen(self) -> Screen | None:
        """The terminal, if it understands escape sequences and --plain is not set; /model can change that."""
        return find_screen(self._session.config, self._streams)

    def say(self, text: str) -> None:
        """Prints text of llmchat's own; foreign text in it is sanitized."""
        self._streams.write(f"{sanitize(text)}\n")

    def error(self, error: LLMChatError) -> None:
        """Shows an error in two lines."""
        self._streams.say(error_lines(error))

    def reply(self, text: str) -> None:
        """Shows a finished reply with the same layout as when it was streamed."""
        screen = self.screen
        if screen is None:
            self.say(text)
        else:
            screen.show(text)

    def last_turn(self) -> None:
        """Shows the newest turn of a conversation that is continued."""
        turns = self._session.conversation.turns()
        if turns:
            question, *answers = turns[-1]
            self.say(f"> {question.text}")
            for answer in answers:
                self.reply(answer.text)
            self.say("")

    def clear(self) -> None:
        """Clears the screen, if the terminal understands escape sequences."""
        if self.screen is not None:
            self._streams.write("\x1b[H\x1b[2J\x1b[3J")

    def bracketed_paste(self, line: TtyLine) -> AbstractContextManager[None]:
        """Inside this context, pasted text waits as one message for the next prompt."""
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
