"""Whatever the pieces and frames, the rows of a stream are those of one rendering, at a cost that stays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counting import calls
from llmchat.markdown import MarkdownStream, Row, load_theme
from llmchat.sanitize import sanitize
from markdown.documents import DOCUMENTS, EVERYTHING, REPLIES, rotate

WIDTHS = (1, 2, 20, 40, 80)
DARK = load_theme("dark")


LETTERS = [name for name, text in REPLIES.items() if "&" not in text and "[x]" not in text]


def stream(width: int, **options: int) -> MarkdownStream:
    return MarkdownStream(width, theme=DARK, **options)


def one_shot(text: str, width: int) -> list[Row]:
    whole = stream(width)
    whole.feed(text)
    return list(whole.finish())


def streamed(pieces: Iterable[str], width: int) -> list[Row]:
    """With a frame after every piece."""
    rows: list[Row] = []
    growing = stream(width)
    for piece in pieces:
        growing.feed(piece)
        rows += growing.frame().done
    return [*rows, *growing.finish()]


def shown(rows: Iterable[Row]) -> str:
    return "\n".join(row.text for row in rows)


@pytest.mark.parametrize(("name", "width"), rotate(EVERYTHING, WIDTHS))
def test_streamed_by_characters_and_lines_is_one_rendering(name: str, width: int) -> None:
    text = EVERYTHING[name]
    expected = one_shot(text, width)
    assert streamed(text, width) == expected
    assert streamed(text.splitlines(keepends=True), width) == expected


ALPHABET = "ab \n\t*_`~[]()<>#-+.1|:\\!&;$\u65e5\u3002\U0001f469\u200d\ufe0f\u0301\x1b\r"


def cut_at(text: str, places: Iterable[int]) -> Iterator[str]:
    start = 0
    for place in sorted({place % (len(text) + 1) for place in places}):
        yield text[start:place]
        start = place
    yield text[start:]


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(sorted(EVERYTHING)), min_size=1, max_size=4),
    st.sampled_from(["\n", "\n\n", " ", "\n- ", "\n> ", "\n    "]),
    st.integers(0, 3000),
    st.lists(st.integers(0, 3000), max_size=30),
    st.sampled_from(WIDTHS),
)
def test_any_pieces_of_any_mix_cut_off_anywhere_are_one_rendering(
    names: list[str], between: str, end: int, places: list[int], width: int
) -> None:
    text = between.join(EVERYTHING[name] for name in names)[:end]
    assert streamed(cut_at(text, places), width) == one_shot(text, width)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.text(
        alphabet="ab \n\t*_`~[]()<>#-+.1|:\\!&;$\u65e5\u3002\U0001f469\u200d\ufe0f\u0301\x1b\r", max_size=80
    )
)
def test_any_text_is_one_rendering_and_harmless(text: str) -> None:
    for width in (1, 7, 30):
        rows = one_shot(text, width)
        assert streamed(text, width) == rows
        check_rows(rows, width)


def check_rows(rows: Iterable[Row], width: int) -> None:
    for row in rows:
        assert row.cells <= width
        assert sanitize(row.text) == row.text
        assert not set(row.text) & {"\n", "\t", "\r"}
        assert row.joined or not row.text.endswith(" ")
        assert all(segment.control is None for segment in row.segments)
        assert not any(segment.style and segment.style.link for segment in row.segments)


@pytest.mark.parametrize(("name", "width"), rotate(EVERYTHING, WIDTHS, turn=1))
def test_rows_fit_and_hold_nothing_that_drives_a_terminal(name: str, width: int) -> None:
    growing = stream(width)
    for piece in EVERYTHING[name].splitlines(keepends=True):
        growing.feed(piece[: len(piece) // 2])
        check_rows(growing.frame().tail, width)
        growing.feed(piece[len(piece) // 2 :])
        check_rows(growing.frame().done, width)
    check_rows(growing.finish(), width)


@pytest.mark.parametrize(("name", "width"), rotate(LETTERS, WIDTHS[1:]))  # on one cell, wide text is a mark
def test_no_letter_of_a_reply_is_lost(name: str, width: int) -> None:
    text = Counter(filter(str.isalnum, REPLIES[name]))
    assert not text - Counter(filter(str.isalnum, shown(one_shot(REPLIES[name], width))))


def test_rows_given_out_and_the_tail_are_what_is_there_so_far() -> None:
    growing, rows = stream(40), []
    text = "Some text\n\n- an item\n- another\n\n```py\nx = 1\ny = 2\n"
    for character in text:
        growing.feed(character)
        frame = growing.frame()
        rows += frame.done
    assert shown([*rows, *frame.tail]) == shown(one_shot(text, 40))


SENTENCE = "Some *words* and `code` in a **long** paragraph, with a [link](https://example.org) in it. "
GIANTS = {
    "a long fence": "```python\n" + "    x = f(1, 'two')  # three\n" * 800 + "```\n",
    "a fence in an item": "- item\n\n  ```python\n" + "  x = f(1, 'two')  # three\n" * 800 + "  ```\n",
    "a fence in a quote": "> ```python\n" + "> x = f(1, 'two')  # three\n" * 800 + "> ```\n",
    "a long list": "".join(f"{n}. an *item* of a list\n" for n in range(1, 601)),
    "a long nested list": "- one\n" + "  - an *item* of a list\n" * 600,
    "a long table": "| a | b |\n|---|---|\n" + "| a `cell` | another **cell** |\n" * 500,
    "a long line": SENTENCE * 230,
    "many lines": (SENTENCE.strip() + "\n") * 230,
    "a long item": "- " + SENTENCE * 230,
    "a line with stray marks": "A [stray *bracket `and a $dollar " + "are never closed here " * 1000,
    "a line without a space": "lettersanddigits0123456789" * 800,
    "a line of wide characters": "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3067\u3059\u3002" * 800,
    "a line of wide characters without an end": "\u65e5\u672c\u8a9e" * 3000,
    "a line of data in a fence": "```\n" + "QUJDRA==" * 2500 + "\n```\n",
    "a line of dashes": "-" * 20_000,
    "many quotes": "> > > quoted\n" * 1000,
}


@pytest.mark.parametrize("name", GIANTS)
def test_a_giant_costs_no_more_at_its_end_and_keeps_a_short_tail(name: str) -> None:
    text = GIANTS[name]
    growing, rows, longest = stream(80), [], 0

    def frames(part: str) -> Iterator[None]:
        nonlocal longest
        for start in range(0, len(part), 240):
            growing.feed(part[start : start + 240])
            frame = growing.frame()
            rows.extend(frame.done)
            longest = max(longest, len(frame.tail))
            yield

    part = len(text) // 8  # to count calls takes three times as long as to make them
    for _ in frames(text[: 2 * part]):
        pass
    early = calls(frames(text[2 * part : 3 * part]))
    for _ in frames(text[3 * part : 7 * part]):
        pass
    late = calls(frames(text[7 * part : 8 * part]))
    growing.feed(text[8 * part :])
    rows += growing.finish()
    assert longest <= 60
    assert late <= early * 1.5 + 500
    assert rows == one_shot(text, 80)


@pytest.mark.parametrize("start", ["", "- ", "> 1. ", "- [ ] ", "`code` ", "**Bold** "])
def test_a_paragraph_that_is_one_line_gives_out_rows_while_it_grows(start: str) -> None:
    growing, longest, text = stream(40), 0, start + SENTENCE * 15
    for at in range(0, len(text), 7):
        growing.feed(text[at : at + 7])
        longest = max(longest, len(growing.frame().tail))
    assert longest <= 17


LONG = "word " * 100


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"# {LONG}", LONG.rstrip()),
        (f"- # {LONG}", f"\u2022 {LONG.rstrip()}"),
        (f"> ~~~ {LONG}", "\u2502 [1] word"),
        (f"| {LONG}|\n|---|", LONG.rstrip() + "\n" + "\u2500" * 499),
        ("-" * 500, "\u2500" * 2000),
    ],
)
def test_a_long_line_that_is_no_paragraph_is_not_taken_for_one(line: str, expected: str) -> None:
    assert shown(one_shot(line, 2000)) == expected


def test_the_tail_shows_its_last_rows_where_it_may_not_show_all() -> None:
    growing = stream(80, max_tail_rows=3)
    growing.feed("| n |\n|---|\n" + "".join(f"| {n} |\n" for n in range(10)))
    assert shown(growing.frame().tail) == "7\n8\n9"


def test_a_tail_is_laid_out_again_at_a_new_width() -> None:
    growing = stream(20)
    growing.feed("First paragraph.\n\nSome words that take more than a row")
    assert shown(growing.frame().tail) == "\nSome words that take\nmore than a row"
    growing.resize(12)
    frame = growing.frame()
    assert frame.done == ()
    assert shown(frame.tail) == "\nSome words\nthat take\nmore than a\nrow"
    assert shown(growing.finish()) == shown(frame.tail)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(REPLIES)), st.lists(st.sampled_from(WIDTHS), min_size=2, max_size=6))
def test_rows_fit_after_any_change_of_width(name: str, widths: list[int]) -> None:
    text, growing = REPLIES[name], stream(33)
    step = len(text) // len(widths) + 1
    for index, width in enumerate(widths):
        growing.resize(width)
        growing.feed(text[index * step : (index + 1) * step])
        frame = growing.frame()
        check_rows([*frame.done, *frame.tail], width)
    check_rows(growing.finish(), widths[-1])


UNDECIDED = (
    ["Para:\n-", "Para:\n=", "Para\n---", "a\n#", "a\n##", "a\n> ", "a\n```", "a\n```pyth", "a\n~~~"],
    ["a\n1.", "a\n- [x", "a\n| b", "a\n| b | c |\n", "a\n| b |\n| -", "a\n$$", "a\n\\[", "a\n- ```py"],
    ["a\n***", "a\n`", "a\n12"],
)


@pytest.mark.parametrize("start", [start for starts in UNDECIDED for start in starts])
def test_marks_that_may_turn_out_to_be_others_are_not_shown_yet(start: str) -> None:
    growing = stream(40)
    growing.feed(start)
    frame = growing.frame()
    assert shown([*frame.done, *frame.tail]) == start.partition("\n")[0]


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("a **bo", "a bo"),
        ("a **bold*", "a bold"),
        ("a ***both** on", "a both on"),
        ("a ~~gone, `co", "a ~~gone, co"),
        ("a **", "a"),
        ("a `", "a"),
        ("a ``code`", "a code"),
        ("# *Title", "Title"),
        ("a | **b", "a | b"),
    ],
)
def test_marks_of_open_markup_do_not_flash(start: str, expected: str) -> None:
    growing = stream(40)
    growing.feed(start)
    assert shown(growing.frame().tail) == expected


def test_what_was_not_shown_yet_is_shown_in_the_end() -> None:
    for text in ("42", "-", "Answer:\n\n42", "| not a table |", "```"):
        growing = stream(40)
        growing.feed(text)
        frame = growing.frame()
        rows = [*frame.done, *growing.finish()]
        assert rows == one_shot(text, 40)
        assert rows


def test_the_closing_fence_does_not_flash_as_code() -> None:
    growing = stream(40)
    growing.feed("```py\nx = 1\n``")
    assert shown(growing.frame().tail) == ""


class BrokenLexer:
    """A lexer that trips over one word."""

    name = "Broken"

    def get_tokens_unprocessed(self, text: str) -> Iterator[tuple[int, object, str]]:
        if "trip" in text:
            raise RecursionError("too deep")
        yield 0, "Token.Keyword", text


def test_a_block_that_cannot_be_laid_out_is_shown_as_plain_text() -> None:
    text = "before\n\n- ```broken\n  fine\n  trip here\n  fine\n  ```\n\nafter"
    whole = MarkdownStream(40, theme=DARK, find_lexer=lambda _: BrokenLexer())
    whole.feed(text)
    expected = whole.finish()
    growing, rows = MarkdownStream(40, theme=DARK, find_lexer=lambda _: BrokenLexer()), []
    for character in text:
        growing.feed(character)
        rows += growing.frame().done
    assert (*rows, *growing.finish()) == expected
    assert shown(expected).split("\n")[2:] == [
        "\u2022 [1] broken", "  fine", "  trip here", "  fine", "", "after",
    ]  # fmt: skip


def test_there_is_one_of_each_construct_and_enough_replies() -> None:
    assert len(DOCUMENTS) >= 150
    assert len(REPLIES) >= 30
