"""Bounds a reply that its server does not end; must not know which server that is."""

from __future__ import annotations

from llmchat.errors import BrokenReply

PIECES_PER_TOKEN = 16
"""Pieces that a server may make of a token: some send a letter each."""
SPARE_PIECES = 1 << 16
"""Pieces beyond that: a server that keeps no limit still ends, as a rule."""
MOST_CHARACTERS = 16 << 20


class OutputLimit:
    """Counts the pieces of a reply that was to have so many tokens: it may have more, but has to end."""

    def __init__(self, tokens: int) -> None:
        self._pieces = tokens * PIECES_PER_TOKEN + SPARE_PIECES
        self._characters = MOST_CHARACTERS

    def take(self, text: str) -> bool:
        """Counts a piece; whether it is still part of the reply.

        Raises BrokenReply where the reply is longer than anything that could be shown or kept.
        """
        self._pieces -= 1
        self._characters -= len(text)
        if self._characters < 0:
            raise BrokenReply(
                f"the server sent more than {MOST_CHARACTERS:,} characters without an end",
                hint="is this the address of a language model?",
            )
        return self._pieces >= 0
