"""The next question before it is sent: attached files and the draft in the editor. Owns both."""

from __future__ import annotations

from llmchat.app.attachments import Attachment, read_mentions, with_files
from llmchat.core.input_text import check_text


class Composer:
    """Builds a question from a line and the attached files, and restores both from a question."""

    def __init__(self) -> None:
        self.files: tuple[Attachment, ...] = ()
        """Attached to the next question."""
        self.draft = ""
        """The text to put into the editor."""
        self.replaces = False
        """True if the next question replaces the newest."""
        self._typed: dict[str, tuple[str, tuple[Attachment, ...]]] = {}  # by the question made of it

    def take_draft(self) -> str:
        draft, self.draft = self.draft, ""
        return draft

    def compose(self, line: str) -> str:
        """The question with its files. Raises InputError or MissingError if it cannot be sent."""
        text = line.removeprefix("/") if line.startswith("//") else line
        text, named = read_mentions(text)
        question = check_text(with_files(text, [*self.files, *named]), "the prompt")
        if question != line:
            self._typed[question] = line, self.files
        return question

    def clear(self) -> None:
        """Forgets the files and the draft, once the question is sent."""
        self.files, self.replaces = (), False

    def edit(self, question: str, *, replaces: bool) -> None:
        """Restores a question as it was typed: the line, and the files that were attached."""
        self.draft, self.files = self._typed.get(question, (question, ()))
        self.replaces = replaces
