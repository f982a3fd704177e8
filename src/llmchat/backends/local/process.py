"""Starts and stops the engine process, and explains why a start failed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from llmchat.backends.http.endpoint import Endpoint, Timeouts
from llmchat.backends.local.engine import Fault
from llmchat.errors import CreateError, DeniedError, InputError, LLMChatError, MissingError, UnavailableError
from llmchat.scrub import without_secrets

UNIX_SOCKETS = hasattr(socket, "AF_UNIX")
LONGEST_SOCKET_PATH = 100  # bytes: sun_path has 104 on macOS, 108 on Linux, with its NUL
_SOCKET_NAME = "e.sock"
_KEPT_OF_STDERR = 8192  # bytes
_SERVER_HINT = "chat with a server instead: llmchat --url URL"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """The options of an engine. `context` is in tokens, 0 for the context window of the model."""

    model: Path
    context: int = 8192
    threads: int = 1
    batch_threads: int = os.cpu_count() or 1
    runtime_dir: Path | None = None  # for the socket; None is the folder for temporary files
    unix: bool = UNIX_SOCKETS
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)


class EngineProcess:
    """A running engine. It ends when `stop` is called, or when this process ends for any reason."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path | None) -> None:
        self.endpoint = Endpoint("http://localhost")
        self._process = process
        self._folder = folder
        self._stderr = bytearray()
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, options: EngineOptions) -> Self:
        """Starts the engine; returns when the model is loaded.

        Raises MissingError, DeniedError or InputError for a problem with the model file, CreateError if there
        is no place for the socket, else UnavailableError.
        """
        folder = _private_folder(options.runtime_dir) if options.unix else None
        try:
            process = await asyncio.create_subprocess_exec(
                *_command(options, folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=without_secrets(options.environ),
                start_new_session=True,  # so that Ctrl-C in the terminal does not reach it
            )
        except OSError as error:
            _remove(folder)
            raise UnavailableError(f"the engine cannot be started: {error}", hint=_SERVER_HINT) from error
        except asyncio.CancelledError:
            _remove(folder)
            raise
        engine = cls(process, folder)
        try:
            await engine._wait_until_ready(options)
        except BaseException:
            await engine.stop()
            raise
        return engine

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ended(self, *, within: float) -> bool:
        """True if it has ended, or ends within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._process.wait()
        return not self.running

    async def stop(self) -> None:
        """Ends it at once, and deletes its files. May be called twice."""
        with suppress(ProcessLookupError):
            self._process.kill()
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._process.wait()
        await self._listener
        _remove(self._folder)

    async def _listen(self) -> None:
        """Reads its stderr, so that it never blocks, and keeps the end of it for error messages."""
        assert self._process.stderr is not None
        while block := await self._process.stderr.read(_KEPT_OF_STDERR):
            self._stderr += block
            del self._stderr[:-_KEPT_OF_STDERR]

    async def _wait_until_ready(self, options: EngineOptions) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        key = None if options.unix else secrets.token_urlsafe(32)
        self._process.stdin.write(f"{key or ''}\n".encode())
        line = await self._process.stdout.readline()
        told = json.loads(line) if line.endswith(b"\n") else {}
        if "ready" not in told:
            await self._process.wait()
            await self._listener
            raise self._explain(told, options)
        if not options.unix:
            self.endpoint = Endpoint(told["ready"], key=key, timeouts=_TIMEOUTS)
        else:
            path = Path(told["ready"].removeprefix("unix://"))
            self.endpoint = Endpoint("http://localhost", unix_socket=path, timeouts=_TIMEOUTS)

    def _explain(self, told: dict[str, str], options: EngineOptions) -> LLMChatError:
        lines = self._stderr.decode(errors="replace").splitlines()
        detail = told.get("detail", "")
        match told.get("error"):
            case Fault.MISSING if options.model.exists():
                return DeniedError(
                    f"{options.model} cannot be read: permission denied", hint="check its permissions"
                )
            case Fault.MISSING:
                return MissingError(
                    f"there is no model file {options.model}",
                    hint="list the available models: llmchat models",
                )
            case Fault.MODEL:
                return _refusal(options.model, lines, detail)
            case Fault.PLATFORM:
                return UnavailableError("there is no embedded engine for this platform", hint=_SERVER_HINT)
            case Fault.LIBRARY:
                return _library_missing(detail)
        return _death(self._process.returncode or 0, lines)


_TIMEOUTS = Timeouts(
    connect=10,
    header=600,  # a reply that is not streamed comes only after a long prompt is evaluated
    first_token=600,
    idle=120,
    wait=0,  # an engine that is not reachable is restarted, not waited for
)


def _command(options: EngineOptions, folder: Path | None) -> list[str]:
    command = [
        sys.executable,
        "-P",
        "-m",
        "llmchat.backends.local.engine",
    ]  # -P: nothing is imported from the current folder
    command += ["--model", str(options.model.absolute()), "--context", str(options.context)]
    command += ["--threads", str(options.threads), "--batch-threads", str(options.batch_threads)]
    return command + (["--socket", str(folder / _SOCKET_NAME)] if folder else [])


def _private_folder(wanted: Path | None) -> Path:
    """A new folder, 0700, with a path short enough for a socket in it. Raises CreateError."""
    reasons = []
    for parent in filter(None, (wanted, Path(tempfile.gettempdir()), Path("/tmp"))):  # noqa: S108 - the last resort
        if len(os.fsencode(parent)) + len("/llmchat-12345678/") + len(_SOCKET_NAME) > LONGEST_SOCKET_PATH:
            reasons.append(f"{parent} is too long")
            continue
        try:
            return Path(tempfile.mkdtemp(prefix="llmchat-", dir=parent))
        except OSError as error:
            reasons.append(f"{parent}: {error.strerror}")
    raise CreateError(
        f"no folder is usable for the engine's socket ({'; '.join(reasons)})",
        hint="set TMPDIR to a folder of yours with a short path",
    )


def _remove(folder: Path | None) -> None:
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _refusal(model: Path, lines: Iterable[str], detail: str) -> LLMChatError:
    """The error for a model that llama.cpp did not load, with llama.cpp's reason if there is one."""
    said = [re.sub(r"^[\d.]+ [A-Z] +(\S+ +)?", "", line).strip() for line in lines]
    telling = [line for line in said if "error loading model" in line or "couldn't bind" in line] or said
    reason = re.sub(r"^.*error loading model: ", "", telling[0]) if telling else detail
    if "bind" in reason or "alloc" in reason:
        return UnavailableError(f"the engine cannot be started: {reason}", hint=_SERVER_HINT)
    return InputError(
        f"llama.cpp cannot load {model.name}: {reason}", hint="download it again, or try another"
    )


def _library_missing(detail: str) -> UnavailableError:
    if "libgomp" in detail:
        hint = "install it: the package is libgomp1 on Debian and Ubuntu, libgomp elsewhere"
        return UnavailableError("the embedded engine needs the system library libgomp", hint=hint)
    return UnavailableError(f"the embedded engine cannot be loaded: {detail}", hint=_SERVER_HINT)


def _death(code: int, lines: list[str]) -> UnavailableError:
    if code == -getattr(signal, "SIGILL", 0):
        return UnavailableError("the embedded engine needs a processor with AVX2", hint=_SERVER_HINT)
    if code == -getattr(signal, "SIGKILL", 0):
        return UnavailableError(
            "the engine was killed while loading the model", hint="is there enough memory?"
        )
    said = f": {lines[-1].strip()}" if lines else ""
    return UnavailableError(
        f"the engine ended with code {code} while loading the model{said}", hint=_SERVER_HINT
    )
