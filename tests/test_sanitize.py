"""Foreign text cannot drive a terminal, however it is split."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmchat.sanitize import Newlines, sanitize, sanitize_line

ANY_TEXT = st.text(st.characters(exclude_categories=[]))
ODD_TEXT = st.text("a\n\r\t\x00\x07\x1b[]31m\x7f\x85\x9b\u202e\u200b\ud800\ufeff\U000e0041é\u200d")


@given(ANY_TEXT | ODD_TEXT)
def test_no_control_character_but_newline_and_tab_comes_through(text: str) -> None:
    shown = sanitize(text)
    assert len(shown) == len(text)
    left = {char for char in shown if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")}
    assert left <= {"\n", "\t"}


@given(ODD_TEXT, ODD_TEXT)
def test_a_sequence_split_over_pieces_is_as_harmless_as_a_whole_one(first: str, second: str) -> None:
    assert sanitize(first + second) == sanitize(first) + sanitize(second)


@given(ODD_TEXT)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    assert sanitize(sanitize(text)) == sanitize(text)


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("a\x08b\x00c\rd\x7f", "a␈b␀c␍d␡"),
        ("\x9b31m", "\ufffd31m"),
        ("abc\u202egnp.exe", "abc\ufffdgnp.exe"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("tag\U000e0041", "tag\ufffd"),
    ],
)
def test_each_becomes_a_visible_mark(foreign: str, shown: str) -> None:
    assert sanitize(foreign) == shown


@pytest.mark.parametrize("text", ["你好\n\tsí", "👩‍👩‍👧 ❤️", "می‌خواهم", "e\u0301", "�"])
def test_text_that_people_write_is_left_alone(text: str) -> None:
    assert sanitize(text) == text


@given(ANY_TEXT | ODD_TEXT)
def test_what_must_stay_on_one_line_does(text: str) -> None:
    assert len(sanitize_line(text).splitlines()) <= 1


@given(st.lists(st.text("a\r\n", max_size=4)))
def test_line_ends_become_newlines_however_the_pieces_fall(pieces: list[str]) -> None:
    newlines = Newlines()
    whole = "".join(pieces).replace("\r\n", "\n").replace("\r", "\n")
    assert "".join(map(newlines.feed, pieces)) == whole
