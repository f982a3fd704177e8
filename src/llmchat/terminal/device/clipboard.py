"""Copies text to the clipboard: by a system program, else by the terminal (OSC 52). Never reads it."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from llmchat.scrub import without_secrets
from llmchat.terminal.device.streams import Streams

_TIMEOUT_S = 2.0


def copy(text: str, streams: Streams) -> str:
    """Copies the text; returns what was used. OSC 52 asks the terminal to copy, which not all support.

    In an SSH session the system's clipboard is the wrong one, the terminal's is the person's own.
    Source: xterm's ctlseqs, "Operating System Commands", 52.
    """
    program = find_program(streams.environ)
    if program is not None and _run(program, text, streams.environ):
        return program[0]
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    streams.write(f"\x1b]52;c;{encoded}\x07")
    return "the terminal"


def find_program(environ: Mapping[str, str]) -> Sequence[str] | None:
    """The system's clipboard program with its arguments, if there is one that works here."""
    if environ.get("SSH_CONNECTION"):
        return None
    known = [["pbcopy"], ["clip.exe"]]
    if environ.get("WAYLAND_DISPLAY"):
        known.insert(0, ["wl-copy"])
    if environ.get("DISPLAY"):
        known += [["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]]
    return next((each for each in known if shutil.which(each[0], path=environ.get("PATH"))), None)


def _run(program: Sequence[str], text: str, environ: Mapping[str, str]) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - one of ours, found on PATH
            program,
            env=without_secrets(environ),
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
