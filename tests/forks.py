"""Runs the command to its end in a fork of a process that has imported everything: a start costs the most.

Only what has been imported is not as in a process of its own. A test of a start, a signal, a terminal, other
streams or another locale starts a real one.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import pkgutil
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import connection, reduction
from pathlib import Path

import llmchat

_LIBRARIES = ("aiohttp", "jsonschema", "prompt_toolkit", "regex", "rich.console", "sqlite3", "typer")
"""What llmchat imports only where it needs it, which most ways through it do."""

_SERVER = multiprocessing.get_context("forkserver")
_LOCK = threading.Lock()  # a process that has ended is asked for its code by all that start another


def run(
    arguments: Sequence[str], environ: Mapping[str, str], folder: Path, stdin: bytes | None, *, within: float
) -> tuple[int, bytes, bytes]:
    """What `python -m llmchat` with these arguments ends with: its code, stdout and stderr.

    Raises subprocess.TimeoutExpired after so many seconds.
    """
    _preload()
    source, fed = os.pipe() if stdin is not None else (os.open(os.devnull, os.O_RDONLY), None)
    (out, out_end), (err, err_end) = os.pipe(), os.pipe()
    streams = [source, out_end, err_end]
    process = _SERVER.Process(target=_Command(list(arguments), dict(environ), str(folder), streams))
    with _LOCK:
        process.start()
    for stream in streams:
        os.close(stream)
    with ThreadPoolExecutor(3) as threads:
        if fed is not None:
            threads.submit(_feed, fed, stdin or b"")
        read = [threads.submit(_read, end) for end in (out, err)]
        late = not connection.wait([process.sentinel], within)
        if late:
            process.kill()
        with _LOCK:
            process.join()
    if late:
        raise subprocess.TimeoutExpired(list(arguments), within)
    return process.exitcode or 0, read[0].result(), read[1].result()


@functools.cache
def _preload() -> None:
    modules = [each.name for each in pkgutil.walk_packages(llmchat.__path__, "llmchat.")]
    _SERVER.set_forkserver_preload([*_LIBRARIES, *(name for name in modules if "__main__" not in name)])


def _feed(end: int, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(end, "wb") as pipe:
        pipe.write(data)


def _read(end: int) -> bytes:
    with open(end, "rb") as pipe:
        return pipe.read()


class _Command:
    """What the fork does; it is pickled on its way there, and its streams with it."""

    def __init__(
        self, arguments: list[str], environ: dict[str, str], folder: str, streams: list[int]
    ) -> None:
        self._arguments, self._environ, self._folder = arguments, environ, folder
        self._streams = streams

    def __getstate__(self) -> tuple[object, ...]:
        streams = [reduction.DupFd(stream) for stream in self._streams]
        return self._arguments, self._environ, self._folder, streams

    def __setstate__(self, state: tuple[list[str], dict[str, str], str, list[reduction.DupFd]]) -> None:
        *(self._arguments, self._environ, self._folder), streams = state
        self._streams = [stream.detach() for stream in streams]

    def __call__(self) -> None:
        for fd, stream in enumerate(self._streams):
            os.dup2(stream, fd)
            os.close(stream)
        sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)
        os.environ.clear()
        os.environ.update({"LC_CTYPE": "C.UTF-8", **self._environ})  # as Python does where there is no locale
        time.tzset()
        os.chdir(self._folder)
        sys.path.insert(0, self._folder)
        sys.argv = ["", *self._arguments]
        runpy.run_module("llmchat", run_name="__main__", alter_sys=True)
