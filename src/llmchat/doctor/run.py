"""Runs checks concurrently and yields their findings in order; knows no particular check."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from llmchat.doctor.finding import Finding, Verdict, failure, skipped
from llmchat.doctor.subject import Subject
from llmchat.errors import ExitCode, LLMChatError, TryLaterError

LOCAL_S = 15.0
"""Time limit in seconds of a check without network."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check. `look` returns None if there is nothing to check, and raises what a chat would raise.

    It waits for the checks that it `needs`, and is skipped if one of them failed. Without `stops` it can
    only warn. `within` is its time limit in seconds.
    """

    name: str
    look: Callable[[Subject], Awaitable[Finding | None]]
    needs: tuple[str, ...] = ()
    stops: bool = True
    within: float = LOCAL_S


Found = tuple[str, Finding]


async def examine(checks: Sequence[Check], subject: Subject) -> AsyncGenerator[Found, None]:
    """The findings in order, each as soon as possible. Cancels all checks when it is closed."""
    running: dict[str, asyncio.Task[Finding | None]] = {}
    try:
        for check in checks:
            needed = {name: running[name] for name in check.needs}
            running[check.name] = asyncio.create_task(_look(check, subject, needed))
        for name, task in running.items():
            if (finding := await task) is not None:
                yield name, finding
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        await subject.aclose()


async def _look(
    check: Check, subject: Subject, needed: Mapping[str, asyncio.Task[Finding | None]]
) -> Finding | None:
    for name, task in needed.items():
        before = await asyncio.shield(task)
        if before is not None and before.verdict is Verdict.SKIP:
            return before
        if before is not None and before.verdict is Verdict.FAIL:
            return skipped(f"skipped because of {name}")
    finding = await _guarded(check, subject)
    if finding is not None and finding.verdict is Verdict.FAIL and not check.stops:
        return replace(finding, verdict=Verdict.WARN, code=ExitCode.OK)
    return finding


async def _guarded(check: Check, subject: Subject) -> Finding | None:
    try:
        async with asyncio.timeout(check.within):
            return await check.look(subject)
    except LLMChatError as error:
        return failure(error, traceback.format_exc())
    except TimeoutError:
        return failure(TryLaterError(f"no result within {check.within:g} s", hint="try again"))
    except Exception as error:  # noqa: BLE001 - a bug in one check is not the end of the others
        words = f"a bug in llmchat: {type(error).__name__}: {error}"
        hint = "run it again with --debug to see where"
        return Finding(Verdict.FAIL, words, hint, ExitCode.BUG, traceback.format_exc())
