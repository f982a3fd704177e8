"""The journal of a batch: finished answers by line, on disk until the batch is complete."""

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
"""Seconds between two syncs to disk: the most that a power failure can lose."""

_ENTRY = re.compile(rb'\{"line": (\d{1,9}), "key": "(\w+)", "answer": (.*)\}\n', re.DOTALL)


class BatchJournal:
    """Locked by one process at a time. An incomplete entry does not count.

    `find` looks up the answers that were there when it was opened.
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
        self._descriptor = entries.fileno()  # unbuffered, so that an answer is written at once
        self._clock = clock
        self._synced_at = clock()
        self._places = array("q")  # offset of the newest entry of each line, -1 for none
        self._index()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        sync: Callable[[int], None] = os.fsync,
    ) -> Self:
        """Opens the journal, or creates an empty one, readable by the user only.

        Raises TryLaterError if another process has it open, CreateError if it cannot be created.
        """
        try:
            return cls(path, _open_locked(path), clock=clock, sync=sync)
        except BlockingIOError as error:
            raise TryLaterError(
                "this batch is running already",
                hint="wait until it has finished, or run this one with --no-save",
            ) from error
        except OSError as error:
            raise CreateError(
                f"{path}: {error.strerror}", hint="check the permissions of the folder"
            ) from error

    def __len__(self) -> int:
        """How many lines have an answer."""
        return sum(place >= 0 for place in self._places)

    def find(self, line: int, key: str) -> bytes | None:
        """The answer of this line, if it was given to a line with this key."""
        place = self._places[line] if line < len(self._places) else -1
        if place < 0:
            return None
        self._entries.seek(place)
        entry = _ENTRY.fullmatch(self._entries.readline())
        if entry is None or entry[2] != key.encode():
            return None
        try:  # a power failure can leave anything
            json.loads(entry[3])
        except ValueError:
            return None
        return entry[3]

    def keep(self, line: int, key: str, answer: bytes) -> None:
        """Appends an answer, a line of JSON. Raises StorageError."""
        entry = b'{"line": %d, "key": "%s", "answer": %s}\n' % (line, key.encode(), answer)
        try:
            if os.write(self._descriptor, entry) < len(entry):
                raise StorageError("the answers cannot be saved: the disk is full", hint="free some space")
            if self._clock() - self._synced_at >= SYNC_S:
                self._sync(self._descriptor)
                self._synced_at = self._clock()
        except OSError as error:
            raise StorageError(
                f"the answers cannot be saved: {error.strerror}", hint="free some space"
            ) from error

    def remove(self) -> None:
        """Deletes the journal: the batch is complete, and its answers were printed."""
        with suppress(OSError):
            self._path.unlink()
        self._entries.close()

    def close(self) -> None:
        """Closes the journal, and deletes an empty one. May be called twice, and after `remove`."""
        if self._entries.closed:
            return
        with suppress(OSError):
            if os.fstat(self._descriptor).st_size == 0:
                self._path.unlink()
            else:
                self._sync(self._descriptor)
        self._entries.close()

    def _index(self) -> None:
        """Finds the entries, and truncates an incomplete last one."""
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
    """Opens and locks the file. Raises BlockingIOError if another process has it, else OSError."""
    while True:
        file = open_private(path, "a+b")
        try:
            if not lock_descriptor(file.fileno()):
                raise BlockingIOError
            if path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat()):
                return file  # else the process that had it has deleted it meanwhile
        except BaseException:
            file.close()
            raise
        file.close()
