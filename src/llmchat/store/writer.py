"""Tells whether the process that was writing a message is still there; writes nothing.

A wrong guess does no harm: an answer taken for dead is put right by the next write of its living writer,
one taken for living is shown as interrupted all the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WriterProcess:
    """A process: its number, and when it started, since numbers are given out again; "" is unknown."""

    pid: int
    started: str


def process(pid: int) -> WriterProcess:
    return WriterProcess(pid, _started(pid))


def is_alive(writer: WriterProcess) -> bool:
    if writer.started:
        return _started(writer.pid) == writer.started
    if os.name != "posix":  # os.kill would end it there
        return writer.pid == os.getpid()
    try:
        os.kill(writer.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _started(pid: int) -> str:
    """Boot and clock tick of a process's start on Linux; "" elsewhere, and where it is gone.

    Source: proc_pid_stat(5). The second field is a name in parentheses which may hold any character; the
    state is field 3, the start field 22. A zombie writes no more.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else f"{boot}:{int(fields[19])}"
