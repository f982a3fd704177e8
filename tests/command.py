"""Runs the program as a process of its own, with an environment that holds only what a test sets."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import forks
from measured import MEASURED

_WITHIN_S = 30
_OF_PYTHON = re.compile("PYTHON|LC_|LANG")
_PYTHONPATH = os.pathsep.join(
    str(Path(each).absolute()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
)


@dataclass(frozen=True)
class Ran:
    """How it ended, and what it said."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The message of its error; fails unless the error has two lines at most, ours, and a code."""
        lines = self.err.splitlines()
        assert self.code != 0
        assert 1 <= len(lines) <= 2, self.err
        assert lines[0].startswith("llmchat: error: "), self.err
        assert all(line.startswith("llmchat: hint: ") for line in lines[1:]), self.err
        return lines[0].removeprefix("llmchat: error: ")


@dataclass(frozen=True)
class Llmchat:
    """The command as a person with this home and these variables runs it, in the folder `home`."""

    home: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def with_environ(self, **more: str) -> Llmchat:
        return Llmchat(self.home, {**self.environ, **more})

    def start(
        self,
        *arguments: str,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        redirection: str = "",
        before: str = "",
    ) -> subprocess.Popen[bytes]:
        """Starts it; whoever does ends it. `redirection`, and what is done `before`, are the shell's."""
        environ = self._variables()
        shell = (
            ["sh", "-c", f'{before or ":"}; exec "$@" {redirection}', "sh"] if redirection or before else []
        )
        return subprocess.Popen(
            [*shell, sys.executable, "-m", "llmchat", *arguments],
            cwd=self.home,
            env=environ,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def _variables(self) -> dict[str, str]:
        kept = {"PATH": os.environ["PATH"], "LLMCHAT_HOME": str(self.home / "kept")}
        environ = {**MEASURED, **kept, **self.environ}
        if paths := list(filter(None, [self.environ.get("PYTHONPATH"), _PYTHONPATH])):
            environ["PYTHONPATH"] = os.pathsep.join(paths)
        return environ

    def _needs_a_start(self) -> bool:
        """Whether a variable decides how Python itself starts, or the process is to be measured."""
        return any(MEASURED.values()) or any(_OF_PYTHON.match(name) for name in self.environ)

    def __call__(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        stdout: int = subprocess.PIPE,
        redirection: str = "",
    ) -> Ran:
        """Runs it to its end. Without `stdin` it reads the null device."""
        if stdout == subprocess.PIPE and not redirection and not self._needs_a_start():
            code, out, err = forks.run(arguments, self._variables(), self.home, stdin, within=_WITHIN_S)
            return Ran(code, out, err.decode())
        source = subprocess.DEVNULL if stdin is None else subprocess.PIPE
        with self.start(*arguments, stdin=source, stdout=stdout, redirection=redirection) as process:
            try:
                out, err = process.communicate(stdin, timeout=_WITHIN_S)
            finally:
                process.kill()
        return Ran(process.returncode, out or b"", err.decode())

    async def beside(self, *arguments: str, stdin: bytes | None = None) -> Ran:
        """The same while the test's own servers go on answering."""
        return await asyncio.to_thread(self, *arguments, stdin=stdin)

    def history(self) -> dict[str, object]:
        """The latest conversation."""
        return self("history", "show", "--json").json
