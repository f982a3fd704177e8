"""Bounds a reply that its server does not end; must not know which server that is."""

from __future__ import annotations

from llmchat.errors import BrokenReply

MOST_CHARACTERS = 16 << 20


class Bound:
    """Counts the pieces of a reply, of which a request may allow only so many.

    Servers forget the limit they were given, or go on for ever. A piece is a token or less of one.
    """

    def __init__(self, pieces: int | None) -> None:
        self._left = pieces
        self._characters = MOST_CHARACTERS

    def take(self, text: str) -> bool:
        """Counts a piece; whether it is still part of the reply.

        Raises BrokenReply where the reply is longer than anything that could be shown or kept.
        """
        self._characters -= len(text)
        if self._characters < 0:
            raise BrokenReply(
                f"the server sent more than {MOST_CHARACTERS:,} characters without an end",
                hint="is this the address of a language model?",
            )
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0
