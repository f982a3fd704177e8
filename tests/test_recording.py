"""The picture in the README shows what the program shows."""

from __future__ import annotations

import re
import runpy

from generated import ROOT

RECORD = ROOT / "docs" / "record.py"
VARIES = {
    r' (x|width|textLength)="[\d.]+"': "",  # follow from the texts below
    r">http://127\.0\.0\.1:\d+<": ">SERVER<",
    r">[a-z0-9]{10}<": ">CONVERSATION<",
    r">\d+/s<": ">SPEED<",
    r">\d+\.\d<": ">SECONDS<",
}


def constant(picture: str) -> list[str]:
    """The lines of a picture without what differs from one recording to the next."""
    for varies, name in VARIES.items():
        picture = re.sub(varies, name, picture)
    return picture.splitlines()


def test_the_picture_of_a_chat_is_what_a_chat_looks_like_now() -> None:
    record = runpy.run_path(str(RECORD))
    now = record["draw"](record["written"](pause=0))
    assert constant((ROOT / "docs" / "chat.svg").read_text("utf-8")) == constant(now), "run: make recording"
