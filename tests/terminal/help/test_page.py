"""Pages as text, in wide windows and in narrow ones."""

from __future__ import annotations

import pytest

from llmchat.terminal.help.page import HelpHeading, HelpPage, HelpRows, HelpText, Lines, to_text
from llmchat.terminal.help.topics import TOPICS, page
from manual_page import FOLDERS

SMALL = HelpPage(
    "small",
    "",
    (
        HelpHeading("Part"),
        HelpText("some words " * 9),
        Lines("kept   as\n\nit is"),
        HelpRows(
            (
                ("short", "what it means, at some length, so that it fills more than one line of a window"),
                ("x", ""),
            )
        ),
        HelpRows((("a term that is too long for its column", "meaning"),)),
    ),
)


def test_a_term_has_its_meaning_beside_it() -> None:
    assert to_text(SMALL, 64) == (
        "Part:\n\n"
        "some words some words some words some words some words some\n"
        "words some words some words some words\n\n"
        "    kept   as\n\n    it is\n\n"
        "short  what it means, at some length, so that it fills more\n"
        "       than one line of a window\n"
        "x\n\n"
        "a term that is too long for its column\n"
        "  meaning\n"
    )


def test_a_narrow_window_has_it_below() -> None:
    assert "\nshort\n    what it means, at some\n    length, so that it" in to_text(SMALL, 30)


@pytest.mark.parametrize("name", TOPICS)
@pytest.mark.parametrize("columns", [40, 80, 300])
def test_lines_are_no_wider_than_the_window_if_words_allow_it(name: str, columns: int) -> None:
    shown = page(name, FOLDERS)
    kept = {
        line.strip() for block in shown.blocks if isinstance(block, Lines) for line in block.text.split("\n")
    }
    for line in to_text(shown, columns).splitlines():
        if line.strip() not in kept and " " in line.strip():
            assert len(line) < columns or max(map(len, line.split())) > columns - 8
            assert len(line) < 96
