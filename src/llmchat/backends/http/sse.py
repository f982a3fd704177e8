"""Decodes server-sent events, bytes in and event data out; must not read, nor know what the data means."""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.errors import BrokenReply

MAX_EVENT = 1 << 20
"""Bytes an event may have."""

_MARKS = (b"data:", b"event:", b"retry:", b"id:", b":")
_BOM = b"\xef\xbb\xbf"
LONGEST_MARK = len(_BOM) + max(map(len, _MARKS))
"""Bytes that show whether a stream of events has begun."""


def looks_like_events(beginning: bytes) -> bool:
    """Whether these first bytes of an answer, whose type says nothing, are those of an event stream."""
    return beginning.removeprefix(_BOM).lstrip(b"\r\n").startswith(_MARKS)


class EventDecoder:
    """Fed with bytes however they are split, gives the data of the events that they complete.

    Follows WHATWG HTML, "Server-sent events", with one leniency: an event that the end of the stream
    completes counts. Names, ids, retry times and comments are read over.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._line = bytearray()  # the unfinished one
        self._data: list[bytes] = []
        self._size = 0  # of the data lines
        self._after_cr = False  # a line feed that comes next belongs to the line before
        self._at_start = True

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Takes the next bytes; gives the data of every event that is now whole. Use it up before the next.

        Raises BrokenReply where an event is over the limit or not UTF-8, once those before it are given.
        """
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        for part in chunk.splitlines(keepends=True):
            if self._size + len(self._line) + len(part) > self._limit:
                raise BrokenReply(
                    f"the server sent an event of more than {self._limit:,} bytes",
                    hint="is this the address of a language model?",
                )
            self._line += part.rstrip(b"\r\n")
            if part.endswith((b"\r", b"\n")):
                yield from self._end_line()

    def flush(self) -> Iterator[str]:
        """The stream is over: what is left, if it makes an event."""
        yield from self._end_line()
        yield from self._end_event()

    def _end_line(self) -> list[str]:
        line = bytes(self._line)
        self._line.clear()
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._end_event()
        field, _, value = line.partition(b":")
        if field == b"data":
            value = value.removeprefix(b" ")
            self._data.append(value)
            self._size += len(value) + 1
        return []

    def _end_event(self) -> list[str]:
        data = b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        try:
            return [data.decode()] if data else []
        except UnicodeDecodeError as error:
            raise BrokenReply(
                "the server sent an event that is not valid UTF-8",
                hint="ask again, or look at the server's log",
            ) from error
