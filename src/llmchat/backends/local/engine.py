"""The engine process: serves one GGUF by llama.cpp on a private socket. Imports nothing of llmchat.

    python -P -m llmchat.backends.local.engine --model PATH --socket PATH
        [--context N] [--threads N] [--batch-threads N]

stdin    one line, the API key (used on TCP only), then nothing; its end is the end of this process
stdout   one JSON line: {"ready": address}, or {"error": one of `Fault`, "detail": words}, with its exit code
stderr   llama.cpp's own errors
address  unix:///path.sock, or http://127.0.0.1:port where `--socket` is not given

What is served is llama.cpp's own HTTP server: tools/server/README.md there describes its routes.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import xllamacpp

BATCH_TOKENS = 256  # a closed connection is noticed between batches; larger ones are hardly faster
CACHED_PROMPTS_MIB = 256  # llama.cpp would take 8 GB
GRACE_S = 0.2  # seconds for the engine to notice the end of stdin


class Fault(StrEnum):
    """Why the engine did not start."""

    PLATFORM = "platform"  # there is no xllamacpp for this machine
    LIBRARY = "library"  # a shared library it needs is not there
    MISSING = "missing"  # no such model file
    MODEL = "model"  # llama.cpp does not load it

    @property
    def exit_code(self) -> int:
        """As in sysexits.h: EX_NOINPUT, EX_DATAERR, EX_UNAVAILABLE."""
        return {Fault.MISSING: 66, Fault.MODEL: 65}.get(self, 69)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Serves until stdin ends. Exits by `os._exit`, as llama.cpp's destructors can hang or abort."""
    options = _parse(argv)
    os.umask(0o077)
    key = sys.stdin.readline().strip()
    answer = os.dup(1)
    os.dup2(2, 1)  # output of libraries must not go to stdout
    _die_with_stdin(options.socket)
    server = _serve(options, key, answer)
    _say(answer, {"ready": str(server.listening_address)})
    while True:
        threading.Event().wait()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="llmchat.backends.local.engine", allow_abbrev=False)
    parser.add_argument("--model", required=True, help="the .gguf file")
    parser.add_argument("--socket", help="ends in .sock, in a private folder that goes with it")
    parser.add_argument("--context", type=int, default=8192, help="tokens; 0 is what the model was made for")
    parser.add_argument("--threads", type=int, default=1, help="for the reply; more than idle cores is slow")
    parser.add_argument("--batch-threads", type=int, default=os.cpu_count() or 1, help="for the prompt")
    return parser.parse_args(argv)


def _die_with_stdin(socket: str | None) -> None:
    """Ends this process, and deletes its socket's folder, when stdin ends, whatever llama.cpp is doing.

    Loading a model holds the GIL, so that a thread could not notice the end of stdin. A forked process can,
    and it survives a crash. Without fork, a thread is used.
    """
    engine = os.getpid()
    if hasattr(os, "fork") and os.fork() == 0:
        _watch(engine, socket)
    threading.Thread(target=_wait_and_exit, args=(socket,), daemon=True).start()


def _watch(engine: int, socket: str | None) -> NoReturn:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.closerange(3, 64)  # the parent must see the end of the engine's pipes when the engine ends
    _wait_for_end()
    deadline = time.monotonic() + GRACE_S
    while os.getppid() == engine and time.monotonic() < deadline:
        time.sleep(0.01)
    if os.getppid() == engine:
        with suppress(ProcessLookupError):
            os.kill(engine, signal.SIGKILL)
    _remove(socket)
    os._exit(0)


def _wait_and_exit(socket: str | None) -> NoReturn:
    _wait_for_end()
    _remove(socket)
    os._exit(0)


def _wait_for_end() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass


def _remove(socket: str | None) -> None:
    if socket:
        with suppress(OSError):
            os.unlink(socket)  # noqa: PTH108 - a process that is dying keeps to plain system calls
        with suppress(OSError):
            os.rmdir(os.path.dirname(socket))  # noqa: PTH106, PTH120 - as above


def _serve(options: argparse.Namespace, key: str, answer: int) -> xllamacpp.Server:
    """Loads the model and starts llama.cpp's server, which runs as long as the object exists."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before the import, or idle threads spin
    if not os.access(options.model, os.R_OK):
        _fail(answer, Fault.MISSING, options.model, options.socket)
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        _fail(answer, Fault.PLATFORM, str(error), options.socket)
    except ImportError as error:
        _fail(answer, Fault.LIBRARY, str(error), options.socket)
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.n_ctx = options.context
    params.n_parallel = 1
    params.n_batch = BATCH_TOKENS
    params.cache_ram_mib = CACHED_PROMPTS_MIB
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.batch_threads
    params.fit_params = False
    params.verbosity = 1  # errors
    params.ui = False
    if options.socket:
        params.hostnames = [options.socket]
    else:
        params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:  # llama.cpp has said more on stderr
        _fail(answer, Fault.MODEL, str(error), options.socket)
    # A server that is dropped before its first completion deadlocks; this one also warms it up.
    server.handle_completions({"prompt": "hi", "max_tokens": 1})
    return server


def _fail(answer: int, fault: Fault, detail: str, socket: str | None) -> NoReturn:
    _say(answer, {"error": fault, "detail": detail})
    _remove(socket)
    os._exit(fault.exit_code)


def _say(answer: int, words: dict[str, str]) -> None:
    os.write(answer, json.dumps(words).encode() + b"\n")


if __name__ == "__main__":
    main()
