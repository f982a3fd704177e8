"""Text is wrapped at words, code at cells, and no character is torn apart."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from llmchat.markdown.rows import fold, wrap

WORDS = st.text(alphabet="abc  \n.,(\u65e5\u672c\u3002\u300c\U0001f469\u200d\ufe0f\u0301", max_size=60)


def wrapped(text: str, width: int) -> list[str]:
    return [text[start:end] for start, end in wrap(text, width)]


def test_words_are_not_torn_apart() -> None:
    assert wrapped("one two  three", 8) == ["one two  ", "three"]


def test_a_word_that_is_too_long_begins_on_its_own_row() -> None:
    assert wrapped("a abcdefghij b", 4) == ["a ", "abcd", "efgh", "ij b"]


def test_a_newline_ends_a_row() -> None:
    assert wrapped("a\n\nb\n", 4) == ["a", "", "b", ""]


def test_wide_text_breaks_between_characters_but_not_before_a_full_stop() -> None:
    assert wrapped("\u65e5\u672c\u8a9e\u3002", 6) == ["\u65e5\u672c", "\u8a9e\u3002"]


def test_a_family_is_one_character() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert wrapped(family * 3, 5) == [family * 2, family]
    assert [family * 3][0][slice(*fold(family * 3, 5)[0])] == family * 2


@settings(max_examples=200, deadline=None, derandomize=True)
@given(WORDS, st.integers(2, 12))
def test_no_row_is_too_wide_and_only_newlines_are_left_out(text: str, width: int) -> None:
    rows = wrapped(text, width)
    assert all(cell_len(row.rstrip(" ")) <= width for row in rows)
    assert "".join(rows) == text.replace("\n", "")
    line = text.replace("\n", "")
    folded = [line[start:end] for start, end in fold(line, width)]
    assert all(cell_len(row) <= width for row in folded)
    assert "".join(folded) == line


@settings(max_examples=200, deadline=None, derandomize=True)
@given(WORDS, st.text(alphabet="ab .\n\u65e5", max_size=20), st.integers(2, 12))
def test_rows_but_the_last_stay_when_text_is_added(text: str, more: str, width: int) -> None:
    before = wrap(text, width)[:-1]
    assert wrap(text + more, width)[: len(before)] == before
