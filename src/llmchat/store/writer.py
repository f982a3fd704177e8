"""Finds out whether the process that was writing a message is still running.

A wrong result does no harm: an answer wrongly marked as interrupted is corrected by its writer's next write,
and an unfinished one is shown as interrupted anyway.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class WriterProcess:
    """A process: its number, and its start time, as numbers are reused; "" is unknown."""

    pid: int
    started: str


def process(pid: int) -> WriterProcess:
    return WriterProcess(pid, _started(pid))


def is_alive(writer: WriterProcess) -> bool:
    if writer.started:
        return _started(writer.pid) == writer.started
    if os.name != "posix":  # on Windows os.kill would end the process
        return writer.pid == os.getpid()
    try:
        os.kill(writer.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _started(pid: int) -> str:
    """Boot id and clock tick of a process's start on Linux; "" elsewhere, and if it has ended.

    Source: proc_pid_stat(5). The second field is a name in parentheses, with any characters; the state is
    field 3, the start field 22. A zombie has ended.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else f"{boot}:{int(fields[19])}"
