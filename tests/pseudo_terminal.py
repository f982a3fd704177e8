"""A real pseudo-terminal with the program in it, read through a terminal emulator (pyte)."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

from measured import MEASURED, let_end

ENTER, ESCAPE, TAB, CTRL_C, CTRL_D = "\r", "\x1b", "\t", "\x03", "\x04"

_SHELL = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = os.fork()
if not child:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
"""
"""Runs a command as a shell with job control does: a job in the foreground, which may be stopped."""


class _Screen(pyte.HistoryScreen):
    """Answers what programs ask a terminal, for instance where its cursor is."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, rows, history=100_000, ratio=0.5)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data.encode())


class PseudoTerminal:
    """`with PseudoTerminal([...], environ) as terminal:` runs a command; leaving kills it."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
        job: bool = False,
    ) -> None:
        """As a `job` the command has a parent in its session, as in a shell: only then Ctrl-Z stops it."""
        self._master, slave = pty.openpty()
        self.slave = slave  # kept open: it shows the settings of the line
        self.resize(columns, rows, tell=False)
        self._screen = _Screen(columns, rows, self._write)
        self._stream = pyte.ByteStream(self._screen)
        self.written = b""
        self.found = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SHELL, *command] if job else command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**MEASURED, "TERM": "xterm-256color", **environ},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            print(f"\n--- the screen was ---\n{self.text}\n--- exit code {self.process.poll()} ---")
        let_end(self.process)
        if job := self._job():
            os.killpg(job, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self.slave)

    def _job(self) -> int | None:
        """What a shell that still runs has put into the foreground."""
        running = self.process.poll() is None
        return job if running and (job := self.foreground) not in (0, self.process.pid) else None

    @property
    def foreground(self) -> int:
        """The process that keys like Ctrl-C reach, and those that it started."""
        return os.tcgetpgrp(self._master)

    def is_stopped(self) -> bool:
        """Whether what is in the foreground has been stopped."""
        status = Path(f"/proc/{self.foreground}/stat").read_text()
        return status.rpartition(")")[2].split()[0] == "T"

    def resize(self, columns: int, rows: int, *, tell: bool = True) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self._screen.resize(rows, columns)
            os.killpg(self.process.pid, signal.SIGWINCH)

    def type(self, text: str) -> None:
        self._write(text.encode())

    def _write(self, data: bytes) -> None:
        os.write(self._master, data)

    @property
    def screen(self) -> str:
        """What is in the window now, without trailing space."""
        return "\n".join(line.rstrip() for line in self._screen.display).rstrip()

    @property
    def column(self) -> int:
        """Where the cursor is, from 0."""
        return int(self._screen.cursor.x)

    @property
    def text(self) -> str:
        """The scrollback and the window."""
        above = [
            "".join(line[x].data for x in range(self._screen.columns)).rstrip()
            for line in self._screen.history.top
        ]
        return "\n".join([*above, self.screen])

    def wait_for(self, expected: str, *, within: float = 20, scrollback: bool = True) -> None:
        """Reads until this text is there. Fails with the screen if it does not come."""
        self.wait_until(
            lambda: expected in (self.text if scrollback else self.screen), expected, within=within
        )

    def wait_until(self, condition: Callable[[], bool], what: str, *, within: float = 20) -> None:
        """Reads until this holds. Fails with the screen if it does not."""
        deadline = time.monotonic() + within
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"no {what!r} within {within} s on this screen:\n{self.text}"
            self.read(min(left, 0.05))

    def read(self, patience: float) -> None:
        """Takes what the program has written, waiting at most so many seconds for it."""
        if select.select([self._master], [], [], patience)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # the program has closed its end
                data = b""
            self.written += data
            self._stream.feed(data)

    def wait_exit(self, *, within: float = 20) -> int:
        """Reads until the program has ended; its exit code."""
        self.wait_until(lambda: self.process.poll() is not None, "exit", within=within)
        self.read(0)
        return self.process.returncode

    def echoes(self) -> bool:
        """Whether the line is set to show what is typed."""
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def is_as_found(self) -> bool:
        """Whether the line has the settings that it had before the program."""
        return termios.tcgetattr(self.slave) == self.found

    @property
    def modes(self) -> set[str]:
        """What is left switched otherwise than a terminal has it: bracketed paste, a hidden cursor, ..."""
        switched = dict(re.findall(r"\x1b\[\?(\d+)([hl])", self.written.decode(errors="replace")))
        usual = {"7": "h", "25": "h"}  # wrapping, and the cursor
        return {f"{mode}{state}" for mode, state in switched.items() if state != usual.get(mode, "l")}

    def hang_up(self) -> None:
        """The window is closed, or the connection lost."""
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)

    def history_file(self, home: Path) -> str:
        """The prompt history that the program keeps below this LLMCHAT_HOME."""
        return (home / "state" / "prompts").read_text()
