"""How a front end shows that weights are being fetched, and how it stops that. Fetches nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from llmchat import weights

Fetching = Callable[[weights.Model], AbstractContextManager[weights.Progress]]
"""Shows that weights are being fetched, as long as the context lasts."""


class _Stopped(Exception):  # noqa: N818 - ends a thread, is no error
    pass


@contextmanager
def stoppable(fetching: Fetching) -> Iterator[Fetching]:
    """Fetching that ends, in whatever thread it runs, once this context is left."""
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
