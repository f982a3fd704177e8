"""The result of a check, and what it means for a chat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from llmchat.errors import ExitCode, LLMChatError


class Verdict(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARN = "warn"  # a chat works, but not everything about it
    FAIL = "FAIL"  # a chat would not work
    SKIP = "skip"  # not checked


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check and a hint. Foreign text, but never part of a key.

    `code` is the exit code of a chat if the check fails, or the likely one if that is unknown; `trace` is
    the traceback of an error.
    """

    verdict: Verdict
    detail: str
    hint: str | None = None
    code: ExitCode = ExitCode.OK
    trace: str | None = None

    @property
    def ok(self) -> bool | None:
        """True if a chat would work, False if not, None if unknown or not checked."""
        return {Verdict.OK: True, Verdict.FAIL: False}.get(self.verdict)


good = partial(Finding, Verdict.OK)
warning = partial(Finding, Verdict.WARN)
skipped = partial(Finding, Verdict.SKIP)


def failure(error: LLMChatError, trace: str | None = None) -> Finding:
    """A failed check with the exit code that a chat would have."""
    return Finding(Verdict.FAIL, error.message, error.hint, error.exit_code, trace)
