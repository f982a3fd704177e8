"""The finished answers of a batch by line, on disk until all are there; must not know what an answer is."""

from __future__ import annotations

import json
import os
import re
import time
from array import array
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Self

from llmchat.errors import CreateError, StorageError, TryLaterError
from llmchat.locks import lock_descriptor
from llmchat.private import open_private

SYNC_S = 1.0
"""Seconds of answers that a power cut may cost at most, while answers come."""

_ENTRY = re.compile(rb'\{"line": (\d{1,9}), "key": "(\w+)", "answer": (.*)\}\n', re.DOTALL)


class BatchJournal:
    """One process at a time has it. An answer is there, or is not: half an entry is none.

    What is looked up is what was there when it was opened.
    """

    def __init__(
        self,
        path: Path,
        entries: BinaryIO,
        *,
        clock: Callable[[], float],
        sync: Callable[[int], None] = os.fsync,
    ) -> None:
        self._sync = sync
        self._path = path
        self._entries = entries
        self._descriptor = entries.fileno()  # writes go past the buffer: an answer is there, or is not
        self._clock = clock
        self._synced_at = clock()
        self._places = array("q")  # where the newest entry of each line begins, -1 for none
        self._index()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sync: Callable[[int], None] = os.fsync,
    ) -> Self:
        """Opens it, or makes an empty one, for the user alone.

        Raises TryLaterError where another process has it, CreateError where there can be none.
        """
        try:
            return cls(path, _open_locked(path), clock=clock, sync=sync)
        except BlockingIOError as error:
            raise TryLaterError(
                "this batch is running already",
                hint="wait until it has ended; --no-save runs another one beside it",
            ) from error
        except OSError as error:
            raise CreateError(f"{path}: {error.strerror}", hint="look at the folder's permissions") from error

    def __len__(self) -> int:
        """Lines that have an answer."""
        return sum(place >= 0 for place in self._places)

    def find(self, line: int, key: str) -> bytes | None:
        """The answer of this line, if the line had this key then."""
        place = self._places[line] if line < len(self._places) else -1
        if place < 0:
            return None
        self._entries.seek(place)
        entry = _ENTRY.fullmatch(self._entries.readline())
        if entry is None or entry[2] != key.encode():
            return None
        try:  # a power cut can leave anything
            json.loads(entry[3])
        except ValueError:
            return None
        return entry[3]

    def keep(self, line: int, key: str, answer: bytes) -> None:
        """Appends an answer, which is JSON on one line. Raises StorageError."""
        entry = b'{"line": %d, "key": "%s", "answer": %s}\n' % (line, key.encode(), answer)
        try:
            if os.write(self._descriptor, entry) < len(entry):
                raise StorageError("the answers are not kept: there is no room", hint="free some space")
            if self._clock() - self._synced_at >= SYNC_S:
                self._sync(self._descriptor)
                self._synced_at = self._clock()
        except OSError as error:
            raise StorageError(
                f"the answers are not kept: {error.strerror}", hint="free some space"
            ) from error

    def remove(self) -> None:
        """All is done: the answers are where they were printed."""
        with suppress(OSError):
            self._path.unlink()
        self._entries.close()

    def close(self) -> None:
        """Leaves it for the next time, unless it is empty. May be called twice, and after `remove`."""
        if self._entries.closed:
            return
        with suppress(OSError):
            if os.fstat(self._descriptor).st_size == 0:
                self._path.unlink()
            else:
                self._sync(self._descriptor)
        self._entries.close()

    def _index(self) -> None:
        """Finds the entries, and cuts off one that was not written to its end."""
        place = self._entries.seek(0)
        for entry in self._entries:
            if not entry.endswith(b"\n"):
                os.ftruncate(self._descriptor, place)
                break
            if found := _ENTRY.fullmatch(entry):
                line = int(found[1])
                self._places.extend([-1] * (line + 1 - len(self._places)))
                self._places[line] = place
            place += len(entry)


def _open_locked(path: Path) -> BinaryIO:
    """The file there, which no other process has. Raises BlockingIOError, or OSError."""
    while True:
        file = open_private(path, "a+b")
        try:
            if not lock_descriptor(file.fileno()):
                raise BlockingIOError
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file  # else whoever had it removed it in the meantime
        except BaseException:
            file.close()
            raise
        file.close()
