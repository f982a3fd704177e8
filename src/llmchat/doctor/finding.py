"""What a check found, and what that means for a chat; looks at nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llmchat.errors import ExitCode, LLMChatError


class Verdict(StrEnum):
    """How it is."""

    OK = "ok"
    WARN = "warn"  # a chat works, but not everything about it
    FAIL = "FAIL"  # a chat would not work
    SKIP = "skip"  # not looked at


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about one thing, and what to do about it. Foreign text, but never a part of a key.

    `code` is what a chat would end with where it fails, or might where nobody can tell; `trace` is where an
    error came from.
    """

    verdict: Verdict
    detail: str
    hint: str | None = None
    code: ExitCode = ExitCode.OK
    trace: str | None = None

    @property
    def ok(self) -> bool | None:
        """Whether it is as it has to be; None where it may be, or where nobody looked."""
        return {Verdict.OK: True, Verdict.FAIL: False}.get(self.verdict)


def good(detail: str) -> Finding:
    return Finding(Verdict.OK, detail)


def warning(detail: str, hint: str | None = None) -> Finding:
    return Finding(Verdict.WARN, detail, hint)


def skipped(detail: str) -> Finding:
    return Finding(Verdict.SKIP, detail)


def failure(error: LLMChatError, trace: str | None = None) -> Finding:
    """What a chat would end with."""
    return Finding(Verdict.FAIL, error.message, error.hint, error.exit_code, trace)
