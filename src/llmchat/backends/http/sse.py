"""Decodes server-sent events: bytes in, event data out.

Our own decoder, as the libraries for it read the connection themselves, and do not limit an event's size.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmchat.errors import BrokenReply

MAX_EVENT = 1 << 20
"""Maximum size of an event in bytes."""

_MARKS = (b"data:", b"event:", b"retry:", b"id:", b":")
_BOM = b"\xef\xbb\xbf"
LONGEST_MARK = len(_BOM) + max(map(len, _MARKS))
"""How many bytes show whether a response is an event stream."""


def looks_like_events(beginning: bytes) -> bool:
    """True if these first bytes of a response without a usable type are those of an event stream."""
    return beginning.removeprefix(_BOM).lstrip(b"\r\n").startswith(_MARKS)


class EventDecoder:
    """Takes bytes, split anywhere, and yields the data of complete events.

    Follows WHATWG HTML, "Server-sent events", with one exception: the end of the stream completes an
    event. Names, ids, retry times and comments are skipped.
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._limit = limit
        self._line = bytearray()  # the unfinished line
        self._data: list[bytes] = []
        self._size = 0  # of the data lines
        self._after_cr = False  # a line feed that follows belongs to the line before
        self._at_start = True

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Takes the next bytes; yields the data of complete events. Exhaust it before the next call.

        Raises BrokenReply if an event is over the limit or not UTF-8, after yielding those before it.
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
        """Ends the stream; yields the rest, if it is an event."""
        yield from self.feed(b"\n\n")

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """The chunk with all line ends as LF."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _check(self, more: int) -> None:
        """Raises BrokenReply if so many more bytes exceed the limit of an event."""
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
