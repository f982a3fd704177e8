"""Decodes server-sent events: bytes in, event data out. Reads nothing, and does not know what the data means.

Our own: the libraries for it read the connection themselves, and bound no event.
"""

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
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_line_feeds(chunk)
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._line:
                self._line += line
                line = bytes(self._line)
                self._line.clear()
            if self._at_start:
                self._at_start = False
                line = line.removeprefix(_BOM)
            if not line:
                if self._data:
                    yield self._take_event()
                continue
            field, _, value = line.partition(b":")
            if field == b"data":
                self._check(len(value))
                self._data.append(value.removeprefix(b" "))
                self._size += len(value)
        self._check(len(self._line) + len(rest))
        self._line += rest

    def flush(self) -> Iterator[str]:
        """The stream is over: what is left, if it makes an event."""
        yield from self.feed(b"\n\n")

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """The chunk with each of its line ends, CR, CRLF or LF, as LF."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _check(self, more: int) -> None:
        """Raises BrokenReply where so many bytes more are too many for one event."""
        if self._size + more > self._limit:
            raise BrokenReply(
                f"the server sent an event of more than {self._limit:,} bytes",
                hint="is this the address of a language model?",
            )

    def _take_event(self) -> str:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise BrokenReply(
                "the server sent an event that is not valid UTF-8",
                hint="ask again, or look at the server's log",
            ) from error
