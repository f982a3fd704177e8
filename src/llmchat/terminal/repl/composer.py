"""What waits for the next question: files, and text in the editor. The only owner of both."""

from __future__ import annotations

from llmchat.app.attachments import Attachment, read_mentions, with_files
from llmchat.core.input_text import check_text


class Composer:
    """Makes a question of a line and the files that wait, and the line again of a question."""

    def __init__(self) -> None:
        self.files: tuple[Attachment, ...] = ()
        """They go with the next question."""
        self.draft = ""
        """Is put into the editor."""
        self.replaces = False
        """The next question takes the place of the newest."""
        self._typed: dict[str, tuple[str, tuple[Attachment, ...]]] = {}  # by the question made of it

    def take_draft(self) -> str:
        draft, self.draft = self.draft, ""
        return draft

    def compose(self, line: str) -> str:
        """The question that this line makes. Raises InputError or MissingError for what cannot be sent."""
        text = line.removeprefix("/") if line.startswith("//") else line
        text, named = read_mentions(text)
        question = check_text(with_files(text, [*self.files, *named]), "the prompt")
        if question != line:
            self._typed[question] = line, self.files
        return question

    def clear(self) -> None:
        """The question is sent."""
        self.files, self.replaces = (), False

    def edit(self, question: str, *, replaces: bool) -> None:
        """Puts a question back as it was typed: a line in the editor, and the files that waited for it."""
        self.draft, self.files = self._typed.get(question, (question, ()))
        self.replaces = replaces
