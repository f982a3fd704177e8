"""Lets `make coverage` measure the processes that tests start, though their environment is the tests' own."""

from __future__ import annotations

import contextlib
import os
import subprocess

_VARIABLE = "COVERAGE_PROCESS_CONFIG"

MEASURED = {_VARIABLE: os.environ.get(_VARIABLE, "")}
"""What tells a process to be measured, if there is any measuring."""


def let_end(process: subprocess.Popen[bytes], *, within: float = 5.0) -> None:
    """Where it is measured, a process that is to be killed gets the time to write down what it ran."""
    if MEASURED[_VARIABLE] and process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(within)


UNMEASURED = {_VARIABLE: ""}
"""For a test of what the process imports: coverage imports sqlite3 and others itself."""
