"""A listener on loopback, in threads of its own, that keeps every byte it is sent and answers as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Answer = Callable[[bytes], bytes]
"""What a request is answered with; one without `Connection: close` leaves the connection open."""


class Listener:
    """`received` is every byte of every connection, `requests` are the heads that came."""

    def __init__(self, answer: Answer) -> None:
        self.received = b""
        self.requests: list[bytes] = []
        self.asked = threading.Event()
        self.released = threading.Event()
        self._answer = answer
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def serve(self) -> None:
        """Accepts connections until `end` is called."""
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def end(self) -> None:
        self.released.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self._socket.close()

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = self._read(connection)
            with self._lock:
                self.requests.append(request)
            self.asked.set()
            answer = self._answer(request)
            connection.sendall(answer)
            if b"\r\nConnection: close\r\n" in answer:
                connection.shutdown(socket.SHUT_WR)
            while self._receive(connection):
                pass

    def _read(self, connection: socket.socket) -> bytes:
        request = b""
        while b"\r\n\r\n" not in request and (data := self._receive(connection)):
            request += data
        head, _, body = request.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        left = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
        while left > 0 and (data := self._receive(connection)):
            left -= len(data)
            request += data
        return request

    def _receive(self, connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        with self._lock:
            self.received += data
        return data


@contextmanager
def listening(answer: Answer) -> Iterator[Listener]:
    """A listener as long as the block lasts."""
    listener = Listener(answer)
    thread = threading.Thread(target=listener.serve)
    thread.start()
    try:
        yield listener
    finally:
        listener.end()
        thread.join()


def response(
    body: str | bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = ""
) -> bytes:
    """A whole answer; `more` are header lines."""
    content = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{more}Content-Length: {len(content)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + content
