"""`llmchat doctor`: prints a line for each check when it is done, or one JSON object."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from llmchat.config.folders import Folders
from llmchat.config.keys import known_secrets
from llmchat.config.resolve import Config
from llmchat.core.generation import Event, Progress
from llmchat.doctor import CHECKS, Check, Finding, Found, Subject, Verdict, examine
from llmchat.errors import ExitCode, LLMChatError
from llmchat.sanitize import sanitize, sanitize_line
from llmchat.scrub import scrub
from llmchat.terminal.device.interrupts import Interrupts
from llmchat.terminal.device.queries import can_query, discard_late_replies, query_terminal
from llmchat.terminal.device.streams import Streams
from llmchat.terminal.device.tty import without_echo
from llmchat.terminal.doctor.capabilities import terminal_checks
from llmchat.terminal.reply.screen import Screen
from llmchat.terminal.reply.status import StatusLine
from llmchat.terminal.run import Run, configure, find_screen

_MARKS: Mapping[Verdict, tuple[str, str]] = {  # with its colour, by the numbers of SGR
    Verdict.OK: ("✓ ok", "32"),
    Verdict.WARN: ("! warn", "33"),
    Verdict.FAIL: ("✗ FAIL", "1;31"),
    Verdict.SKIP: ("- skip", "2"),
}
_LOOKING = Progress("looking")
_MARK, _NAME = 8, 15  # columns
_LEAST = 30  # columns that text is wrapped to


def doctor(run: Run, streams: Streams, *, asks: bool) -> ExitCode:
    """Runs `llmchat doctor`. Returns 0 if a chat would work, else the exit code it would have."""
    configured: Config | LLMChatError
    try:  # some checks work without it
        configured = configure(run, streams, restricts=False)
        screen = find_screen(configured, streams)
    except LLMChatError as error:
        configured, screen = error, Screen.find(streams, theme="auto")
    with without_echo(streams.stdout):
        replies = query_terminal(streams) if screen is not None and can_query(streams) else None
        checks = (*CHECKS, *terminal_checks(streams, replies))
        checkup = Checkup(run, streams, screen)
        try:
            return Interrupts(streams.stdout).run(checkup.run(checks, configured, asks=asks))
        finally:
            if replies is not None and not replies.complete:
                discard_late_replies(streams)


class Checkup:
    """One run of the checks, each shown when it is done."""

    def __init__(self, run: Run, streams: Streams, screen: Screen | None) -> None:
        self._run = run
        self._streams = streams
        self._screen = screen
        self._known = known_secrets(streams.environ, Path())
        plain = screen is None and streams.is_terminal(streams.stdout)
        self._status = StatusLine(streams, quiet=plain or run.flags.get("quiet") is True)

    async def run(
        self, checks: Sequence[Check], configured: Config | LLMChatError, *, asks: bool
    ) -> ExitCode:
        """Runs the checks. Returns the exit code that a chat would have."""
        folders = Folders.find(self._streams.environ)
        subject = Subject(configured, folders, keeps=not self._run.no_save, asks=asks, tell=self._progress)
        found: list[Found] = []
        try:
            async with aclosing(examine(checks, subject)) as findings:
                self._progress(_LOOKING)
                async for name, finding in findings:
                    self._status.clear()
                    shown = self._scrubbed(finding, configured)
                    found.append((name, shown))
                    self._show(name, shown)
                    self._progress(_LOOKING)
        finally:
            self._status.clear()
        decisive = _decisive(found)
        code = decisive[1].code if decisive else ExitCode.OK
        self._streams.write(_json(found, code) if self._run.json else f"\n{_summary(decisive)}\n")
        return code

    def _progress(self, event: Event) -> None:
        if isinstance(event, Progress):
            self._status.progress(event)

    def _scrubbed(self, finding: Finding, configured: Config | LLMChatError) -> Finding:
        """The finding without keys, which a model's reply or a traceback may contain."""
        secrets = self._known
        if not isinstance(configured, LLMChatError):
            secrets = [*secrets, str(configured.values["api_key"].value or ""), *configured.commands.printed]
        return replace(
            finding,
            detail=scrub(finding.detail, secrets),
            hint=scrub(finding.hint, secrets) if finding.hint else None,
            trace=scrub(finding.trace, secrets) if finding.trace else None,
        )

    def _show(self, name: str, finding: Finding) -> None:
        if self._run.debug and finding.trace:
            self._streams.say(sanitize(finding.trace))
        if not self._run.json:
            self._streams.write(_lines(name, finding, self._streams, self._screen))


def _lines(name: str, finding: Finding, streams: Streams, screen: Screen | None) -> str:
    """The line of a check and of its hint, wrapped and coloured for a terminal."""
    mark, colour = _MARKS[finding.verdict]
    shown = f"{mark:<{_MARK}}"
    if screen is not None and screen.theme != "mono":
        shown = f"\x1b[{colour}m{mark}\x1b[0m{' ' * (_MARK - len(mark))}"
    texts = [sanitize_line(finding.detail)]
    if finding.hint:
        texts.append(f"hint: {sanitize_line(finding.hint)}")
    room = streams.size(streams.stdout)[0] - _MARK - _NAME if screen is not None else 0
    if room >= _LEAST:
        wrapper = textwrap.TextWrapper(
            room, break_long_words=False, break_on_hyphens=False
        )  # paths stay whole
        texts = [line for text in texts for line in wrapper.wrap(text)]
    shown_text = f"\n{' ' * (_MARK + _NAME)}".join(texts)
    return f"{shown}{name:<{_NAME}}{shown_text}\n"


def _decisive(found: Sequence[Found]) -> Found | None:
    """The first finding that fails, else the first that leaves open whether a chat works."""
    telling = [each for each in found if each[1].code is not ExitCode.OK]
    return next((each for each in telling if each[1].verdict is Verdict.FAIL), next(iter(telling), None))


def _summary(decisive: Found | None) -> str:
    if decisive is None:
        return "A chat would work."
    name, finding = decisive
    fails = finding.verdict is Verdict.FAIL
    said = "A chat would not work" if fails else "It is not known whether a chat would work"
    return f"{said}, because of {name}: exit code {finding.code.value}."


def _json(found: list[Found], code: ExitCode) -> str:
    checks = [{"name": name, "ok": each.ok, "detail": each.detail, "hint": each.hint} for name, each in found]
    return json.dumps({"ok": code is ExitCode.OK, "exit_code": int(code), "checks": checks}, indent=2) + "\n"
