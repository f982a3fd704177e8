"""Which format is written, and what all of them keep to."""

from __future__ import annotations

import pytest

from llmchat.errors import UsageError
from llmchat.transcripts.formats import Format, choose_format, export
from transcripts.exports import EVIL, make


def test_markdown_and_html_cannot_drive_a_terminal() -> None:
    for format_ in (Format.MD, Format.HTML):
        text = export([make(EVIL, EVIL, title=EVIL)], format_)
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_nothing_at_all_is_still_a_document() -> None:
    assert export([], Format.MD) == ""
    assert "</html>" in export([], Format.HTML)
    assert export([], Format.JSON) == '{\n  "llmchat": 1,\n  "conversations": []\n}\n'


@pytest.mark.parametrize(
    ("given", "file", "chosen"),
    [
        (None, None, Format.MD),
        (None, "talk.HTML", Format.HTML),
        (None, "a.b/talk.json", Format.JSON),
        (None, "talk.txt", Format.MD),
        ("json", "talk.html", Format.JSON),
        ("HTML", None, Format.HTML),
    ],
)
def test_the_format_is_the_one_that_is_named_else_that_of_the_file(
    given: str | None, file: str | None, chosen: Format
) -> None:
    assert choose_format(given, file) is chosen


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        choose_format("pdf", None)
    assert caught.value.hint == "it takes md, json, html"
