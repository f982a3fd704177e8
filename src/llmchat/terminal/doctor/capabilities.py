"""Doctor checks of the terminal: size, colours, character widths, clipboard. They only warn."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from rich.cells import cell_len

from llmchat.doctor import Check, Finding, Subject, good, warning
from llmchat.terminal.device.clipboard import find_program
from llmchat.terminal.device.queries import SAMPLES, TerminalReplies
from llmchat.terminal.device.streams import Streams

_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
"""The first of these that is set counts: POSIX, "Environment Variables", 8.2."""
NARROW, LOW = 40, 10
"""Columns and rows below which to warn."""


def terminal_checks(streams: Streams, replies: TerminalReplies | None) -> tuple[Check, ...]:
    """The checks of this terminal; `replies` are its replies to queries, None if it was not asked."""

    def check(name: str, look: Callable[[], Finding | None]) -> Check:
        async def found(_: Subject) -> Finding | None:
            return look()

        return Check(name, found, stops=False)

    return (
        check("terminal", lambda: _terminal(streams)),
        check("characters", lambda: _characters(streams, replies)),
        check("clipboard", lambda: _clipboard(streams)),
    )


def _terminal(streams: Streams) -> Finding:
    environ = streams.environ
    name = environ.get("TERM")
    if not streams.is_terminal(streams.stdout):
        return good("stdout is not a terminal: plain text without colours")
    columns, rows = streams.size(streams.stdout)
    if name in (None, "", "dumb"):
        return warning(
            f"{columns} x {rows}, TERM={name or ''}: plain text", "set TERM to the type of your terminal"
        )
    shown = f"{columns} x {rows}, TERM={name}, {_colours(environ)}"
    if columns < NARROW or rows < LOW:
        return warning(shown, "make the window larger: Markdown needs more room")
    return good(shown)


def _colours(environ: Mapping[str, str]) -> str:
    if environ.get("NO_COLOR"):
        return "no colours (NO_COLOR)"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return "16 million colours"
    return "256 colours" if "256color" in environ.get("TERM", "") else "16 colours"


def _characters(streams: Streams, replies: TerminalReplies | None) -> Finding | None:
    if not streams.is_terminal(streams.stdout):
        return None
    facts, wrong = [], []
    for name, sample in SAMPLES.items():
        if replies is not None and (cells := replies.cells.get(name)) is not None:
            facts.append(f"{name} takes {cells} cells")
            if cells != cell_len(sample):
                wrong.append(name)
    if replies is None or not facts:
        facts.append("the terminal does not report character widths")
    else:
        facts.append("synchronized output" if replies.synchronizes else "no synchronized output")
    locale = next((value for each in _LOCALE if (value := streams.environ.get(each))), "C")
    utf8 = "utf8" in locale.lower().replace("-", "") or os.name != "posix"
    shown = ", ".join([*facts, f"locale {locale}"])
    if wrong:
        return warning(shown, f"lines with {' or '.join(wrong)} may be misaligned in this terminal")
    if not utf8:
        return warning(shown, "llmchat writes UTF-8 anyway; LANG=C.UTF-8 makes other programs do so, too")
    return good(shown)


def _clipboard(streams: Streams) -> Finding | None:
    if program := find_program(streams.environ):
        return good(f"/copy uses {program[0]}")
    if not streams.is_terminal(streams.stdout):
        return None
    if streams.environ.get("SSH_CONNECTION"):
        return good("/copy uses the terminal (OSC 52), because this is an SSH session")
    return warning(
        "/copy uses the terminal (OSC 52), which not all terminals support",
        "install wl-clipboard, xclip or xsel",
    )
