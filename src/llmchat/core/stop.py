"""Cuts a reply at the first stop text, holding back only what could still become one. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable


class StopCutter:
    """Fed with pieces of a stream, gives the text before the first stop text, however the pieces fall.

    `feed` and `flush` return text that is safe to show. Once `stopped`, everything after is dropped.
    Where two stop texts begin at the same place or overlap, the one that begins first cuts.
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
        """Takes the next piece; returns what can no longer be part of a stop text."""
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
        """The stream is over: what was held back was no stop text after all."""
        text, self._held = self._held, ""
        found = self._whole.search(text)
        if found is None:
            return text
        self.stopped = True
        return text[: found.start()]
