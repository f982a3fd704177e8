"""Cuts a streamed reply at the first stop text. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable


class StopCutter:
    """Takes pieces of a stream, split anywhere, and returns the text before the first stop text.

    Holds back only text that may become a stop text. `feed` and `flush` return text to show. After `stopped`
    everything is dropped. If stop texts overlap, the one that starts first cuts.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        wanted = list(dict.fromkeys(stop for stop in stops if stop))
        beginnings = {stop[:length] for stop in wanted for length in range(1, len(stop))}
        self._longest = max(map(len, wanted), default=1)
        self._whole = re.compile("|".join(map(re.escape, wanted)) or r"(?!)")
        self._unfinished = re.compile(
            rf"(?:{'|'.join(map(re.escape, beginnings))})\Z" if beginnings else r"(?!)"
        )
        self._held = ""
        self.stopped = False

    def feed(self, piece: str) -> str:
        """Takes the next piece; returns the text that cannot be part of a stop text."""
        if self.stopped:
            return ""
        text = self._held + piece if self._held else piece
        found = self._whole.search(text)
        cut = found.start() if found else len(text)
        tail = self._unfinished.search(text, max(0, len(text) - self._longest + 1))
        if tail and tail.start() < cut:
            self._held = text[tail.start() :]
            return text[: tail.start()]
        self.stopped, self._held = found is not None, ""
        return text[:cut]

    def flush(self) -> str:
        """Ends the stream; returns what was held back."""
        text, self._held = self._held, ""
        found = self._whole.search(text)
        if found is None:
            return text
        self.stopped = True
        return text[: found.start()]
