"""Work as no clock can disturb it: the functions that are called."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType


def calls(work: Iterable[object]) -> int:
    """How many functions are called while this is worked through."""
    count = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        for _ in work:
            pass
    finally:
        sys.setprofile(before)
    return count
