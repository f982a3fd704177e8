"""File locks between processes. Imports filelock when the first lock is taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, *, timeout: float) -> Iterator[None]:
    """Holds a lock file at this path inside this context. The file has mode 0600 and is not deleted.

    Raises TimeoutError if another process still holds it after `timeout` seconds, else OSError.
    """
    from filelock import FileLock

    lock = FileLock(path, timeout=timeout, mode=0o600)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


def lock_descriptor(descriptor: int) -> bool:
    """Locks an open file until it is closed; False where another process has the lock. Raises OSError."""
    import filelock

    return filelock.lock_descriptor(descriptor, blocking=False)
