"""Checks the clock: certificates, retries and the times of conversations depend on it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from llmchat.app.target import endpoint
from llmchat.doctor.finding import Finding, good, warning
from llmchat.doctor.subject import Subject
from llmchat.errors import LLMChatError

PLAUSIBLE = range(2025, 2100)
"""Years."""
MOST_OFF_S = 60.0
_PATIENCE_S = 5.0
_HINT = "set the clock of this machine: certificates depend on it"


async def check_clock(subject: Subject) -> Finding:
    """Compares the clock with the server's, if there is a server that sends the time."""
    now = datetime.fromtimestamp(subject.now(), UTC)
    if now.year not in PLAUSIBLE:
        return warning(f"it shows {now:%Y-%m-%d %H:%M} UTC, which is impossible", _HINT)
    theirs = await _server_time(subject) if subject.target.url is not None else None
    if theirs is None:
        return good(f"{now:%Y-%m-%d %H:%M} UTC; no server to compare it with")
    off = (datetime.fromtimestamp(subject.now(), UTC) - theirs).total_seconds()
    if abs(off) > MOST_OFF_S:
        way = "ahead of" if off > 0 else "behind"
        return warning(f"{_duration(abs(off))} {way} the server's", _HINT)
    return good("agrees with the server's")


async def _server_time(subject: Subject) -> datetime | None:
    """The Date header of the server (RFC 9110, 6.6.1), requested once and without the key."""
    from llmchat.backends.http.client import HttpClient

    try:
        asked = endpoint(subject.target, subject.config)
    except LLMChatError:  # another check reports that
        return None
    client = HttpClient(replace(asked, key=None, read_key=None))
    try:
        async with asyncio.timeout(_PATIENCE_S):
            answer = await client.once("HEAD", asked.url)
        told = parsedate_to_datetime(answer.date or "")
    except (LLMChatError, TimeoutError, ValueError):  # a ValueError for an invalid date
        return None
    finally:
        await client.aclose()
    return told.replace(tzinfo=told.tzinfo or UTC)


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} seconds"
