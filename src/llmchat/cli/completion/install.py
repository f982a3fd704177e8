"""Installs a completion script where the shell finds it, if necessary by a line in its start file."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llmchat.errors import CreateError, UsageError
from llmchat.sanitize import sanitize_line

_BASH_COMPLETION = (
    "/usr/share/bash-completion/bash_completion",
    "/usr/local/share/bash-completion/bash_completion",
    "/opt/homebrew/share/bash-completion/bash_completion",
    "/etc/profile.d/bash_completion.sh",
)
"""The script of the package `bash-completion`, which loads completion scripts from its folder."""

_MARK = "# llmchat completion"


@dataclass(frozen=True, slots=True)
class InstallPlan:
    """The path of the script, and the line in a start file that loads it, if one is needed."""

    script: Path
    start: Path | None = None
    line: str = ""


def current_shell(environ: Mapping[str, str]) -> str:
    """The shell that runs llmchat, else the login shell. Raises UsageError if there is neither."""
    import shellingham

    try:
        name: str = shellingham.detect_shell()[0]
    except (shellingham.ShellDetectionFailure, NotImplementedError):
        name = Path(environ.get("SHELL", "")).name
    if not name:
        raise UsageError(
            "cannot tell which shell this is", hint="name it, for example: llmchat completion bash"
        )
    return "powershell" if name == "pwsh" else name


def install_script(shell: str, script: str, environ: Mapping[str, str]) -> str:
    """Installs or updates the script; returns what was written and how to undo it. Raises CreateError."""
    plan = _PLANS[shell](environ)
    said = [f"wrote {plan.script}"]
    try:
        plan.script.parent.mkdir(parents=True, exist_ok=True)
        plan.script.write_text(script, "utf-8")
        if plan.start is not None:
            added = _add_line(plan.start, plan.line)
            said.append(f"{'added a line to' if added else 'the line is already in'} {plan.start}")
    except OSError as error:
        hint = f"write it to another file: llmchat completion {shell} > FILE"
        raise CreateError(f"cannot write {error.filename}: {error.strerror}", hint=hint) from error
    undo = f"rm {shlex.quote(str(plan.script))}"
    if plan.start is not None:
        undo += f", and remove the line that ends in `{_MARK}` from {plan.start}"
    said += [f"Completion works in every new {shell}. To undo it: {undo}"]
    return "".join(f"{sanitize_line(line)}\n" for line in said)


def _add_line(path: Path, line: str) -> bool:
    """Appends a line to a file; False if it is there already."""
    text, added = path.read_bytes() if path.exists() else b"", os.fsencode(line)
    if added in text.splitlines():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write((b"\n" if text and not text.endswith(b"\n") else b"") + added + b"\n")
    return True


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _folder(environ: Mapping[str, str], variable: str, default: str) -> Path:
    """A folder of the XDG base directories; relative values are ignored, as their specification says."""
    given = environ.get(variable, "")
    return Path(given) if given.startswith("/") else _home(environ) / default


def _bash(environ: Mapping[str, str]) -> InstallPlan:
    data = _folder(environ, "XDG_DATA_HOME", ".local/share")
    folder = environ.get("BASH_COMPLETION_USER_DIR", "").partition(":")[0] or data / "bash-completion"
    script = Path(folder) / "completions" / "llmchat"
    if any(map(os.path.exists, _BASH_COMPLETION)):
        return InstallPlan(script)
    return InstallPlan(script, _home(environ) / ".bashrc", f". {shlex.quote(str(script))} {_MARK}")


def _zsh(environ: Mapping[str, str]) -> InstallPlan:
    script = _folder(environ, "XDG_DATA_HOME", ".local/share") / "zsh" / "site-functions" / "_llmchat"
    start = Path(environ.get("ZDOTDIR") or _home(environ)) / ".zshrc"
    return InstallPlan(script, start, f". {shlex.quote(str(script))} {_MARK}")


def _fish(environ: Mapping[str, str]) -> InstallPlan:
    config = _folder(environ, "XDG_CONFIG_HOME", ".config")
    return InstallPlan(config / "fish" / "completions" / "llmchat.fish")


def _powershell(environ: Mapping[str, str]) -> InstallPlan:
    """The plan for PowerShell, which is asked for the path of its profile."""
    found = (shutil.which(name, path=environ.get("PATH")) for name in ("pwsh", "powershell"))
    program = next((each for each in found if each), None)
    hint = "add this to your profile: llmchat completion powershell | Out-String | Invoke-Expression"
    if program is None:
        raise UsageError("PowerShell is not in the PATH", hint=hint)
    asked = [program, "-NoProfile", "-NonInteractive", "-Command", "$PROFILE.CurrentUserAllHosts"]
    try:
        ran = subprocess.run(asked, capture_output=True, encoding="utf-8", timeout=30, check=True)  # noqa: S603 - the person's own
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise UsageError("PowerShell does not report the path of its profile", hint=hint) from error
    profile = Path(ran.stdout.strip())
    if not profile.is_absolute():
        raise UsageError("PowerShell does not report the path of its profile", hint=hint)
    script = profile.parent / "llmchat.ps1"
    quoted = str(script).replace("'", "''")
    return InstallPlan(script, profile, f". '{quoted}' {_MARK}")


_PLANS = {"bash": _bash, "zsh": _zsh, "fish": _fish, "powershell": _powershell}
