"""Finds what somebody may have meant. Knows no names itself."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, if any is."""
    import difflib

    return next(iter(difflib.get_close_matches(name, list(known), n=1)), None)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question behind "there is no such thing", empty where nothing is near."""
    near = nearest(name, known)
    return f"; did you mean {near} ?" if near else ""
