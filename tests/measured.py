"""Lets `make coverage` measure the processes that tests start, though their environment is the tests' own."""

from __future__ import annotations

import os

_VARIABLE = "COVERAGE_PROCESS_CONFIG"

MEASURED = {_VARIABLE: os.environ.get(_VARIABLE, "")}
"""What tells a process to be measured, if there is any measuring."""

UNMEASURED = {_VARIABLE: ""}
"""For a test of what the process imports: coverage imports sqlite3 and others itself."""
