"""What this terminal can do for a chat, as checks of the doctor; none of them can stop one."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from rich.cells import cell_len

from llmchat.doctor import Check, Finding, Subject, good, warning
from llmchat.terminal.device.clipboard import find_program
from llmchat.terminal.device.queries import SAMPLES, TerminalReplies
from llmchat.terminal.device.streams import Streams

_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
"""The first of these that is set decides: POSIX, "Environment Variables", 8.2."""
NARROW, LOW = 40, 10
"""Columns and rows below which there is something to say."""


def terminal_checks(streams: Streams, replies: TerminalReplies | None) -> tuple[Check, ...]:
    """The checks of this terminal; `replies` are its own, None where it was not asked."""

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
        return good("the output is no terminal: plain text, without colours")
    columns, rows = streams.size(streams.stdout)
    if name in (None, "", "dumb"):
        return warning(f"{columns} x {rows}, TERM={name or ''}: plain text", "set TERM to what it is")
    shown = f"{columns} x {rows}, TERM={name}, {_colours(environ)}"
    if columns < NARROW or rows < LOW:
        return warning(shown, "make the window larger: Markdown needs some room")
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
        facts.append("it does not say how wide characters are")
    else:
        facts.append("synchronized output" if replies.synchronizes else "no synchronized output")
    locale = next((value for each in _LOCALE if (value := streams.environ.get(each))), "C")
    utf8 = "utf8" in locale.lower().replace("-", "") or os.name != "posix"
    shown = ", ".join([*facts, f"locale {locale}"])
    if wrong:
        return warning(
            shown, f"lines with {' or '.join(wrong)} in them may look ragged here; another terminal may not"
        )
    if not utf8:
        return warning(shown, "llmchat writes UTF-8 all the same; LANG=C.UTF-8 tells other programs, too")
    return good(shown)


def _clipboard(streams: Streams) -> Finding | None:
    if program := find_program(streams.environ):
        return good(f"/copy uses {program[0]}")
    if not streams.is_terminal(streams.stdout):
        return None
    if streams.environ.get("SSH_CONNECTION"):
        return good("/copy asks the terminal (OSC 52), as the clipboard is at the other end of SSH")
    return warning(
        "/copy asks the terminal (OSC 52), which not every one obeys",
        "install wl-clipboard, xclip or xsel to be sure",
    )
