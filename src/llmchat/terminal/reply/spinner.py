"""The line on stderr that says what is happening while no text comes, and goes without a trace."""

from __future__ import annotations

import asyncio

from llmchat.core.generation import Progress
from llmchat.sanitize import sanitize_line
from llmchat.terminal.device.streams import Streams

_TURNS = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_DELAY_S = 0.3
"""Before it appears: most waits are shorter."""
_STEP_S = 0.1


class Spinner:
    """Shows the latest progress on a terminal; nothing anywhere else, or if it is to be quiet."""

    def __init__(self, streams: Streams, *, quiet: bool) -> None:
        self._streams = streams
        self._on = streams.is_terminal(streams.stderr) and not quiet and streams.environ.get("TERM") != "dumb"
        self._timer: asyncio.TimerHandle | None = None
        self._progress = Progress("")
        self._turn = 0
        self._shown = False

    def show(self, progress: Progress) -> None:
        """What is happening from now on."""
        self._progress = progress
        if self._on and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_DELAY_S, self._step)

    def stop(self) -> None:
        """Takes the line away. May be called at any time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._shown:
            self._write("\r\x1b[K")
            self._shown = False

    def _step(self) -> None:
        self._turn += 1
        text = f"{_TURNS[self._turn % len(_TURNS)]} {_describe(self._progress)}"
        self._write(f"\r\x1b[K{text[: self._streams.size(self._streams.stderr)[0] - 1]}")
        self._shown = True
        self._timer = asyncio.get_running_loop().call_later(_STEP_S, self._step)

    def _write(self, text: str) -> None:
        self._streams.tell(text)


def _describe(progress: Progress) -> str:
    stage = sanitize_line(progress.stage)
    if progress.done is None or not progress.total:
        return f"{stage} ..."
    return f"{stage}: {progress.done / progress.total:.0%}"
