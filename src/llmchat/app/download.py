"""How a front end shows a download of weights and cancels it. Downloads nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from llmchat import weights

Fetching = Callable[[weights.Model], AbstractContextManager[weights.Progress]]
"""A context that shows a download while it lasts."""


class _Stopped(Exception):  # noqa: N818 - ends a thread, is no error
    pass


@contextmanager
def stoppable(fetching: Fetching) -> Iterator[Fetching]:
    """Inside this context, a download in any thread; leaving the context cancels it."""
    left = threading.Event()

    @contextmanager
    def watched(model: weights.Model) -> Iterator[weights.Progress]:
        with fetching(model) as progress:

            def report(done: int, total: int) -> None:
                if left.is_set():
                    raise _Stopped
                progress(done, total)

            yield report

    try:
        yield watched
    finally:
        left.set()
