"""Shows a download of weights: a notice with size and licence, and a progress bar on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llmchat import weights
from llmchat.terminal.device.streams import Streams


@contextmanager
def show_fetching(streams: Streams, model: weights.Model) -> Iterator[weights.Progress]:
    """Inside this context, shows the download on stderr; yields what progress is reported to."""
    about = [f"{model.size / 1e6:.0f} MB" if model.size else "", model.licence or ""]
    notice = ", ".join(part for part in about if part)
    streams.note(f"downloading {model.name} once{f' ({notice})' if notice else ''}")
    if model.about:
        streams.note(f"it is {model.about}")
    if not model.pinned:
        streams.note("its SHA-256 is not known to llmchat; it is compared with the one the hub reports")
    if not streams.is_terminal(streams.stderr):
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    class ConsoleWithCursor(Console):
        """A rich console that never hides the cursor: it would stay hidden if llmchat was killed."""

        def show_cursor(self, show: bool = True) -> bool:  # noqa: FBT001, FBT002 - as rich has it
            return show

    console = ConsoleWithCursor(stderr=True)
    with Progress(
        BarColumn(), DownloadColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=model.size)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
