"""Runs the commands that print keys: without a shell, once, and only when a key is about to be sent."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress

from llmchat.config.keys import clean_key
from llmchat.errors import ConfigError

_DEADLINE_S = 10.0
_KEPT = 64 << 10  # bytes of what it prints
_SHORTEST_KEY = 4
_SHOWN = 200  # characters of its standard error


class KeyCommands:
    """The keys that commands have printed so far in this process."""

    def __init__(self, environ: Mapping[str, str], *, deadline: float = _DEADLINE_S) -> None:
        """`environ` is what a command is given, `deadline` the seconds it has."""
        self._environ = environ
        self._deadline = deadline
        self._keys: dict[tuple[str, ...], str] = {}
        self._reading = asyncio.Lock()

    @property
    def printed(self) -> tuple[str, ...]:
        """The keys, so that none is shown."""
        return tuple(self._keys.values())

    async def read(self, command: tuple[str, ...]) -> str:
        """The key that this command prints; one that failed is run again the next time.

        Raises ConfigError, which names the program and never what it printed.
        """
        async with self._reading:
            if command not in self._keys:
                self._keys[command] = await _run(command, self._environ, self._deadline)
        return self._keys[command]


class _Output(asyncio.SubprocessProtocol):
    """The beginning of what a command writes to stdout and stderr; the rest is read and dropped."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.said = bytearray()
        self.ended = asyncio.get_running_loop().create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        kept = self.printed if fd == 1 else self.said
        kept += data[: _KEPT - len(kept)]

    def connection_lost(self, exc: Exception | None) -> None:
        """It has ended, and so have both pipes."""
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
            start_new_session=True,  # neither the terminal nor Ctrl-C is for it
        )
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "it cannot be named"
        raise ConfigError(
            f"key_command {program} cannot be run: {why}", hint="it is run without a shell; check its name"
        ) from error
    try:
        async with asyncio.timeout(deadline):
            await asyncio.shield(output.ended)
    except TimeoutError:
        raise ConfigError(
            f"key_command {program} did not end within {deadline:g} s",
            hint="it has to print the key without asking anything at the terminal",
        ) from None
    finally:
        if not output.ended.done():
            _kill(transport.get_pid())
        transport.close()  # and the pipes with it, which something that got away may still hold
        await output.ended
    if code := transport.get_returncode():
        told = _last_error(output.said, output.printed)
        how = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
        raise ConfigError(f"key_command {program} {how}", hint=told and f"it said: {told}")
    return _key(program, output.printed)


def _kill(pid: int) -> None:
    """Ends what this command started; the command itself ends as its transport is closed."""
    with suppress(ProcessLookupError, PermissionError):  # nothing of it is left
        if hasattr(os, "killpg"):
            os.killpg(pid, signal.SIGKILL)


def _last_error(said: bytearray, printed: bytearray) -> str | None:
    """The last line of its standard error, without the key, which may be in it."""
    text = said.decode(errors="replace")
    for word in printed.decode(errors="replace").split():
        text = text.replace(word, "[key]") if len(word) >= _SHORTEST_KEY else text
    lines = text.strip().splitlines()
    return lines[-1][:_SHOWN] if lines else None


def _key(program: str, printed: bytearray) -> str:
    hint = "it has to print the key"
    try:
        key = clean_key(f"key_command {program}", printed.decode())
    except (UnicodeDecodeError, ConfigError):
        key, hint = None, f"{hint} and nothing else, on one line"
    if key is None:
        raise ConfigError(f"key_command {program} printed no key", hint=hint)
    return key
