"""Parses a command line as bash does, and quotes words for bash. Pure.

bash inserts a candidate unchanged, so it must be quoted, and must start after the last break in the word, as
readline breaks words at `:` and `=`, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPECIAL = re.compile(r"([^\w@%+=:,./^-])")  # a backslash before any of the others changes nothing
_IN_QUOTES = re.compile(r'([\\"$`])')


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it was typed: its meaning, the quote that is open at its end, and how much of it is fixed.

    `fixed` counts the characters of the meaning that readline does not replace. `sealed` is a word with a
    closed quote, for which readline's behaviour is unknown.
    """

    text: str
    quote: str = ""
    fixed: int = 0
    sealed: bool = False

    def finish(self, whole: str) -> str | None:
        """The text that completes this word to `whole`; None if that cannot be typed."""
        if self.sealed:
            return None
        rest = whole[self.fixed :]
        if self.quote == "'":
            return None if "'" in rest else rest
        if self.quote:
            return (
                None if "!" in rest else _IN_QUOTES.sub(r"\\\1", rest)
            )  # ! is history expansion, also in quotes
        home = rest.startswith("~/") and self.text.startswith("~/")
        return ("~" if home else "") + _SPECIAL.sub(r"\\\1", rest[home:])


def split(line: str, *, breaks: str = "") -> list[Word]:
    """The words of a line. The last one, maybe empty, is being typed. `breaks` is COMP_WORDBREAKS."""
    words: list[Word] = []
    text, quote, fixed, begun, sealed = "", "", 0, False, False
    letters = iter(line)
    for letter in letters:
        if letter == "\\" and quote != "'":
            escaped = next(letters, "")
            text += escaped if not quote or escaped in '\\"$`' else f"\\{escaped}"
            begun = True
        elif letter == quote:
            quote, sealed = "", True
        elif quote:
            text += letter
        elif letter in "'\"":
            quote, begun, fixed = letter, True, len(text)
        elif letter.isspace():
            if begun or text:
                words.append(Word(text))
            text, fixed, begun, sealed = "", 0, False, False
        else:
            text += letter
            fixed = len(text) if letter in breaks else fixed
    return [*words, Word(text, quote, fixed, sealed)]
