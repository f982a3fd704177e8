"""Cuts a reply at the first stop text, holding back only what could still become one. No I/O."""

from __future__ import annotations

from collections.abc import Iterable


class StopCutter:
    """Fed with pieces of a stream, gives the text before the first stop text, however the pieces fall.

    `feed` and `flush` return text that is safe to show. Once `stopped`, everything after is dropped.
    Where two stop texts begin at the same place or overlap, the one that begins first cuts.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(dict.fromkeys(stop for stop in stops if stop))
        self._longest = max(map(len, self._stops), default=1)
        self._held = ""
        self.stopped = False

    def feed(self, piece: str) -> str:
        """Takes the next piece; returns what can no longer be part of a stop text."""
        if self.stopped:
            return ""
        text = self._held + piece
        cut = self._find(text)
        keep = self._may_become_stop(text, len(text) if cut is None else cut)
        if cut is not None and keep >= cut:
            self.stopped, self._held = True, ""
            return text[:cut]
        self._held = text[keep:]
        return text[:keep]

    def flush(self) -> str:
        """The stream is over: what was held back was no stop text after all."""
        text, self._held = self._held, ""
        cut = self._find(text)
        if cut is None:
            return text
        self.stopped = True
        return text[:cut]

    def _find(self, text: str) -> int | None:
        return min((at for stop in self._stops if (at := text.find(stop)) >= 0), default=None)

    def _may_become_stop(self, text: str, before: int) -> int:
        """Where the earliest tail begins that is an unfinished stop text, if it begins before `before`."""
        for at in range(max(0, len(text) - self._longest + 1), before):
            tail = text[at:]
            if any(stop.startswith(tail) for stop in self._stops):
                return at
        return before
