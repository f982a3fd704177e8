"""Run as a process of its own by a test: llmchat with these arguments, and the calls of its functions.

The first argument is the file for the counts: JSON, for each function its calls and whether it is an
asynchronous generator, which is "called" each time it goes on.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections import Counter
from pathlib import Path
from types import CodeType, FrameType

import llmchat
from llmchat.cli.boundary import main

SOURCE = str(Path(llmchat.__file__).parent)


def counted(path: Path) -> None:
    calls: Counter[CodeType] = Counter()

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            calls[frame.f_code] += 1

    sys.setprofile(profile)
    try:
        main()
    finally:
        sys.setprofile(None)
        ours = {code: count for code, count in calls.items() if code.co_filename.startswith(SOURCE)}
        found = [
            (f"{code.co_filename.removeprefix(SOURCE)}:{code.co_qualname}", count, _is_generator(code))
            for code, count in ours.items()
        ]
        path.write_text(json.dumps(found))


def _is_generator(code: CodeType) -> bool:
    return bool(code.co_flags & inspect.CO_ASYNC_GENERATOR)


if __name__ == "__main__":
    target = Path(sys.argv.pop(1))
    counted(target)
