"""How checks run: in which order they are told, what they need, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from llmchat.config.folders import Folders
from llmchat.config.resolve import resolve
from llmchat.doctor import Check, Finding, Subject, Verdict, examine, good, warning
from llmchat.errors import ConfigError, ExitCode, UnavailableError

Look = Callable[[Subject], Awaitable[Finding | None]]


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    folders = Folders.find({"LLMCHAT_HOME": str(tmp_path)})
    return Subject(resolve({}, environ={}, directory=tmp_path), folders)


def giving(finding: Finding | None) -> Look:
    async def look(_: Subject) -> Finding | None:
        return finding

    return look


def raising(error: Exception) -> Look:
    async def look(_: Subject) -> Finding | None:
        raise error

    return look


async def findings(subject: Subject, *checks: Check) -> dict[str, Finding]:
    return {name: finding async for name, finding in examine(checks, subject)}


async def test_they_run_side_by_side_and_are_told_in_their_order(subject: Subject) -> None:
    second_ran = asyncio.Event()

    async def first(_: Subject) -> Finding:
        await second_ran.wait()
        return good("first")

    async def second(_: Subject) -> Finding:
        second_ran.set()
        return good("second")

    found = await findings(subject, Check("a", first), Check("b", second))
    assert [each.detail for each in found.values()] == ["first", "second"]


async def test_each_is_told_before_the_next_one_is_known(subject: Subject) -> None:
    async def never(_: Subject) -> Finding | None:
        await asyncio.Event().wait()
        return None

    checks = (Check("a", giving(good("there"))), Check("b", never))
    async with aclosing(examine(checks, subject)) as found:
        assert await anext(found) == ("a", good("there"))


async def test_closed_it_leaves_none_behind(subject: Subject) -> None:
    ended = asyncio.Event()

    async def never(_: Subject) -> Finding | None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return None

    async with aclosing(
        examine(
            (
                Check(
                    "a",
                    giving(good("")),
                ),
                Check("b", never),
            ),
            subject,
        )
    ) as found:
        await anext(found)
    assert ended.is_set()


async def test_there_is_no_line_where_there_is_nothing_to_look_at(subject: Subject) -> None:
    assert await findings(subject, Check("a", giving(None)), Check("b", giving(None), needs=("a",))) == {}


async def test_what_failed_says_what_a_chat_would_and_what_needs_it_is_left_out(subject: Subject) -> None:
    error = ConfigError("no such thing", hint="name another")
    needy = Check("b", giving(good("never")), needs=("a",))
    found = await findings(
        subject, Check("a", raising(error)), needy, Check("c", giving(good("never")), needs=("b",))
    )
    first = found["a"]
    assert (first.verdict, first.detail, first.hint) == (Verdict.FAIL, "no such thing", "name another")
    assert first.code is ExitCode.CONFIG
    assert "ConfigError" in str(first.trace)
    for name in ("b", "c"):
        assert (found[name].verdict, found[name].detail) == (Verdict.SKIP, "skipped because of a")
        assert (found[name].ok, found[name].code) == (None, ExitCode.OK)


async def test_a_warning_keeps_nothing_from_being_looked_at(subject: Subject) -> None:
    found = await findings(
        subject, Check("a", giving(warning("hm"))), Check("b", giving(good("on")), needs=("a",))
    )
    assert (found["a"].ok, found["b"].ok) == (None, True)


async def test_a_bug_in_one_is_its_failure_and_not_the_end_of_the_others(subject: Subject) -> None:
    found = await findings(subject, Check("a", raising(KeyError("x"))), Check("b", giving(good("on"))))
    assert (found["a"].ok, found["a"].code) == (False, ExitCode.BUG)
    assert "KeyError" in found["a"].detail
    assert "Traceback" in str(found["a"].trace)
    assert found["b"].ok


@pytest.mark.parametrize("error", [KeyError("x"), UnavailableError("none")])
async def test_one_that_stops_no_chat_can_only_warn(subject: Subject, error: Exception) -> None:
    found = await findings(subject, Check("a", raising(error), stops=False))
    assert (found["a"].verdict, found["a"].code) == (Verdict.WARN, ExitCode.OK)


async def test_one_that_takes_too_long_fails(subject: Subject) -> None:
    async def never(_: Subject) -> Finding | None:
        await asyncio.Event().wait()
        return None

    found = await findings(subject, Check("a", never, within=0.01))
    assert (found["a"].ok, found["a"].code) == (False, ExitCode.TRY_LATER)
