"""What a command may look at and change. Runs nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from llmchat.app import Session
from llmchat.app.attachments import Attachment, read_mentions, with_files
from llmchat.app.compaction import Undo
from llmchat.core.chat import Chat
from llmchat.core.input_text import check_text
from llmchat.core.journal import Reply
from llmchat.core.turn import Turn
from llmchat.terminal.device.streams import Streams


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person did to ask a question: the line, and the files that waited for it."""

    line: str
    files: tuple[Attachment, ...]


@dataclass(slots=True)
class CommandContext:
    """The session, the ways to show something, and what the loop does next."""

    session: Session
    streams: Streams
    say: Callable[[str], None]  # sanitizes, prints a line or more
    show: Callable[[str], None]  # a reply, as it looks when it is streamed
    show_last_turn: Callable[[], None]
    confirm: Callable[[str], Awaitable[bool]]  # asks the person a question
    clear: Callable[[], None]  # the screen
    leave: bool = False
    draft: str = ""  # put into the editor
    editing: bool = False  # the next question takes the place of the newest
    files: list[Attachment] = field(default_factory=list)  # that go with the next question
    turn: Turn | None = None  # to be run next
    then: Callable[[Reply], None] | None = None  # what to do with its reply
    undos: list[Undo] = field(default_factory=list)  # of compactions, oldest first
    _typed: dict[str, Typed] = field(default_factory=dict)  # by the question that was made of it

    @property
    def chat(self) -> Chat:
        return self.session.chat

    def compose(self, line: str) -> str:
        """The question that a line makes, with the files that go with it.

        Raises InputError or MissingError for what cannot be sent; the files still wait then.
        """
        text = line.removeprefix("/") if line.startswith("//") else line
        text, named = read_mentions(text)
        question = check_text(with_files(text, [*self.files, *named]), "the prompt")
        if question != line:
            self._typed[question] = Typed(line, tuple(self.files))
        self.files.clear()
        return question

    def put_back(self, question: str) -> None:
        """Makes a question what it was before it was asked: a line in the editor, and files that wait."""
        typed = self._typed.get(question, Typed(question, ()))
        self.draft, self.files = typed.line, list(typed.files)
