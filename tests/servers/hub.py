"""A hub of weights on loopback: files with ranges, descriptions, and the ways in which it can fail."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class HubServer(ThreadingHTTPServer):
    """Serves `files` by (repository, name); `requests` are the (path, Range) it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[tuple[str, str], bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.break_after: list[int] = []  # bytes of the body, for one request after the other
        self.silent = False
        self.stalled = threading.Event()  # set while a body stands still
        self.stall_after: int | None = None
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: HubServer

    def do_GET(self) -> None:
        hub = self.server
        hub.requests.append((self.path, self.headers["Range"]))
        if hub.silent:
            hub.released.wait(30)
            return
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._describe("/".join(parts[2:4]))
        else:
            self._send(hub.files.get(("/".join(parts[:2]), "/".join(parts[4:]))))

    def _describe(self, repo: str) -> None:
        siblings = [
            {"rfilename": name, "lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}}
            for (owner, name), data in self.server.files.items()
            if owner == repo
        ]
        self._send(json.dumps({"sha": "c0ffee", "siblings": siblings}).encode() if siblings else None)

    def _send(self, data: bytes | None) -> None:
        if data is None:
            self.send_error(404)
            return
        wanted = self.headers["Range"]
        first, _, last = (wanted or "bytes=0-").removeprefix("bytes=").partition("-")
        body = data[int(first) : int(last) + 1 if last else None]
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.break_after:
            body = body[: self.server.break_after.pop(0)]
        if self.server.stall_after is not None:
            self.wfile.write(body[: self.server.stall_after])
            self.server.stalled.set()
            self.server.released.wait(30)
            return
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """A hub as long as the block lasts."""
    with HubServer() as hub:
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.released.set()
            hub.shutdown()
            thread.join()
