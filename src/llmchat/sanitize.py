"""Makes foreign text safe for a terminal, character by character, so that splits do not matter."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"

# Invisible or direction-changing, with no use in running text. ZWJ, ZWNJ and the variation selectors stay:
# emoji and several scripts need them.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
_FOREIGN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_INVISIBLE}]")
_LINE_END = re.compile(r"\r\n?")


def _mark(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)  # Unicode's pictures of the C0 controls
    return "\u2421" if code == 0x7F else REPLACEMENT


def sanitize(text: str) -> str:
    """Replaces control, bidi and invisible characters, except newline and tab, by visible marks."""
    return _FOREIGN.sub(_mark, text)


def sanitize_line(text: str) -> str:
    """The same for text that must stay on one line: a name, a title, an error message."""
    return sanitize(" ".join(text.split()))


class Newlines:
    """Converts CR and CRLF to newlines in a stream, wherever its pieces are split."""

    def __init__(self) -> None:
        self._after_cr = False

    def feed(self, piece: str) -> str:
        if self._after_cr and piece:
            self._after_cr = False
            piece = piece.removeprefix("\n")
        if piece:
            self._after_cr = piece.endswith("\r")
        return _LINE_END.sub("\n", piece)
