"""Ends a reply that the server does not end."""

from __future__ import annotations

from llmchat.errors import BrokenReply

PIECES_PER_TOKEN = 16
"""Maximum pieces per token: some servers send single letters."""
SPARE_PIECES = 1 << 16
"""Additional pieces: a server that ignores the limit usually still ends."""
MOST_CHARACTERS = 16 << 20


class OutputLimit:
    """Counts the pieces of a reply with a limit of tokens: it may exceed the limit, but must end."""

    def __init__(self, tokens: int) -> None:
        self._pieces = tokens * PIECES_PER_TOKEN + SPARE_PIECES
        self._characters = MOST_CHARACTERS

    def take(self, text: str) -> bool:
        """Counts a piece; False if the reply ends before it.

        Raises BrokenReply if the reply is too long to be shown or saved.
        """
        self._pieces -= 1
        self._characters -= len(text)
        if self._characters < 0:
            raise BrokenReply(
                f"the server sent more than {MOST_CHARACTERS:,} characters without an end",
                hint="is this the address of a language model?",
            )
        return self._pieces >= 0
