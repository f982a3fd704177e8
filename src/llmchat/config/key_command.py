"""Runs key_command: without a shell, once per process, and only when a key is about to be sent."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress

from llmchat.config.keys import clean_key
from llmchat.errors import ConfigError

_DEADLINE_S = 10.0
_KEPT = 64 << 10  # bytes of output
_SHORTEST_KEY = 4
_SHOWN = 200  # characters of stderr


class KeyCommands:
    """Runs commands that print keys, and caches the keys for this process."""

    def __init__(self, environ: Mapping[str, str], *, deadline: float = _DEADLINE_S) -> None:
        """`environ` is a command's environment, `deadline` its time limit in seconds."""
        self._environ = environ
        self._deadline = deadline
        self._keys: dict[tuple[str, ...], str] = {}
        self._reading = asyncio.Lock()

    @property
    def printed(self) -> tuple[str, ...]:
        """The keys printed so far, to scrub them from messages."""
        return tuple(self._keys.values())

    async def read(self, command: tuple[str, ...]) -> str:
        """The key that this command prints. After a failure it is run again the next time.

        Raises ConfigError, which names the program and never quotes its stdout.
        """
        async with self._reading:
            if command not in self._keys:
                self._keys[command] = await _run(command, self._environ, self._deadline)
        return self._keys[command]


class _Output(asyncio.SubprocessProtocol):
    """Collects the beginning of a command's stdout and stderr; reads and drops the rest."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.said = bytearray()
        self.ended = asyncio.get_running_loop().create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self.printed if fd == 1 else self.said
        kept += data[: _KEPT - len(kept)]

    def connection_lost(self, exc: Exception | None) -> None:
        """The command and both pipes have ended."""
        if not self.ended.done():
            self.ended.set_result(None)


async def _run(command: Sequence[str], environ: Mapping[str, str], deadline: float) -> str:
    program = command[0]
    try:
        transport, output = await asyncio.get_running_loop().subprocess_exec(
            _Output,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environ,
            start_new_session=True,  # without the terminal, and without Ctrl-C
        )
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it cannot be named"
        raise ConfigError(
            f"key_command {program} cannot be run: {why}", hint="check its name; it is run without a shell"
        ) from error
    try:
        async with asyncio.timeout(deadline):
            await asyncio.shield(output.ended)
    except TimeoutError:
        raise ConfigError(
            f"key_command {program} did not end within {deadline:g} s",
            hint="it must print the key without asking anything at the terminal",
        ) from None
    finally:
        if not output.ended.done() and hasattr(os, "killpg"):
            with suppress(ProcessLookupError, PermissionError):  # it is gone already
                os.killpg(transport.get_pid(), signal.SIGKILL)
        transport.close()  # ends the command, and its pipes, which a grandchild may still have open
        await output.ended
    if code := transport.get_returncode():
        told = _last_error(output.said, output.printed)
        how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise ConfigError(f"key_command {program} {how}", hint=told and f"its last error line: {told}")
    return _key(program, output.printed)


def _last_error(said: bytearray, printed: bytearray) -> str | None:
    """The last line of its stderr, without the key."""
    text = said.decode(errors="replace")
    for word in printed.decode(errors="replace").split():
        text = text.replace(word, "[key]") if len(word) >= _SHORTEST_KEY else text
    lines = text.strip().splitlines()
    return lines[-1][:_SHOWN] if lines else None


def _key(program: str, printed: bytearray) -> str:
    hint = "it must print the key"
    try:
        key = clean_key(f"key_command {program}", printed.decode())
    except (UnicodeDecodeError, ConfigError):
        key, hint = None, f"{hint} and nothing else, on one line"
    if key is None:
        raise ConfigError(f"key_command {program} printed no key", hint=hint)
    return key
