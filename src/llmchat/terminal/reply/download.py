"""Shows that weights are being fetched: a notice with size and licence, and a progress bar on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llmchat import weights
from llmchat.terminal.device.streams import Streams


@contextmanager
def show_fetching(streams: Streams, model: weights.Model) -> Iterator[weights.Progress]:
    """What to report bytes to while these weights are fetched; all goes to stderr."""
    about = [f"{model.size / 1e6:.0f} MB" if model.size else "", model.licence or ""]
    notice = ", ".join(part for part in about if part)
    streams.note(f"fetching {model.name} once{f' ({notice})' if notice else ''}")
    if model.about:
        streams.note(f"it is {model.about}")
    if not model.pinned:
        streams.note("its hash is not pinned; it is checked against the one that the hub gives")
    if not streams.is_terminal(streams.stderr):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    class ConsoleWithCursor(Console):
        """Never hides the cursor: it would stay hidden if we were stopped or killed."""

        def show_cursor(self, show: bool = True) -> bool:  # noqa: FBT001, FBT002 - as rich has it
            return show

    console = ConsoleWithCursor(stderr=True)
    with Progress(
        BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=model.size)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
